"""Forecasts of the newest weeks, each a week ahead, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mercato_models import checks
from mercato_models.arrays import Floats, Mask
from mercato_models.gate import Verdict, above
from mercato_models.intervals import Interval, Statistic, bootstrap, paired
from mercato_models.price import demand
from mercato_models.price.demand import Hyperparameters
from mercato_models.price.panel import CELL, MIN_WEEKS, PANEL, first_judged

_C = PANEL.c
#: Weeks before which features of a cell have too short a past to learn from.
FIRST_WEEKS = 8
#: A season of the naive forecast, weeks.
SEASON = 4
FORECAST, NAIVE, RECENT = "forecast", "seasonal_naive", "recent_mean"
#: Draws of the interval over products.
RESAMPLES = 500


def established(panel: pd.DataFrame) -> pd.DataFrame:
    """Rows of what had sold often enough before the judged weeks: what sells in them chooses nothing.

    Raises:
        CheckError: nothing had.
    """
    first = first_judged(panel[_C.week])
    sold = (panel[_C.units] > 0) & (panel[_C.week] < first)
    often = sold.groupby([panel[name] for name in CELL]).transform("sum") >= MIN_WEEKS
    if not often.any():
        said = (
            f"no product was sold in {MIN_WEEKS} weeks in a store before week {first}, the first judged one"
        )
        raise checks.CheckError(f"empty slice: {said}; replay more of the year")
    return panel[often].reset_index(drop=True)


def split(panel: pd.DataFrame) -> tuple[Mask, Mask]:
    """Rows to learn from and rows that are judged.

    Args:
        panel: what `established` makes.
    """
    week = panel[_C.week]
    first = first_judged(week)
    learned = (week >= int(week.min()) + FIRST_WEEKS) & (week < first)
    judged = (week >= first) & (week < int(week.max()))
    return learned.to_numpy(), judged.to_numpy()


def backtest(panel: pd.DataFrame, rows: pd.DataFrame, parameters: Hyperparameters) -> pd.DataFrame:
    """Judged rows with the forecasts of a model that learned from the weeks before all of them.

    Args:
        panel: what `established` makes.
        rows: `mercato_models.price.demand.features` of it.
    """
    learned, judged = split(panel)
    booster = demand.fit(rows[learned], panel[_C.units][learned], parameters)
    season = panel.groupby(list(CELL), sort=False)[_C.units].shift(SEASON)
    kept = panel.loc[judged, [*CELL, _C.week, _C.units]]
    return kept.assign(
        **{
            FORECAST: booster.inplace_predict(demand.matrix(rows[judged]), validate_features=False),
            NAIVE: season[judged].fillna(0.0),
            RECENT: rows["units_half_8"][judged].fillna(0.0),
        }
    ).reset_index(drop=True)


def wape(judged: pd.DataFrame, column: str, of: tuple[str, ...] = ()) -> Statistic:
    """Weighted absolute percentage error: the sum of absolute errors over the sum of units.

    Args:
        of: columns by which rows are summed up first; none for every cell and week by itself.
    """
    units, forecast = judged[_C.units].to_numpy(np.float64), judged[column].to_numpy(np.float64)
    if not of:
        return lambda weights: float((weights * abs(units - forecast)).sum() / (weights * units).sum())
    group = judged.groupby(list(of)).ngroup().to_numpy()

    def summed(weights: Floats) -> float:
        error = np.bincount(group, weights * (units - forecast))
        return float(np.abs(error).sum() / (weights * units).sum())

    return summed


#: Of every cell and week by itself, and of a product's week over all stores.
LEVELS: Mapping[str, tuple[str, ...]] = {"wape": (), "product_wape": (_C.product_id, _C.week)}


def intervals(judged: pd.DataFrame, columns: list[str]) -> dict[str, Interval]:
    """Errors of forecast columns, and by how much the first one's are smaller than each other's."""
    units, result = judged[_C.product_id].to_numpy(), {}
    for name, level in LEVELS.items():
        errors = {column: wape(judged, column, level) for column in columns}
        first, *others = columns
        for column, error in errors.items():
            result[f"{column}_{name}"] = bootstrap(units, error, resamples=RESAMPLES)
        for column in others:
            gain = paired(units, errors[column], errors[first], resamples=RESAMPLES)
            result[f"gain_over_{column}_{name}"] = gain
    return result


def metrics(judged: pd.DataFrame) -> dict[str, float]:
    """Every figure by metric name."""
    flat = {"test_rows": float(len(judged))}
    flat["forecast_to_sold"] = float(judged[FORECAST].sum() / judged[_C.units].sum())
    for name, interval in intervals(judged, [FORECAST, NAIVE, RECENT]).items():
        flat |= interval.flat(name)
    return flat


def verdict(figures: Mapping[str, float]) -> Verdict:
    """The gate of a champion: surely better than what needs no model."""
    gate = Verdict()
    for column in (NAIVE, RECENT):
        name = f"gain_over_{column}_wape_low"
        gate += above(name, figures[name], 0)
    return gate
