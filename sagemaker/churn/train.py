"""Train the churn model: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

The channel holds what `mercato_models.churn.channels` says, and may hold `mercato_models.demographics`. Each
of its newest as-of days is scored by a model that knows only labels of before it; the model that is kept
learns from all rows. Writes the model to SM_MODEL_DIR, `metrics.json`, the model card and `churn.parquet` to
SM_OUTPUT_DATA_DIR. With MLFLOW_TRACKING_URI set it logs the run, and registers the model as `champion` if it
passes its gate.
"""

from __future__ import annotations

import numpy as np

from mercato_models import artifact, demographics, fairness, script, tracking
from mercato_models.card import Card
from mercato_models.churn import NAME, channels, evaluation, model
from mercato_models.churn.features import AS_OF, GROWING, LABEL
from mercato_models.churn.statement import STATEMENT
from mercato_models.drift.baseline import Baseline
from mercato_models.reasons import drivers

#: Newest days whose households say what the model is to be asked, and by which features it answers.
_NEWEST_DAYS = 28


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    flags = script.parser(__doc__.split("\n")[0], model.Hyperparameters, channels.TRAIN)
    args = flags.parse_args(arguments)
    parameters = script.hyperparameters(model.Hyperparameters, args)
    tracking.check()
    stopwatch = script.stopwatch()
    rows, features = channels.read(args.train)
    tests = channels.judged(rows)
    chosen = rows[AS_OF] >= parameters.first_day
    rows = rows[chosen & ((rows[AS_OF] - parameters.first_day) % parameters.step_days == 0)]
    judged = evaluation.backtest(rows, tests, lambda known: model.train(known, features, parameters))
    stopwatch.lap("backtest")
    figures = evaluation.metrics(judged)
    groups = demographics.groups(args.train, judged[channels.HOUSEHOLD], NAME)
    fair = evaluation.fairness(judged, groups)
    verdict = evaluation.verdict(figures) + fairness.verdict(fair)
    stopwatch.lap("evaluate")
    kept = model.train(rows, features, parameters)
    stopwatch.lap("fit")
    newest = rows.loc[rows[AS_OF] > rows[AS_OF].max() - _NEWEST_DAYS, list(features)].to_numpy(np.float32)
    explained = drivers(kept, newest)
    card = Card(
        name=NAME,
        statement=STATEMENT,
        parameters=parameters.as_dict(),
        metrics=figures,
        verdict=verdict,
        data_versions=script.versions(args.train),
        fairness=fair,
    )
    version = tracking.register(card, kept, newest[:5], {"drivers.json": explained})
    stopwatch.lap("register")
    script.keep_versions(args.train, args.model_dir)
    Baseline.of(kept, newest, growing=GROWING).save(args.model_dir)
    artifact.save(args.model_dir, kept.booster, features, version, kept.calibration)
    card.write(args.output_data_dir)
    written = [AS_OF, channels.HOUSEHOLD, LABEL, evaluation.PROBABILITY]
    judged[written].to_parquet(args.output_data_dir / channels.FILE, index=False)
    details = {"drivers": explained, "seconds": stopwatch.seconds}
    script.report(args.output_data_dir, card, version, details)


if __name__ == "__main__":
    script.train(main)
