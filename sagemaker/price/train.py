"""Train the price models: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

The channel holds what `mercato_models.price.channels` says. The demand model forecasts the newest weeks from
what was known before them, of products that had sold often by then; the one that is kept learns from all
weeks that are over and all products. Elasticities come from the same panel. Writes the demand model,
`elasticities.parquet` and `cross_elasticities.parquet` to SM_MODEL_DIR, `metrics.json`, the model card and
`demand.parquet` (the judged forecasts) to SM_OUTPUT_DATA_DIR. With MLFLOW_TRACKING_URI set it logs the run,
and registers the demand model as `champion` if it passes its gate.
"""

from __future__ import annotations

from datetime import UTC, datetime

from mercato_models import artifact, script, tracking
from mercato_models.card import Card
from mercato_models.drift.baseline import Baseline
from mercato_models.price import NAME, channels, demand, elasticity, evaluation, weeks
from mercato_models.price.demand import FEATURES, Hyperparameters
from mercato_models.price.panel import PANEL
from mercato_models.price.statement import STATEMENT
from mercato_models.reasons import drivers
from mercato_models.tracking import UNREGISTERED

#: Newest weeks that say what the model is to be asked, and by which features it answers.
_NEWEST_WEEKS = 13


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    flags = script.parser(__doc__.split("\n")[0], Hyperparameters, channels.TRAIN)
    args = flags.parse_args(arguments)
    parameters = script.hyperparameters(Hyperparameters, args)
    tracking.check()
    stopwatch = script.stopwatch()
    panel = weeks.over(channels.read(args.train), datetime.now(UTC))
    before = evaluation.established(panel)
    judged = evaluation.backtest(before, demand.features(before), parameters)
    stopwatch.lap("backtest")
    figures = evaluation.metrics(judged)
    verdict = evaluation.verdict(figures)
    stopwatch.lap("evaluate")
    estimates = elasticity.estimate(elasticity.telling(panel))
    figures |= elasticity.summary(estimates)
    stopwatch.lap("elasticities")
    rows = demand.features(panel)
    stopwatch.lap("features")
    booster = demand.fit(rows, panel[PANEL.c.units], parameters)
    stopwatch.lap("fit")
    model = artifact.Model(booster, FEATURES, UNREGISTERED)
    week = panel[PANEL.c.week]
    newest = demand.matrix(rows[week > week.max() - _NEWEST_WEEKS])
    explained = drivers(model, newest)
    card = Card(
        name=NAME,
        statement=STATEMENT,
        parameters=parameters.as_dict(),
        metrics=figures,
        verdict=verdict,
        data_versions=script.versions(args.train),
    )
    version = tracking.register(card, model, newest[:5], {"drivers.json": explained})
    stopwatch.lap("register")
    args.model_dir.mkdir(parents=True, exist_ok=True)
    elasticity.table(estimates).to_parquet(args.model_dir / channels.ELASTICITIES, index=False)
    elasticity.cross_table(estimates).to_parquet(args.model_dir / elasticity.CROSS, index=False)
    script.keep_versions(args.train, args.model_dir)
    Baseline.of(model, newest, growing=demand.GROWING).save(args.model_dir)
    artifact.save(args.model_dir, booster, FEATURES, version)
    card.write(args.output_data_dir)
    judged.to_parquet(args.output_data_dir / channels.FORECASTS, index=False)
    details = {"drivers": explained, "seconds": stopwatch.seconds}
    script.report(args.output_data_dir, card, version, details)


if __name__ == "__main__":
    script.train(main)
