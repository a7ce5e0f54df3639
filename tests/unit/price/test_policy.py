"""What a policy would have earned is told from other prices, and can be checked where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from mercato_models.price import policy
from mercato_models.price.elasticity import Elasticities, estimate
from mercato_models.price.nuisances import Expected, Settings, expect
from mercato_models.price.panel import checked
from mercato_models.price.shelf import Shelf
from mercato_models.price.simulator import Chain, World, simulate

CHAIN = Chain(categories=6, stores=16, weeks=52, units=20.0)


@pytest.fixture(scope="module")
def logged() -> tuple[World, Shelf, Expected, Elasticities]:
    world = simulate(3000, CHAIN)
    panel = checked(world.panel)
    shelf = Shelf.of(panel)
    return world, shelf, expect(shelf, Settings()), estimate(panel)


@pytest.mark.parametrize("shift", [-0.05, 0.05])
def test_the_gain_of_a_shift_is_told(
    logged: tuple[World, Shelf, Expected, Elasticities], shift: float
) -> None:
    world, shelf, expected, found = logged
    cost = 0.55 * np.exp(world.log_price.mean(axis=(1, 2)))
    value = policy.evaluate(shelf, expected, found, expected.log_price + shift, cost[shelf.product])
    base, own = np.log(world.expected(world.log_price)), np.diag(world.elasticity)[:, None, None]
    moved = (expected.log_price + shift).reshape(base.shape)
    margins = np.exp(moved) - cost[:, None, None]
    true = (margins * np.exp(base + own * (moved - world.log_price))).mean()
    now = ((np.exp(world.log_price) - cost[:, None, None]) * np.exp(base)).mean()
    assert value.gain.low < true - now < value.gain.high
    assert value.gain.high - value.gain.low < 0.15 * now
    assert 0 < value.overlap < 1


def test_sales_correct_elasticities_that_are_wrong(
    logged: tuple[World, Shelf, Expected, Elasticities],
) -> None:
    """Doubly robust: with every elasticity at -1 the foretelling alone is wrong, what is told much less."""
    world, shelf, expected, found = logged
    wrong = Elasticities(
        found.product_ids, found.mates, np.full_like(found.own, -1.0), found.own_error,
        np.zeros_like(found.cross), found.cross_error, found.alone, found.alone_error, found.blocks,
    )  # fmt: skip
    cost = 0.55 * np.exp(world.log_price.mean(axis=(1, 2)))[shelf.product]
    log_price = expected.log_price - 0.08
    right = policy.evaluate(shelf, expected, found, log_price, cost)
    misled = policy.evaluate(shelf, expected, wrong, log_price, cost)
    assert abs(misled.estimate - right.estimate) < 0.5 * abs(misled.direct - right.estimate)


def test_prices_far_from_all_that_was_charged_are_not_judged(
    logged: tuple[World, Shelf, Expected, Elasticities],
) -> None:
    _, shelf, expected, found = logged
    with pytest.raises(ValueError, match="no logged price is near"):
        policy.evaluate(shelf, expected, found, expected.log_price + 5.0, np.ones(len(shelf)))
