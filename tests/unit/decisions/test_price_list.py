"""A price list keeps to the guardrails, speaks of next week and knows nothing of people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mercato.contracts.tables.proposals import PROPOSED
from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.price import Guardrails
from mercato.decisions.price_list import price_list, proposals
from mercato_models.artefact import Model
from mercato_models.price import demand, elasticity
from mercato_models.price.demand import FEATURES, Hyperparameters
from mercato_models.price.panel import PANEL, checked
from mercato_models.price.simulator import Chain, simulate

_C, _P, _D = PANEL.c, PROPOSED.c, PRODUCTS.c
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """Simulated, but that a price stands for two weeks, the newest for one."""
    drawn = checked(simulate(11, Chain(categories=3, stores=6, weeks=40, units=20.0)).panel)
    before = drawn.groupby([_C.product_id, _C.store_id])[_C.price].shift()
    stands = (drawn[_C.week] % 2 == 0) & before.notna()
    return drawn.assign(**{_C.price: before.where(stands, drawn[_C.price])})


@pytest.fixture(scope="module")
def model(panel: pd.DataFrame) -> Model:
    booster = demand.fit(demand.features(panel), panel[_C.units], Hyperparameters(rounds=60))
    return Model(booster, FEATURES, "7")


def named() -> pa.Table:
    """Product 1 under two names, the newer one first."""
    rows = [
        dict.fromkeys(PRODUCTS.c) | {_D.product_id: 1, _D.product_type: name, _D.event_time: NOW - age}
        for name, age in (("EGGS", timedelta(0)), ("BANANAS", timedelta(days=1)))
    ]
    schema = pa.schema([field.with_nullable(True) for field in PRODUCTS.arrow_schema])
    return pa.Table.from_pylist(rows, schema)


def listed(panel: pd.DataFrame, model: Model, rules: Guardrails) -> pd.DataFrame:
    known = elasticity.table(elasticity.estimate(panel))
    return price_list(panel, known, model, products=named(), cost_share=0.55, rules=rules, now=NOW)


def test_every_price_of_the_newest_week_gets_a_proposal_for_the_next(
    panel: pd.DataFrame, model: Model
) -> None:
    found = listed(panel, model, Guardrails())
    newest = panel[panel[_C.week] == 39].set_index([_C.product_id, _C.store_id])
    assert len(found) == len(newest) == 90
    assert list(found.columns) == list(_P)
    assert pa.Table.from_pandas(found, preserve_index=False).cast(PROPOSED.arrow_schema).num_rows == 90
    assert set(found[_P.week]) == {40}
    assert found[_P.gain].is_monotonic_decreasing
    names = dict(zip(found[_P.product_id], found[_P.product_name], strict=True))
    assert (names[1], names[2]) == ("Eggs", "Product 2")
    assert [row.gain for row in proposals(found)] == found[_P.gain].to_list()
    prices = found.set_index([_P.product_id, _P.store_id])[_P.price]
    assert np.allclose(prices.sort_index(), newest[_C.price].sort_index(), atol=0.005)
    assert ((found[_P.proposed_price] / found[_P.price] - 1).abs() <= 0.1 + 1e-6).all()
    assert (found[_P.least_gain] >= -1e-9).all()
    moved = found[_P.proposed_price] != found[_P.price]
    assert moved.mean() > 0.3
    assert not [name for name in _P if "household" in name]


def test_prices_that_changed_this_week_wait(panel: pd.DataFrame, model: Model) -> None:
    found = listed(panel, model, Guardrails(days=14)).set_index([_P.product_id, _P.store_id])
    weeks = panel.pivot(index=[_C.product_id, _C.store_id], columns=_C.week, values=_C.price)
    changed = (weeks[39] - weeks[38]).abs().reindex(found.index) > 0.005
    assert changed.mean() > 0.5
    assert (found[_P.proposed_price] == found[_P.price])[changed].all()
    assert found[_P.held_by][changed].str.contains("change_frequency").mean() > 0.3
    assert (found[_P.proposed_price] != found[_P.price])[~changed].any()


def test_the_same_weeks_give_the_same_list(panel: pd.DataFrame, model: Model) -> None:
    first, second = (listed(panel, model, Guardrails()) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_nothing_is_proposed_for_what_is_sold_by_weight(panel: pd.DataFrame, model: Model) -> None:
    prices = panel[_C.price]
    amounts = prices * np.random.default_rng(0).uniform(0.9, 1.1, len(panel))
    one = panel.assign(**{_C.price: amounts.where(panel[_C.product_id] == 1, prices)})
    assert set(listed(one, model, Guardrails())[_P.product_id]) == set(panel[_C.product_id]) - {1}
    nothing = listed(panel.assign(**{_C.price: amounts}), model, Guardrails())
    assert (list(nothing.columns), proposals(nothing)) == (list(_P), [])
