"""Intervals of rates and of the least ratio hold what they should, of few people as well."""

from __future__ import annotations

import numpy as np
import pytest

from mercato_models.fairness import GATE
from mercato_models.rates import Rate, least_ratio, worth

RUNS = 400


def drawn(sizes: tuple[int, ...], rates: tuple[float, ...]) -> list[list[Rate]]:
    """Groups whose true rates are these, many times; none of which nobody is found in any."""
    found = np.random.default_rng(0).binomial(sizes, rates, (RUNS, len(sizes)))
    return [
        [Rate(hits / size, size) for hits, size in zip(run, sizes, strict=True)] for run in found if run.any()
    ]


@pytest.mark.parametrize(
    ("sizes", "rate"),
    [
        ((20, 20, 20), 0.3),
        ((20, 20, 20), 0.15),
        ((20, 20, 20), 0.05),
        ((46, 20, 20), 0.35),
        ((80, 80, 80), 0.3),
        ((200, 200, 200), 0.9),
    ],
)
def test_of_equal_rates_the_interval_holds_1_and_is_seldom_below_the_gate(
    sizes: tuple[int, ...], rate: float
) -> None:
    spans = [least_ratio(groups) for groups in drawn(sizes, (rate,) * len(sizes))]
    assert np.mean([span.high == 1 for span in spans]) >= 0.95
    assert np.mean([span.high < GATE for span in spans]) <= 0.02


@pytest.mark.parametrize(("size", "rate", "often"), [(100, 0.4, 0.4), (200, 0.3, 0.55), (200, 0.4, 0.75)])
def test_a_rate_of_half_the_others_is_mostly_found(size: int, rate: float, often: float) -> None:
    spans = [least_ratio(groups) for groups in drawn((size,) * 3, (rate / 2, rate, rate))]
    assert np.mean([span.high < GATE for span in spans]) >= often
    assert np.mean([span.low <= 0.5 <= span.high for span in spans]) >= 0.95


def test_the_estimate_is_the_lowest_to_the_highest_and_within() -> None:
    span = least_ratio([Rate(0.3, 400), Rate(0.4, 400), Rate(0.35, 400)])
    assert span.estimate == pytest.approx(0.75)
    assert span.low < 0.75 < span.high


def test_two_large_groups_have_the_interval_of_the_ratios_logarithm() -> None:
    span = least_ratio([Rate(0.3, 4_000), Rate(0.4, 4_000)])
    off = np.exp(1.96 * np.sqrt(0.7 / (0.3 * 4_000) + 0.6 / (0.4 * 4_000)))
    assert (span.low, span.high) == pytest.approx((0.75 / off, 0.75 * off), rel=0.003)


@pytest.mark.parametrize("mean", [0.3, 1.0])
def test_groups_of_any_size_have_one(mean: float) -> None:
    span = least_ratio([Rate(mean, 1e10)] * 3)
    assert (span.estimate, span.low, span.high) == pytest.approx((1, 1, 1), abs=1e-4)


def test_more_groups_make_it_wider() -> None:
    pair, four = (least_ratio([Rate(0.3, 100)] * count) for count in (2, 4))
    assert four.low < pair.low < pair.estimate == 1


def test_a_rate_has_clopper_and_pearsons_interval() -> None:
    none, some, all_ = (Rate(mean, 28).interval() for mean in (0, 0.25, 1))
    assert (none.low, none.high) == pytest.approx((0, 1 - 0.025 ** (1 / 28)))
    assert (some.low, some.high) == pytest.approx((0.107, 0.449), abs=0.001)
    assert (all_.low, all_.high) == pytest.approx((0.025 ** (1 / 28), 1))


def test_values_are_worth_what_they_tell() -> None:
    flags, alone = np.tile([0, 1, 1], 40), np.arange(120)
    assert worth(flags, alone) == pytest.approx(120)
    # Rows that repeat a household's first add nothing.
    assert worth(np.repeat(flags, 5), np.repeat(alone, 5)) == pytest.approx(120)
    # Households alike, each of both kinds of rows, are no more than their rows.
    assert worth(flags, alone // 3) == pytest.approx(120)
    # Shares that spread less than 0 and 1 tell more; those that do not spread, as much as their households.
    assert worth(np.tile([0.4, 0.6], 50), np.arange(100)) == pytest.approx(2_500)
    assert worth(np.full(100, 0.8), np.arange(100) // 2) == 50
