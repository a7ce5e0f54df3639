"""What a benchmark ran on, and where its figures go."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil

from mercato.settings import get_settings

_ROOT = Path(__file__).parents[1]
#: Whose speed a figure may hang on.
_PACKAGES = (
    "confluent-kafka", "deltalake", "duckdb", "feast", "mlflow", "msgspec", "numpy", "pyarrow", "pysail",
    "pyspark", "redis", "xgboost",
)  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """Processor, memory, versions, commit, and how busy the machine was before the benchmark.

    Figures count only beside this: on a busy machine a second run differs by more than most changes.
    """
    memory = psutil.virtual_memory()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "memory_gb": round(memory.total / 1e9, 1),
        "memory_available_gb": round(memory.available / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "java": _java(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def write_result(name: str, payload: Mapping[str, Any]) -> Path:
    """Write `{home}/bench/{name}.json` and return its path."""
    path = get_settings().home / "bench" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(payload, indent=2, default=msgspec.to_builtins) + "\n")
    return path


def _cpu() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _commit() -> str:
    """Hash of the commit, with `-dirty` where the tree differs from it; `unknown` outside of git."""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return _first_line(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def _java() -> str:
    try:
        return _first_line(
            subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
        )
    except FileNotFoundError:
        return "unknown"


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "unknown")
