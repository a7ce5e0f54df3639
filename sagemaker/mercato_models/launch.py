"""Run a model's training script as SageMaker does: as a process that the environment tells its folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercato_models.script import METRICS

_SCRIPTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A model's training.

    Attributes:
        name: of the model, and of the folder with its script.
        channel: what it learns from and is judged on.
        model, output: folders for what is served, and for what was found.
    """

    name: str
    channel: Path
    model: Path
    output: Path

    @classmethod
    def within(cls, name: str, folder: Path) -> TrainingJob:
        """With its folders side by side."""
        return cls(name, folder / "channel", folder / "model", folder / "output")

    def run(
        self, *arguments: str, variables: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Run the script to its end.

        Args:
            arguments: hyperparameters, as flags.
            variables: further ones of the environment.
            options: of `subprocess.run`.
        """
        environment = os.environ | {
            "SM_CHANNEL_TRAIN": str(self.channel),
            "SM_CHANNEL_TEST": str(self.channel),
            "SM_MODEL_DIR": str(self.model),
            "SM_OUTPUT_DATA_DIR": str(self.output),
            **(variables or {}),
        }
        command = [sys.executable, str(_SCRIPTS / self.name / "train.py"), *arguments]
        return subprocess.run(command, env=environment, **options)

    def metrics(self) -> dict[str, Any]:
        """What the script wrote to `metrics.json`."""
        written: dict[str, Any] = json.loads((self.output / METRICS).read_text())
        return written
