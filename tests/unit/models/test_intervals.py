"""Intervals cover what they promise, draw whole units, and say what has none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mercato_models.arrays import Floats
from mercato_models.intervals import Interval, Statistic, bootstrap, paired


def mean_of(values: Floats) -> Statistic:
    return lambda weights: float(np.average(values, weights=weights))


def test_a_mean_is_covered_as_often_as_the_interval_says() -> None:
    generator, worlds, people = np.random.default_rng(0), 300, 80
    covered = 0
    for _ in range(worlds):
        found = bootstrap(np.arange(people), mean_of(generator.normal(size=people)), resamples=300)
        covered += found.low <= 0 <= found.high
    assert 0.9 <= covered / worlds <= 0.98


def test_rows_of_one_unit_are_drawn_together() -> None:
    values = np.random.default_rng(1).normal(size=50)
    alone = bootstrap(np.arange(50), mean_of(values))
    copied = bootstrap(np.repeat(np.arange(50), 4), mean_of(np.repeat(values, 4)))
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    taken_apart = bootstrap(np.arange(200), mean_of(np.repeat(values, 4)))
    assert taken_apart.high - taken_apart.low == pytest.approx((alone.high - alone.low) / 2, rel=0.15)


def test_a_unit_may_be_named_by_anything() -> None:
    values = np.arange(6.0)
    numbered, named = (
        bootstrap([0, 0, 1, 1, 2, 2], mean_of(values)),
        bootstrap(list("aabbcc"), mean_of(values)),
    )
    assert numbered == named


def test_a_pair_is_judged_on_the_same_draws() -> None:
    generator = np.random.default_rng(2)
    theirs = generator.normal(scale=10, size=200)
    ours = theirs + generator.normal(0.5, 0.1, 200)
    gain = paired(np.arange(200), mean_of(ours), mean_of(theirs))
    assert 0.45 < gain.low < gain.estimate < gain.high < 0.55
    # Each alone varies far more than their difference.
    assert bootstrap(np.arange(200), mean_of(ours)).high - gain.high > 1


def test_a_seed_gives_the_interval_again() -> None:
    values = np.random.default_rng(3).normal(size=40)
    assert bootstrap(np.arange(40), mean_of(values), seed=7) == bootstrap(
        np.arange(40), mean_of(values), seed=7
    )
    assert bootstrap(np.arange(40), mean_of(values), seed=7) != bootstrap(
        np.arange(40), mean_of(values), seed=8
    )


def test_draws_without_the_figure_are_left_out() -> None:
    # Drawn twice of two units, the second is absent from a quarter of the draws.
    def only_with_second(weights: Floats) -> float:
        return 1.0 if weights[1] else math.nan

    assert bootstrap([0, 1], only_with_second) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize(("units", "said"), [([], "no rows"), ([1, 2], "none of 1000 draws of 2 units")])
def test_an_interval_of_nothing_is_refused(units: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bootstrap(units, lambda _: math.nan)


def test_metric_names_of_an_interval() -> None:
    assert Interval(0.5, 0.4, 0.6).flat("auc") == {"auc": 0.5, "auc_low": 0.4, "auc_high": 0.6}
