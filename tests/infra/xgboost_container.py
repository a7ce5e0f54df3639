"""SageMaker's XGBoost container 3.2-0 without docker: its Python, its packages, its own toolkit.

What is left out is `sagemaker_xgboost_container`, which no index has: in script mode it hands the training
environment to the toolkit's `run_module`, and the four functions of the model's script to the toolkit's
`Transformer` and `Worker`. `TRAIN` and `SERVE` do the same. nginx, which stands before gunicorn, is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.artifact import ROOT, run, uv

TRAIN = """
from sagemaker_containers.beta.framework import modules, training_env
env = training_env()
modules.run_module(env.module_dir, env.to_cmd_args(), env.to_env_vars(), env.module_name)
"""
#: A module for gunicorn.
SERVE = """
import importlib
from sagemaker_containers.beta.framework import env, transformer, worker
serving = env.ServingEnv()
script = importlib.import_module(serving.module_name)
functions = {name: getattr(script, name) for name in ("model_fn", "input_fn", "predict_fn", "output_fn")}
made = transformer.Transformer(**functions)
made.initialize()
app = worker.Worker(transform_fn=made.transform, module_name=serving.module_name)
"""
#: The toolkit installs the source before gunicorn starts.
INSTALL = """
from sagemaker_containers.beta.framework import env, modules
serving = env.ServingEnv()
modules.import_module(serving.module_dir, serving.module_name)
"""


@dataclass(frozen=True)
class Container:
    """One start of the image: packages that are installed in it are gone with it.

    Attributes:
        home: holds the environment and what is /opt/ml in the image.
    """

    home: Path

    @property
    def ml(self) -> Path:
        """/opt/ml."""
        return self.home / "ml"

    def bin(self, name: str) -> str:
        """A program of the environment."""
        return str(self.home / "python" / "bin" / name)

    def environment(self, **more: str) -> dict[str, str]:
        """Variables of a process in it: none of this machine's Python or AWS."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{self.home / 'python' / 'bin'}:{os.environ['PATH']}"
        return kept | {"PATH": path, "SAGEMAKER_BASE_DIR": str(self.ml), "OMP_NUM_THREADS": "1"} | more

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command, env=self.environment(**more), cwd=self.ml, capture_output=True, text=True, check=False
        )

    def configure(self, hyperparameters: Mapping[str, str], channels: Mapping[str, Path]) -> None:
        """What SageMaker lays down before a training job."""
        config = self.ml / "input" / "config"
        config.mkdir(parents=True)
        host = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
        written = {
            "hyperparameters": dict(hyperparameters),
            "inputdataconfig": {name: {"TrainingInputMode": "File"} for name in channels},
            "resourceconfig": host,
        }
        for name, content in written.items():
            (config / f"{name}.json").write_text(json.dumps(content))
        (self.ml / "input" / "data").mkdir()
        for name, folder in channels.items():
            (self.ml / "input" / "data" / name).symlink_to(folder)
        for place in ("model", "output/data"):
            (self.ml / place).mkdir(parents=True, exist_ok=True)


def image(home: Path) -> Path:
    """Make the image in a folder: Python 3.12 with the packages that its publisher lists."""
    python = home / "python"
    run(
        *(uv(), "venv", "--quiet", "--no-project", "--seed", "--relocatable"),
        *("--python", ROOT / ".venv/airflow/bin/python", python),
    )
    pins = ROOT / "requirements" / "model-container.txt"
    # Compiled as in the image: else every container would do so again.
    run(
        *(uv(), "pip", "install", "--quiet", "--no-deps", "--compile-bytecode"),
        *("--python", python / "bin" / "python", "-r", pins),
    )
    # As the image's own Dockerfile mends the toolkit for Python after 3.9.
    (mapping,) = python.glob("lib/python3.12/site-packages/sagemaker_containers/_mapping.py")
    mapping.write_text(mapping.read_text().replace("collections.Mapping", "collections.abc.Mapping"))
    return python


def start(image: Path, home: Path) -> Container:
    """Start it in a folder of the same disk, where what is installed or removed leaves the image alone."""
    home.mkdir(parents=True)
    run("cp", "--archive", "--link", image, home)
    made = Container(home)
    made.ml.mkdir()
    return made
