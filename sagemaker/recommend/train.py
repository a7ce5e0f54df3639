"""Train the recommendation ranker: a SageMaker training script, run here as a plain process.

    SM_CHANNEL_TRAIN=... SM_CHANNEL_TEST=... SM_MODEL_DIR=... SM_OUTPUT_DATA_DIR=... python train.py

Channels hold what `mercato_models.recommend.channels` says, and may be the same folder; that of the test may
hold `mercato_models.demographics`.
Writes the model to SM_MODEL_DIR, and to SM_OUTPUT_DATA_DIR `metrics.json`, `recommend.parquet` (the top 20 of
each test household) and `recommend_without_context.parquet` (with the basket's store and time hidden).
With MLFLOW_TRACKING_URI set it logs the run, and registers the model as `champion` if it beats the baselines
and is fair.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from mercato_models import artifact, demographics, script, tracking
from mercato_models.card import Card
from mercato_models.drift.baseline import Baseline
from mercato_models.recommend import NAME, channels, fairness
from mercato_models.recommend.dataset import examples, training_set
from mercato_models.recommend.evaluation import MODEL, evaluate, lists
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.parallel import over_cores
from mercato_models.recommend.predictions import write_lists
from mercato_models.recommend.ranker import Hyperparameters, fit, score
from mercato_models.recommend.statement import STATEMENT

#: Newest targets, which are in the order of time, whose candidates say what the model is to be asked.
_NEWEST_LISTS = 2_000


def main(arguments: list[str]) -> None:
    """Train, evaluate, write, register."""
    flags = script.parser(__doc__.split("\n")[0], Hyperparameters, channels.TRAIN, channels.TEST)
    args = flags.parse_args(arguments)
    parameters = script.hyperparameters(Hyperparameters, args)
    tracking.check()
    stopwatch = script.stopwatch()
    train = channels.read_contexts(args.train)
    learn = partial(examples, negatives=parameters.negatives, seed=parameters.seed)
    targets = channels.targets(train, channels.TRAIN)
    data = training_set(over_cores(args.train, channels.stores(train), targets, learn))
    stopwatch.lap("features")
    booster = fit(data, parameters)
    stopwatch.lap("fit")
    test = channels.read_contexts(args.test)
    tests = channels.targets(test, channels.TEST)
    artifact.single_threaded(booster)  # each process has a core
    rank = partial(lists, score=partial(score, booster))
    judged = evaluate(tests, over_cores(args.test, channels.stores(test), tests, rank))
    groups = demographics.groups(args.test, pd.Series(judged.households), NAME)
    listed = [best.products.tolist() for best in judged.lists[MODEL]]
    fair = fairness.ratios(listed, [target.truth for target in tests], groups)
    gate = judged.verdict + fairness.verdict(fair)
    stopwatch.lap("evaluate")
    card = Card(
        name=NAME,
        statement=STATEMENT,
        parameters=parameters.as_dict(),
        metrics=judged.metrics | {"rows": len(data.labels)},
        verdict=gate,
        data_versions=script.versions(args.train),
        fairness=fair,
    )
    model = artifact.Model(booster, FEATURES, tracking.UNREGISTERED)
    version = tracking.register(card, model, data.features[:5])
    stopwatch.lap("register")
    script.keep_versions(args.train, args.model_dir)
    newest = data.group > data.group[-1] - _NEWEST_LISTS
    learned = Baseline.of(model, data.features[newest], stands_for=data.stands_for[newest])
    learned.save(args.model_dir)
    artifact.save(args.model_dir, booster, FEATURES, version)
    card.write(args.output_data_dir)
    write_lists(args.output_data_dir, judged)
    script.report(args.output_data_dir, card, version, {"seconds": stopwatch.seconds})


if __name__ == "__main__":
    script.train(main)
