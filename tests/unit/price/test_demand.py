"""The demand model sees the past and what is planned, never the week's own sales."""

from __future__ import annotations

import pandas as pd
import pytest

from mercato_models import checks
from mercato_models.price import demand, evaluation
from mercato_models.price.panel import JUDGED_WEEKS, MIN_WEEKS, PANEL, checked, first_judged
from mercato_models.price.simulator import Chain, simulate

_C = PANEL.c


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
    before = evaluation.established(panel)
    judged = evaluation.backtest(before, demand.features(before), demand.Hyperparameters(rounds=100))
    figures = evaluation.metrics(judged)
    assert judged[_C.week].nunique() == JUDGED_WEEKS
    assert figures["gain_over_seasonal_naive_wape_low"] > 0
    assert evaluation.verdict(figures).passes
    flat = figures | {"gain_over_seasonal_naive_wape_low": -0.1}
    assert "gain_over_seasonal_naive_wape_low is -0.1000" in evaluation.verdict(flat).reasons[0]


def test_only_what_sold_often_before_the_judged_weeks_is_judged(panel: pd.DataFrame) -> None:
    first = first_judged(panel[_C.week])
    slow = (panel[_C.product_id] == 0) & (panel[_C.store_id] == 1)
    here, before = panel[_C.units].where(~slow, 1), panel[_C.week] < first
    rarely = panel.assign(**{_C.units: here.where(~(slow & before & (panel[_C.week] >= 19)), 0)})
    assert (rarely[slow][_C.units] > 0).sum() > MIN_WEEKS
    found = evaluation.established(rarely)
    assert len(panel) - len(found) == panel[_C.week].nunique()
    assert not ((found[_C.product_id] == 0) & (found[_C.store_id] == 1)).any()
    often = panel.assign(**{_C.units: here.where(~(slow & (panel[_C.week] >= 20)), 0)})
    assert len(evaluation.established(often)) == len(panel)
    assert {int(week) for week in found[_C.week][evaluation.split(found)[1]]} == set(range(first, first + 8))
    assert found[_C.week][evaluation.split(found)[0]].max() == first - 1


def test_too_few_weeks_are_refused(panel: pd.DataFrame) -> None:
    short = panel[panel[_C.week] < 28]
    with pytest.raises(
        checks.CheckError, match="before week 19, the first judged one; replay more of the year"
    ):
        evaluation.established(short)
