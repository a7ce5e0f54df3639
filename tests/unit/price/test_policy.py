"""What a policy would have earned is told from other prices, and can be checked where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercato_models.price import policy
from mercato_models.price.nuisances import Expected, Settings, expect
from mercato_models.price.panel import checked
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import Chain, World, simulate

CHAIN = Chain(categories=6, stores=16, weeks=52, units=20.0)
Logged = tuple[World, PanelArrays, Expected, list[policy.Fold]]


@pytest.fixture(scope="module")
def logged() -> Logged:
    world = simulate(3000, CHAIN)
    arrays = PanelArrays.of(checked(world.panel))
    expected = expect(arrays, Settings())
    return world, arrays, expected, policy.crossfit(arrays, expected)


@pytest.mark.parametrize("shift", [-0.05, 0.05])
def test_the_gain_of_a_shift_is_told(logged: Logged, shift: float) -> None:
    world, arrays, expected, folds = logged
    cost = 0.55 * np.exp(world.log_price.mean(axis=(1, 2)))
    value = policy.evaluate(arrays, expected, folds, expected.log_price + shift, cost[arrays.product])
    base, own = np.log(world.expected(world.log_price)), np.diag(world.elasticity)[:, None, None]
    moved = (expected.log_price + shift).reshape(base.shape)
    margins = np.exp(moved) - cost[:, None, None]
    true = (margins * np.exp(base + own * (moved - world.log_price))).mean()
    now = ((np.exp(world.log_price) - cost[:, None, None]) * np.exp(base)).mean()
    assert value.gain.low < true - now < value.gain.high
    assert value.gain.high - value.gain.low < 0.15 * now
    assert 0 < value.overlap < 1


def test_sales_correct_elasticities_that_are_wrong(logged: Logged) -> None:
    """Doubly robust: with every elasticity at -1 the prediction alone is wrong, what is told much less."""
    world, arrays, expected, folds = logged
    wrong = [
        replace(fold, found=replace(fold.found, own=0 * fold.found.own - 1, cross=0 * fold.found.cross))
        for fold in folds
    ]
    cost = 0.55 * np.exp(world.log_price.mean(axis=(1, 2)))[arrays.product]
    log_price = expected.log_price - 0.08
    right = policy.evaluate(arrays, expected, folds, log_price, cost)
    misled = policy.evaluate(arrays, expected, wrong, log_price, cost)
    assert abs(misled.estimate - right.estimate) < 0.5 * abs(misled.direct - right.estimate)


def test_nothing_is_learned_from_the_weeks_that_are_judged(logged: Logged) -> None:
    _, arrays, expected, folds = logged
    assert np.array_equal(sum(fold.judged.astype(int) for fold in folds), np.ones(len(arrays)))
    first = folds[0].judged
    other = replace(arrays, units=np.where(first, arrays.units + 50, arrays.units))
    again = policy.crossfit(other, expected)
    assert np.allclose(again[0].found.own, folds[0].found.own)
    assert not np.allclose(again[1].found.own, folds[1].found.own, atol=0.05)


def test_the_same_prices_gain_nothing_over_themselves_and_only_what_counts_is_counted(logged: Logged) -> None:
    world, arrays, expected, folds = logged
    cost = 0.55 * np.exp(world.log_price.mean(axis=(1, 2)))[arrays.product]
    usual = expected.log_price
    same = policy.evaluate(arrays, expected, folds, usual, cost, before=usual)
    assert (same.gain.estimate, same.gain.low, same.gain.high) == (0, 0, 0)
    among = arrays.product < 10
    moved = usual + np.where(among, 0.05, 0.5)
    some = policy.evaluate(arrays, expected, folds, moved, cost, before=usual, among=among)
    alone = policy.evaluate(arrays, expected, folds, usual + 0.05, cost, before=usual, among=among)
    assert some == alone


def test_few_blocks_of_weeks_make_an_interval_wide_enough() -> None:
    """The error of a mean of 13 blocks is an estimate itself: 1.96 of it holds 0 in 92.5 % of cases."""
    draw = np.random.default_rng(0)
    block = np.repeat(np.arange(13), 4)
    intervals = [policy.by_blocks(draw.normal(size=13)[block], block) for _ in range(4000)]
    assert np.mean([each.low < 0 < each.high for each in intervals]) == pytest.approx(0.95, abs=0.01)
    with pytest.raises(ValueError, match="one block of 4 weeks"):
        policy.by_blocks(np.ones(4), np.zeros(4, np.int64))


def test_prices_far_from_all_that_was_charged_are_not_judged(logged: Logged) -> None:
    _, arrays, expected, folds = logged
    with pytest.raises(ValueError, match="no logged price is near"):
        policy.evaluate(arrays, expected, folds, expected.log_price + 5.0, np.ones(len(arrays)))
