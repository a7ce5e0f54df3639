"""Train the recommendation ranker: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_CHANNEL_TEST=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

Channels hold what `mercato_models.recommend.channels` says; both may be the same folder.
Writes the model to SM_MODEL_DIR, `metrics.json` and `recommend.parquet` (the top 20 of each test
household) to SM_OUTPUT_DATA_DIR. With MLFLOW_TRACKING_URI set it logs and registers the model, and
gives it the alias `champion` if it beats the baselines.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from dataclasses import fields
from pathlib import Path

from mercato_models.recommend import artefact, channels, tracking
from mercato_models.recommend.dataset import training_set
from mercato_models.recommend.evaluation import evaluate
from mercato_models.recommend.ranker import Hyperparameters, fit, score

log = logging.getLogger("train")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Hyperparameters and folders; the folders default to SageMaker's environment variables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for setting in fields(Hyperparameters):
        flag = f"--{setting.name.replace('_', '-')}"
        parser.add_argument(flag, type=type(setting.default), default=setting.default)
    for flag, variable in (
        ("--train", "SM_CHANNEL_TRAIN"),
        ("--test", "SM_CHANNEL_TEST"),
        ("--model-dir", "SM_MODEL_DIR"),
        ("--output-data-dir", "SM_OUTPUT_DATA_DIR"),
    ):
        given = os.environ.get(variable)
        parser.add_argument(flag, type=Path, default=given, required=given is None, help=f"or {variable}")
    parser.add_argument("--data-versions", type=json.loads, default={}, help="JSON: Delta version by table")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    given = parse(arguments)
    parameters = Hyperparameters(**{name.name: getattr(given, name.name) for name in fields(Hyperparameters)})
    clock = _Clock()
    train = channels.read_contexts(given.train)
    snapshots = channels.Snapshots(given.train, channels.stores(train))
    data = training_set(
        snapshots.beside(channels.targets(train, channels.TRAIN)),
        negatives=parameters.negatives,
        seed=parameters.seed,
    )
    clock.lap("features")
    booster = fit(data, parameters)
    clock.lap("fit")
    test = channels.read_contexts(given.test)
    snapshots = channels.Snapshots(given.test, channels.stores(test))
    tests = channels.targets(test, channels.TEST)
    judged = evaluate(snapshots.beside(tests), lambda rows: score(booster, rows))
    clock.lap("evaluate")
    version = tracking.register(
        booster, data.features[:5], parameters, judged, given.data_versions, {"rows": len(data.labels)}
    )
    clock.lap("register")
    artefact.save(given.model_dir, booster, version)
    artefact.write_evaluation(given.output_data_dir, judged, clock.seconds)
    print(json.dumps(judged.metrics | {"passes": judged.passes, "version": version}))


class _Clock:
    """Logs how long each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._since, 3)
        self._since = now
        log.info("%s: %.1f s", stage, self.seconds[stage])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main(sys.argv[1:])
    except (channels.ChannelError, ValueError) as error:
        sys.exit(f"train: {error}")
