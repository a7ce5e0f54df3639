"""The demand model sees the past and what is planned, never the week's own sales; the panel is whole."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS, PROMOTIONS
from mercato_models import checks
from mercato_models.price import channels, demand, evaluation
from mercato_models.price.panel import PANEL, checked
from mercato_models.price.simulator import Chain, simulate

_C, _H, _P, _S = PANEL.c, PRICE_HISTORY.c, PRODUCTS.c, PROMOTIONS.c


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return checked(simulate(7, Chain(categories=3, stores=5, weeks=40)).panel)


@pytest.mark.parametrize("week", [5, 20, 39])
def test_features_of_a_week_do_not_know_its_sales_nor_later_ones(panel: pd.DataFrame, week: int) -> None:
    late = panel[_C.week] >= week
    changed = panel.assign(**{_C.units: panel[_C.units].where(~late, 999)})
    here = panel[_C.week] <= week
    pd.testing.assert_frame_equal(demand.features(panel)[here], demand.features(changed)[here])


def test_features_say_nothing_about_people(panel: pd.DataFrame) -> None:
    names = {*demand.FEATURES, *PANEL.c}
    assert not [
        name for name in names if "household" in name or "customer" in name or "age" in name.split("_")
    ]


def test_forecasts_beat_what_needs_no_model(panel: pd.DataFrame) -> None:
    judged = evaluation.backtest(panel, demand.features(panel), demand.Hyperparameters(rounds=100))
    figures = evaluation.metrics(judged)
    assert judged[_C.week].nunique() == evaluation.JUDGED_WEEKS
    assert figures["gain_over_seasonal_naive_wape_low"] > 0
    assert evaluation.verdict(figures).passes
    flat = figures | {"gain_over_seasonal_naive_wape_low": -0.1}
    assert "gain_over_seasonal_naive_wape_low is -0.1000" in evaluation.verdict(flat).reasons[0]


def test_too_few_weeks_are_refused(panel: pd.DataFrame) -> None:
    short = panel[panel[_C.week] < 12]
    with pytest.raises(checks.CheckError, match="replay more of the year"):
        evaluation.split(short)


def _prices(rows: list[tuple[int, int, int, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[_H.product_id, _H.store_id, _H.week, _H.units, _H.loyalty_price])


def test_a_panel_holds_unsold_weeks_at_the_price_that_others_took() -> None:
    sold = [(1, 1, week, 2, 3.0) for week in range(1, 25) if week != 7]
    sold += [(1, 2, week, 1, 2.5) for week in range(3, 25) if week != 9]
    sold += [(2, 1, week, 5000, 0.003) for week in range(1, 25)]
    products = pd.DataFrame({_P.product_id: [1, 2], _P.category: ["Milk", "Fuel"]})
    placed = pd.DataFrame(
        {_C.product_id: [1], _C.store_id: [1], _C.week: [7], _C.displayed: [True], _C.mailed: [False]}
    )
    found = (
        checked(channels.panel(_prices(sold), placed, products))
        .set_index([_C.store_id, _C.week])
        .sort_index()
    )
    assert set(found[_C.product_id]) == {1}
    unsold = [found.at[(1, 7), name] for name in (_C.units, _C.price, _C.displayed)]
    assert unsold == [0, 2.5, True]
    assert found.at[(2, 9), _C.price] == 3.0
    assert len(found.loc[2]) == 22
    assert found[_C.displayed].sum() == 1


def test_a_panel_of_what_hardly_sells_is_refused() -> None:
    nothing = pd.DataFrame({name: [] for name in (_C.product_id, _C.store_id, _C.week)})
    products = pd.DataFrame({_P.product_id: [1], _P.category: ["Milk"]})
    with pytest.raises(checks.CheckError, match="no product was sold in 20 weeks"):
        channels.panel(_prices([(1, 1, 1, 2, 3.0)]), nothing, products)


def test_placements_come_out_of_promotion_events_once_for_each_store() -> None:
    places = [
        {"display": "0", "mailer": "A", "stores": [1, 2]},
        {"display": "3", "mailer": "0", "stores": [2]},
    ]
    schema = PROMOTIONS.arrow_schema
    fields = [schema.field(name) for name in (_S.product_id, _S.week, _S.placements)]
    events = pa.table(
        {_S.product_id: [9, 8], _S.week: [4, 5], _S.placements: [places, places[1:]]}, pa.schema(fields)
    )
    found = channels.placements(events).sort_values([_C.product_id, _C.store_id])
    rows = found[[_C.product_id, _C.store_id, _C.week, _C.displayed, _C.mailed]].to_numpy().tolist()
    assert rows == [[8, 2, 5, True, False], [9, 1, 4, False, True], [9, 2, 4, True, True]]
    assert found[_C.week].dtype.kind == "i"
