"""Train the fraud model: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

The channel holds `payments.parquet` (`mercato_models.fraud.payments`), and may hold
`mercato_models.demographics`. Judges the model on prequential folds, whose test weeks are the newest, or the
handbook's with `--weeks handbook`; then fits it to all payments.
Writes the model to SM_MODEL_DIR, with `surprise.json`, which its server needs to make features;
`metrics.json` and `fraud.parquet` (every test row's score) to SM_OUTPUT_DATA_DIR. With MLFLOW_TRACKING_URI
set it logs the run, and registers the model as `champion` if it passes (`Evaluation.verdict`) and is fair.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercato.contracts.durations import DAY_SECONDS
from mercato.decisions.fraud import Action, Costs, decide
from mercato_models import artifact, demographics, fairness, script, tracking
from mercato_models.card import Card
from mercato_models.drift.baseline import Baseline
from mercato_models.fairness import Ratio
from mercato_models.fraud import NAME, payments
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.evaluation import evaluate
from mercato_models.fraud.fairness import ratios
from mercato_models.fraud.model import Hyperparameters, fit
from mercato_models.fraud.protocol import TEST_STARTS, newest_starts
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES, GROWING
from mercato_models.fraud.statement import of_run

_EXAMPLE = 5
#: Newest days whose payments say what the model is to be asked.
_NEWEST_DAYS = 28
_C = payments.SCORED.c


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    parser = script.parser(__doc__.split("\n")[0], Hyperparameters, "train")
    parser.add_argument("--weeks", choices=("newest", "handbook"), default="newest", help="of the test")
    args = parser.parse_args(arguments)
    parameters = script.hyperparameters(Hyperparameters, args)
    tracking.check()
    stopwatch = script.stopwatch()
    past = Past(payments.read(args.train))
    stopwatch.lap("state")
    handbook = args.weeks == "handbook"
    judged = evaluate(past, parameters, TEST_STARTS if handbook else newest_starts(past.payments))
    fair = _fairness(args.train, past.payments, judged.scored)
    verdict = judged.verdict + fairness.verdict(fair)
    stopwatch.lap("folds")
    likelihood = learn(past.payments, past.ratio, np.ones(len(past.payments), bool))
    features = past.features(likelihood)
    booster = fit(features, past.payments.fraud, FEATURES, parameters)
    stopwatch.lap("fit")
    card = Card(
        name=NAME,
        statement=of_run(len(judged.by_fold), handbook=handbook),
        parameters=parameters.as_dict(),
        metrics=judged.metrics,
        verdict=verdict,
        data_versions=script.versions(args.train),
        fairness=fair,
    )
    model = artifact.Model(booster, FEATURES, tracking.UNREGISTERED, judged.calibration)
    version = tracking.register(card, model, features[:_EXAMPLE], {"by_fold.json": {"folds": judged.by_fold}})
    stopwatch.lap("register")
    likelihood.save(args.model_dir)
    second = past.payments.second
    newest = features[second > second.max() - _NEWEST_DAYS * DAY_SECONDS]
    script.keep_versions(args.train, args.model_dir)
    Baseline.of(model, newest, growing=GROWING).save(args.model_dir)
    artifact.save(args.model_dir, booster, FEATURES, version, judged.calibration)
    card.write(args.output_data_dir)
    pq.write_table(judged.scored, args.output_data_dir / "fraud.parquet")
    details = {"by_fold": judged.by_fold, "seconds": stopwatch.seconds}
    script.report(args.output_data_dir, card, version, details)


def _fairness(channel: Path, known: payments.Payments, scored: pa.Table) -> list[Ratio]:
    """How groups of card holders fare where payments are decided by what each action costs by default."""
    if known.household is None:
        return []
    households = known.household[scored[_C.transaction_id].to_numpy()]
    asked = zip(scored[_C.probability].to_pylist(), scored[_C.amount].to_pylist(), strict=True)
    stopped = [decide(score, amount, Costs()) is not Action.APPROVE for score, amount in asked]
    groups = demographics.groups(channel, pd.Series(households), NAME)
    return ratios(scored, np.array(stopped), households, groups)


if __name__ == "__main__":
    script.train(main)
