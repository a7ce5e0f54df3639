"""Train the fraud model: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

The channel holds `payments.parquet` (`mercato_models.fraud.payments`). Judges the model on prequential folds,
whose test weeks are the newest, or the handbook's with `--weeks handbook`; then fits it to all payments.
Writes the model to SM_MODEL_DIR, with `surprise.json`, which its server needs to make features;
`metrics.json` and `fraud.parquet` (every test row's score) to SM_OUTPUT_DATA_DIR. With MLFLOW_TRACKING_URI
set it logs the run, and registers the model as `champion` if it passes (`Evaluation.verdict`).
"""

from __future__ import annotations

import json
import logging
import sys

import numpy as np
import pyarrow.parquet as pq

from mercato.errors import MercatoError
from mercato_models import artefact, entry, tracking
from mercato_models.card import Card
from mercato_models.fraud import NAME, payments
from mercato_models.fraud.evaluation import evaluate
from mercato_models.fraud.model import Hyperparameters, fit
from mercato_models.fraud.protocol import TEST_STARTS, newest_starts
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES
from mercato_models.fraud.statement import STATEMENT
from mercato_models.fraud.surprise import learn

_EXAMPLE = 5


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    parser = entry.parser(__doc__.split("\n")[0], Hyperparameters, "train")
    parser.add_argument("--weeks", choices=("newest", "handbook"), default="newest", help="of the test")
    given = parser.parse_args(arguments)
    parameters = entry.chosen(Hyperparameters, given)
    clock = entry.Clock()
    past = Past(payments.read(given.train))
    clock.lap("state")
    handbook = given.weeks == "handbook"
    judged = evaluate(past, parameters, TEST_STARTS if handbook else newest_starts(past.payments))
    clock.lap("folds")
    surprise = learn(past.payments, past.ratio, np.ones(len(past.payments), bool))
    features = past.features(surprise)
    booster = fit(features, past.payments.fraud, FEATURES, parameters)
    clock.lap("fit")
    card = Card(
        name=NAME,
        statement=STATEMENT,
        parameters=parameters.as_dict(),
        metrics=judged.metrics,
        verdict=judged.verdict,
        data_versions=entry.versions(given.train),
    )
    model = artefact.Model(booster, FEATURES, tracking.UNREGISTERED)
    version = tracking.register(card, model, features[:_EXAMPLE], {"by_fold.json": {"folds": judged.by_fold}})
    clock.lap("register")
    surprise.save(given.model_dir)
    artefact.save(given.model_dir, booster, FEATURES, version)
    verdict = {"passes": judged.verdict.passes, "reasons": judged.verdict.reasons}
    card.write(given.output_data_dir)
    report = judged.metrics | verdict | {"by_fold": judged.by_fold, "seconds": clock.seconds}
    (given.output_data_dir / "metrics.json").write_text(json.dumps(report, indent=2))
    pq.write_table(judged.scored, given.output_data_dir / "fraud.parquet")
    print(json.dumps(judged.metrics | verdict | {"version": version}))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main(sys.argv[1:])
    except (MercatoError, ValueError) as error:
        sys.exit(f"train: {error}")
