"""A trained model behind its serving script."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from mercato.local.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def served(name: str, folder: Path) -> Iterator[str]:
    """Run `sagemaker/NAME/serve.py` over a model folder; yields its address."""
    port = free_port()
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}",
        "SM_MODEL_DIR": str(folder),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    server = subprocess.Popen([sys.executable, str(ROOT / "sagemaker" / name / "serve.py")], env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        eventually(lambda: httpx2.get(f"{address}/ping").status_code == 200, seconds=30)
        yield address
    finally:
        server.terminate()
        server.wait(10)
