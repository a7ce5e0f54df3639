"""Training as a benchmark does it: in a folder of its own, known to no registry."""

from __future__ import annotations

from pathlib import Path

from mercato_models.launch import TrainingJob


def job(name: str, home: Path) -> TrainingJob:
    """A model's training in `{home}/bench/work`; in `{home}/datasets` is what the shop learns from."""
    return TrainingJob.within(name, home / "bench" / "work" / name)


def run(training: TrainingJob, *arguments: str) -> None:
    """Train, with hyperparameters as flags; MLflow is not told, which would make the model the champion."""
    training.run(*arguments, variables={"MLFLOW_TRACKING_URI": ""}, check=True)
