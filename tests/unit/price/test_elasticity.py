"""Elasticities are found again on a chain where they are known and prices follow demand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercato_models import checks
from mercato_models.price import elasticity
from mercato_models.price.elasticity import Elasticities, estimate
from mercato_models.price.nuisances import Settings, expect
from mercato_models.price.panel import PANEL, checked
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import Chain, World, simulate

_C = PANEL.c
CHAIN = Chain(categories=6, stores=16, weeks=52, units=20.0)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(2000, CHAIN)


@pytest.fixture(scope="module")
def found(world: World) -> Elasticities:
    return estimate(checked(world.panel))


def test_estimates_are_near_the_truth_and_know_how_near(world: World, found: Elasticities) -> None:
    truth = np.diag(world.elasticity)
    assert np.abs(found.own - truth).mean() < 0.15
    assert ((found.low <= truth) & (truth <= found.high)).mean() > 0.8
    assert abs((found.own - truth).mean()) < 0.06


def test_a_plain_regression_is_biased_and_less_near(world: World, found: Elasticities) -> None:
    """Prices rise with demand, so plain regression makes demand look stiffer than it is."""
    truth = np.diag(world.elasticity)
    arrays = PanelArrays.of(checked(world.panel))
    plain = []
    for rows in arrays.rows_by_product:
        stores = arrays.store[rows, None] == np.unique(arrays.store[rows])
        columns = np.column_stack([arrays.log_price[rows], stores])
        logs = np.log(np.maximum(arrays.units[rows], 0.5))
        plain.append(np.linalg.lstsq(columns, logs, rcond=None)[0][0])
    bias = (np.array(plain) - truth).mean()
    assert bias > 0.3
    assert np.abs(np.array(plain) - truth).mean() > 2 * np.abs(found.own - truth).mean()


def test_products_that_inform_each_other_err_less(world: World, found: Elasticities) -> None:
    truth = np.diag(world.elasticity)
    assert np.abs(found.own - truth).mean() < np.abs(found.alone - truth).mean()
    cross = world.elasticity[np.arange(len(truth))[:, None], found.mates]
    assert np.abs(found.cross - cross).mean() < CHAIN.cross / 3


def test_cross_elasticities_are_written_and_know_how_near_they_are() -> None:
    """On three chains; the intervals of all pairs together."""
    hits = []
    for seed in (2001, 2002, 2003):
        world = simulate(seed, CHAIN)
        rows = elasticity.cross_table(estimate(checked(world.panel)))
        pairs = rows[elasticity.PRODUCT].to_numpy(), rows[elasticity.MATE].to_numpy()
        assert len(rows) == len(set(zip(*pairs, strict=True))) == 30 * 4
        assert (world.category[pairs[0]] == world.category[pairs[1]]).all()
        truth = world.elasticity[pairs]
        assert np.abs(rows[elasticity.ESTIMATE] - truth).mean() < CHAIN.cross / 3
        assert (rows[elasticity.HIGH] - rows[elasticity.LOW]).mean() < 2 * CHAIN.cross
        hits.append((rows[elasticity.LOW] <= truth) & (truth <= rows[elasticity.HIGH]))
    assert 0.9 < np.mean(hits) <= 1


def test_products_without_a_mate_have_no_cross_elasticity() -> None:
    alone = simulate(2004, Chain(categories=6, category=1, stores=8, weeks=40, units=20.0))
    found = estimate(checked(alone.panel))
    assert elasticity.cross_table(found).empty
    assert elasticity.summary(found)["cross_elasticity_pairs"] == 0


def test_a_product_without_a_learned_week_learns_from_the_others(world: World, found: Elasticities) -> None:
    arrays = PanelArrays.of(checked(world.panel))
    expected = expect(arrays, Settings())
    some = elasticity.learn(arrays, expected, arrays.product != 3)
    assert some.own_error[3] > 2 * np.median(found.own_error)
    assert some.low[3] < found.own[3] < some.high[3]
    assert np.allclose(some.own[10:], found.own[10:], atol=0.05)


def test_what_is_expected_of_a_block_of_weeks_is_not_learned_from_it(world: World) -> None:
    panel = checked(world.panel)
    changed = panel.assign(**{_C.units: panel[_C.units].where(panel[_C.week] >= 4, 50)})
    before, after = (expect(PanelArrays.of(each), Settings()) for each in (panel, changed))
    first = (panel[_C.week] < 4).to_numpy()
    assert np.allclose(before.log_units[first], after.log_units[first])
    assert not np.allclose(before.log_units[~first], after.log_units[~first])


def test_the_order_of_rows_and_the_names_of_products_say_nothing(world: World, found: Elasticities) -> None:
    panel = world.panel
    renamed = panel.assign(**{_C.product_id: 1000 - panel[_C.product_id]}).sample(frac=1, random_state=0)
    again = estimate(checked(renamed))
    assert np.allclose(again.own[::-1], found.own, atol=1e-3)


def test_a_price_that_never_moved_leaves_an_elasticity_unknown(world: World) -> None:
    panel = world.panel
    still = panel[_C.product_id] == 0
    panel.loc[still, [_C.price, _C.planned_price]] = 2.0
    found = estimate(checked(panel))
    assert found.own_error[0] > 3 * np.median(found.own_error[1:])
    assert found.low[0] < found.own[1:5].mean() < found.high[0]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda panel: panel.drop(columns=_C.price), "missing columns: price"),
        (lambda panel: panel.head(0), "empty slice"),
        (lambda panel: panel.assign(**{_C.units: 3}), "constant label"),
        (lambda panel: panel.assign(**{_C.price: -1.0}), "price is not above 0"),
        (lambda panel: pd.concat([panel, panel.head(1)]), "a second row"),
        (lambda panel: panel.assign(**{_C.price: panel[_C.price].where(panel.index > 5)}), "NaN flood"),
    ],
)
def test_a_panel_that_can_not_be_learned_from_is_refused(world: World, spoil: object, says: str) -> None:
    with pytest.raises(checks.CheckError, match=says):
        checked(spoil(world.panel))  # type: ignore[operator]


def test_products_that_sell_too_little_are_left_out() -> None:
    slow = simulate(0, Chain(categories=2, stores=2, weeks=20, units=0.5))
    with pytest.raises(checks.CheckError, match="no product sells"):
        elasticity.telling(checked(slow.panel))


def test_what_is_new_sells_by_the_weeks_since_then() -> None:
    c = PANEL.c
    weeks = {1: range(156), 2: range(126, 156), 3: range(140, 156)}
    rows = [(product, 1, week, 40 if product < 3 else 4) for product, sold in weeks.items() for week in sold]
    panel = pd.DataFrame(rows, columns=[c.product_id, c.store_id, c.week, c.units])
    assert set(elasticity.telling(panel)[c.product_id]) == {1, 2}
