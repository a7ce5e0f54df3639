"""What past sales say of a list is near what it truly changes, where that is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mercato.contracts.tables.proposals import Cell
from mercato.decisions.price import Guardrails, Priced, best_price
from mercato.decisions.price_evaluation import evaluate
from mercato_models.price import policy
from mercato_models.price.elasticity import Elasticities, estimate
from mercato_models.price.nuisances import Settings, expect
from mercato_models.price.panel import CELL, PANEL, checked
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import Chain, World, simulate

_C = PANEL.c
RULES = Guardrails(step=0.06, announced=False)
COST_SHARE = 0.45


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(3100, Chain(categories=6, stores=12, weeks=52, units=20.0))


@pytest.fixture(scope="module")
def panel(world: World) -> pd.DataFrame:
    return checked(world.panel)


def standing(panel: pd.DataFrame, found: Elasticities) -> dict[Cell, Priced]:
    """Every product in every store at its mean price."""
    usual = panel.groupby(list(CELL), as_index=False)[_C.price].mean()
    columns = [usual[name].tolist() for name in (*CELL, _C.price)]
    return {
        (product, store): Priced(
            price=round(price, 2),
            cost=COST_SHARE * price,
            units=20.0,
            elasticity=float(found.own[product]),
            low=float(found.low[product]),
            high=float(found.high[product]),
            lowest_30_days=round(price, 2),
            days_unchanged=30,
        )
        for product, store, price in zip(*columns, strict=True)
    }


def true_change(world: World, panel: pd.DataFrame, stands: dict[Cell, Priced], cost: float) -> float:
    """USD a week that the list changes, when expected prices move by its shares and a little chance.

    Args:
        cost: what share of a unit's cost is taken off.
    """
    arrays = PanelArrays.of(panel)
    usual = expect(arrays, Settings()).log_price.reshape(world.log_price.shape)
    moves, costs = np.zeros((*world.log_price.shape[:2], 1)), np.zeros((*world.log_price.shape[:2], 1))
    for cell, each in stands.items():
        moves[cell], costs[cell] = np.log(best_price(each, RULES) / each.price), cost * each.cost
    assert (moves != 0).mean() > 0.5
    base, own = np.log(world.expected(world.log_price)), np.diag(world.elasticity)[:, None, None]
    draws = np.random.default_rng(0).normal(0, policy.JITTER, 100)

    def earned(prices: NDArray[np.float64]) -> float:
        rows = [
            (np.exp(prices + chance) - costs) * np.exp(base + own * (prices + chance - world.log_price))
            for chance in draws
        ]
        return float(np.mean([each.sum() for each in rows]) / world.log_price.shape[2])

    return earned(usual + moves) - earned(usual)


def test_the_interval_holds_what_the_list_truly_changes(world: World, panel: pd.DataFrame) -> None:
    stands = standing(panel, estimate(panel))
    told = evaluate(panel, stands, RULES)
    for interval, cost in ((told.profit, 1.0), (told.revenue, 0.0)):
        true = true_change(world, panel, stands, cost)
        assert interval.low < true < interval.high
        assert interval.low * interval.high > 0
        assert interval.high - interval.low < 2 * abs(true)
    assert 0 < told.overlap < 1


def test_a_list_that_was_not_looked_at_moves_nothing(panel: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no price moves"):
        evaluate(panel, {}, RULES)


def test_a_product_alone_counts_for_itself(panel: pd.DataFrame) -> None:
    """Half of the list is worth what the other half leaves of the whole."""
    stands = standing(panel, estimate(panel))
    first = {cell: each for cell, each in stands.items() if cell[0] < 15}
    rest = {cell: each for cell, each in stands.items() if cell[0] >= 15}
    whole, *parts = (evaluate(panel, each, RULES).profit.estimate for each in (stands, first, rest))
    assert sum(parts) == pytest.approx(whole, rel=0.25)
    assert min(parts) > 0
