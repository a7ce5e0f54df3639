from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xgboost as xgb

from mercato_models.recommend.dataset import TrainingSet
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.metrics import ndcg
from mercato_models.recommend.ranker import Hyperparameters, fit, score

LISTS, LONG, ROUNDS = 60, 30, 10
GIVEN = Hyperparameters(rounds=ROUNDS, threads=1)


def lists(seed: int) -> TrainingSet:
    """Lists in which the likelier of a few products are bought."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(LISTS * LONG, len(FEATURES))).astype(np.float32)
    odds = features[:, 0] + features[:, 1] * features[:, 2] - 2
    labels = (generator.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.float32)
    weights = np.repeat(generator.uniform(0.3, 1, LISTS), LONG).astype(np.float32)
    return TrainingSet(
        features, labels, np.repeat(np.arange(LISTS, dtype=np.int32), LONG), weights, np.ones(len(labels))
    )


def mean_ndcg(data: TrainingSet, scores: np.ndarray) -> float:
    found = []
    for number in range(LISTS):
        rows = np.flatnonzero(data.group == number)
        if data.labels[rows].any():
            found.append(ndcg(rows[np.argsort(-scores[rows])].tolist(), rows[data.labels[rows] > 0].tolist()))
    return float(np.mean(found))


def test_both_kinds_of_trees_count() -> None:
    data = lists(0)
    booster = fit(data, GIVEN)
    assert booster.num_boosted_rounds() == 2 * ROUNDS
    rows = xgb.DMatrix(data.features, feature_names=list(FEATURES))
    kinds = [
        booster.predict(rows, output_margin=True, iteration_range=part)
        for part in ((0, ROUNDS), (ROUNDS, 2 * ROUNDS))
    ]
    whole = booster.predict(rows, output_margin=True)
    assert np.ptp(whole - kinds[0] - kinds[1]) < 1e-4
    assert all(np.ptp(kind) > 0.1 for kind in kinds)
    assert np.allclose(score(booster, data.features), 1 / (1 + np.exp(-whole)), atol=1e-6)


def test_bought_products_of_other_lists_come_first() -> None:
    unseen = lists(1)
    by_chance = mean_ndcg(unseen, np.random.default_rng(0).random(len(unseen.labels)))
    assert mean_ndcg(unseen, score(fit(lists(0), GIVEN), unseen.features)) > by_chance + 0.1


def test_the_same_rows_give_the_same_model() -> None:
    first, second = (fit(lists(0), GIVEN) for _ in "ab")
    assert first.save_raw("json") == second.save_raw("json")


def test_a_constant_label_is_refused() -> None:
    data = lists(0)
    with pytest.raises(ValueError, match=r"every one of the 1800 labels is 0: nothing to learn"):
        fit(replace(data, labels=np.zeros_like(data.labels)), GIVEN)
