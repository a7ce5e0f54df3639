"""Scores that are too sure become probabilities that come true."""

from __future__ import annotations

import numpy as np
import pytest

from mercato_models.arrays import Floats32, Mask
from mercato_models.fraud.probability import SUSPICIOUS, by_fold, found_of_expected, learn

FOLDS = 6


@pytest.fixture
def folds() -> tuple[list[Floats32], list[Mask]]:
    """Scores whose log odds are twice the true ones from the point at which a payment is suspicious."""
    chance = np.random.default_rng(3)
    logit = [chance.normal(-5, 1.5, 20_000) for _ in range(FOLDS)]
    frauds = [chance.random(20_000) < 1 / (1 + np.exp(-each)) for each in logit]
    scores = [1 / (1 + np.exp(-np.where(each > -4.6, 2 * each + 4.6, each))) for each in logit]
    return [each.astype(np.float32) for each in scores], frauds


def test_each_fold_is_calibrated_on_those_before_it(folds: tuple[list[Floats32], list[Mask]]) -> None:
    scores, frauds = folds
    made = by_fold(scores, frauds)
    np.testing.assert_array_equal(made[0], scores[0])
    np.testing.assert_array_equal(made[2], learn(scores[:2], frauds[:2])(scores[2]))
    assert (np.diff(made[5][np.argsort(scores[5])]) >= 0).all()


def test_as_many_frauds_are_found_as_expected(folds: tuple[list[Floats32], list[Mask]]) -> None:
    scores, frauds = folds
    customer = np.arange(FOLDS * 20_000) % 4_000
    raw = found_of_expected(np.concatenate(scores), np.concatenate(frauds), customer)
    assert raw.high < 0.9
    later = found_of_expected(
        np.concatenate(by_fold(scores, frauds)[1:]), np.concatenate(frauds[1:]), customer[20_000:]
    )
    assert later.low < 1 < later.high
    assert later.estimate == pytest.approx(1, abs=0.1)


def test_where_nothing_is_suspicious_there_is_nothing_to_say() -> None:
    with pytest.raises(ValueError, match="nothing"):
        found_of_expected(np.full(9, SUSPICIOUS / 2, np.float32), np.zeros(9, bool), np.arange(9))
