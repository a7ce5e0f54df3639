"""A price list keeps to the guardrails, speaks of next week and knows nothing of people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mercato.contracts.tables.proposals import PROPOSED, PriceLimit
from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.price import Guardrails
from mercato.decisions.price_limits import Limits
from mercato.decisions.price_list import PriceList, price_list, proposals
from mercato.decisions.price_standing import Shop
from mercato_models.artifact import Model
from mercato_models.price import demand, elasticity
from mercato_models.price.demand import FEATURES, Hyperparameters
from mercato_models.price.panel import PANEL, checked
from mercato_models.price.simulator import Chain, simulate
from tests.unit.decisions.shop import NOW, counted, decided, shop

_C, _P, _D = PANEL.c, PROPOSED.c, PRODUCTS.c


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """Simulated, but that a price stands for two weeks, the newest for one."""
    drawn = checked(simulate(11, Chain(categories=3, stores=6, weeks=40, units=20.0)).panel)
    stands = drawn[_C.week] % 2 == 0
    prices = {
        name: drawn.groupby([_C.product_id, _C.store_id])[name].shift().where(stands).fillna(drawn[name])
        for name in (_C.price, _C.planned_price)
    }
    return drawn.assign(**prices)


@pytest.fixture(scope="module")
def model(panel: pd.DataFrame) -> Model:
    booster = demand.fit(demand.features(panel), panel[_C.units], Hyperparameters(rounds=60))
    return Model(booster, FEATURES, "7")


@pytest.fixture(scope="module")
def known(panel: pd.DataFrame) -> pd.DataFrame:
    return elasticity.table(elasticity.estimate(panel))


#: Product 1 under two names, the newer one first.
NAMED: list[dict[str, Any]] = [
    {_D.product_id: 1, _D.product_type: name, _D.event_time: NOW - age}
    for name, age in (("EGGS", timedelta(0)), ("BANANAS", timedelta(days=1)))
]


def listed(
    panel: pd.DataFrame,
    known: pd.DataFrame,
    model: Model,
    about: Shop | None = None,
    rules: Guardrails | None = None,
    cost_share: float = 0.55,
) -> PriceList:
    return price_list(
        panel,
        known,
        model,
        shop=about or shop(NAMED),
        cost_share=cost_share,
        rules=rules or Guardrails(),
        now=NOW,
    )


def by_cell(found: PriceList) -> pd.DataFrame:
    return found.rows.set_index([_P.product_id, _P.store_id]).sort_index()


def test_every_price_of_the_newest_week_gets_a_proposal_for_the_next(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    # The newest week's prices are new, and here they may change again.
    made = listed(panel, known, model, rules=Guardrails(days=0))
    found = made.rows
    newest = panel[panel[_C.week] == 39].set_index([_C.product_id, _C.store_id])
    assert len(found) == len(newest) == made.summary.prices == 90
    assert list(found.columns) == list(_P)
    assert pa.Table.from_pandas(found, preserve_index=False).cast(PROPOSED.arrow_schema).num_rows == 90
    assert set(found[_P.week]) == {40} == {made.summary.week}
    assert found[_P.gain].is_monotonic_decreasing
    names = dict(zip(found[_P.product_id], found[_P.product_name], strict=True))
    assert (names[1], names[2]) == ("Eggs", "Product 2")
    assert [row.gain for row in proposals(found)] == found[_P.gain].to_list()
    assert np.allclose(by_cell(made)[_P.price], newest[_C.price].sort_index(), atol=0.005)
    assert ((found[_P.proposed_price] / found[_P.price] - 1).abs() <= 0.1 + 1e-6).all()
    breaking = found[_P.held_by].str.contains("breaks_")
    assert breaking.sum() == made.summary.breaking
    assert (found[_P.least_gain] >= -1e-9)[~breaking].all()
    assert len(made.moved) == made.summary.moved > 0.3 * 90
    assert made.summary.expected_gain == pytest.approx(found[_P.gain].sum())
    assert not [name for name in _P if "household" in name]


def test_what_a_store_sells_no_more_gets_no_proposal(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    gone = (panel[_C.product_id] == 1) & (panel[_C.store_id] == 1) & (panel[_C.week] > 26)
    cells = by_cell(listed(panel.assign(**{_C.units: panel[_C.units].mask(gone, 0)}), known, model)).index
    assert (1, 1) not in cells
    assert len(cells) == 89


def test_the_running_week_tells_prices_and_no_sales(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    """Its sales are not all in: taken for a week's they would halve what is expected."""
    began = {_C.began: panel[_C.began] + (NOW - timedelta(days=1) - panel[_C.began].max())}
    running = panel.assign(**began)
    few = running[_C.units].mask(running[_C.week] == 39, 0)
    rules = Guardrails(days=0)
    whole, cut = (
        by_cell(listed(each, known, model, rules=rules))
        for each in (running, running.assign(**{_C.units: few}))
    )
    pd.testing.assert_series_equal(whole[_P.units], cut[_P.units])
    charged = running[running[_C.week] == 39].set_index([_C.product_id, _C.store_id])[_C.price]
    assert np.allclose(cut[_P.price], charged.sort_index(), atol=0.005)


def test_prices_that_changed_this_week_wait_by_default(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    found = by_cell(listed(panel, known, model))
    weeks = panel.pivot(index=[_C.product_id, _C.store_id], columns=_C.week, values=_C.price)
    changed = (weeks[39] - weeks[38]).abs().reindex(found.index) > 0.005
    assert changed.mean() > 0.5
    assert (found[_P.proposed_price] == found[_P.price])[changed].all()
    assert found[_P.held_by][changed].str.contains("change_frequency").mean() > 0.3
    assert (found[_P.proposed_price] != found[_P.price])[~changed].any()


def test_stock_limits_and_what_was_accepted_reach_the_list(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    rules, cheap = Guardrails(days=0), 0.3
    ends = {elasticity.ESTIMATE: -4.0, elasticity.LOW: -4.2, elasticity.HIGH: -3.8}
    known = known.assign(**ends)
    free = by_cell(listed(panel, known, model, rules=rules, cost_share=cheap))
    lowered = free[_P.proposed_price] < free[_P.price]
    assert lowered.mean() > 0.2
    cells = free.index.tolist()
    empty = shop(stock=[counted(0, 1, product, store) for product, store in cells])
    held = by_cell(listed(panel, known, model, empty, rules, cheap))
    assert (held[_P.proposed_price] >= held[_P.price]).all()
    assert held[_P.held_by][lowered].str.contains("stock").all()

    high = {cell: round(1.05 * price, 2) for cell, price in free[_P.price].items()}
    limits = {
        (product, store): PriceLimit(
            product_id=product, store_id=store, minimum_advertised=high[product, store]
        )
        for product, store in cells
    }
    limited = listed(panel, known, model, shop(limits=Limits(limits)), rules, cheap)
    assert by_cell(limited)[_P.proposed_price].to_dict() == pytest.approx(high, abs=0.006)
    assert limited.rows[_P.held_by].str.startswith("breaks_minimum_advertised_price").all()
    assert (limited.summary.breaking, limited.summary.limited) == (90, 90)

    product, store = cells[0]
    price = round(0.8 * free[_P.price].iloc[0], 2)
    accepted = shop(charged=[decided(price, 8, product=product, store=store)])
    after = listed(panel, known, model, accepted, Guardrails(), cheap)
    row = by_cell(after).iloc[0]
    assert (row[_P.price], after.summary.accepted) == (price, 1)
    # More is expected to be sold at the lower price, of this product in this store alone.
    more = by_cell(after)[_P.units] - free[_P.units]
    assert more.iloc[0] > 0
    assert more.iloc[1:].abs().max() < more.iloc[0]


def test_the_list_is_judged_by_sales_at_other_prices(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    summary = listed(panel, known, model, rules=Guardrails(days=0)).summary
    judged = summary.judged
    assert isinstance(judged, Mapping)
    assert summary.not_judged is None
    assert judged["profit_low"] < judged["profit"] < judged["profit_high"]
    assert 0.3 < judged["profit"] / summary.expected_gain < 3
    assert 0 < judged["overlap"] < 1
    still = listed(panel, known, model, rules=Guardrails(step=0.0)).summary
    assert (still.moved, still.judged) == (0, None)
    assert still.not_judged == "no price moves by what other weeks tell"


def test_the_same_weeks_give_the_same_list(panel: pd.DataFrame, known: pd.DataFrame, model: Model) -> None:
    first, second = (listed(panel, known, model) for _ in range(2))
    pd.testing.assert_frame_equal(first.rows, second.rows)
    assert first.summary == second.summary


def test_nothing_is_proposed_for_what_is_sold_by_weight(
    panel: pd.DataFrame, known: pd.DataFrame, model: Model
) -> None:
    prices = panel[_C.price]
    amounts = prices * np.random.default_rng(0).uniform(0.9, 1.1, len(panel))
    one = panel.assign(**{_C.price: amounts.where(panel[_C.product_id] == 1, prices)})
    assert set(listed(one, known, model).rows[_P.product_id]) == set(panel[_C.product_id]) - {1}
    nothing = listed(panel.assign(**{_C.price: amounts}), known, model)
    assert (list(nothing.rows.columns), proposals(nothing.rows)) == (list(_P), [])
    assert nothing.summary.judged is None
