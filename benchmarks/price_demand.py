"""Forecasts of weekly demand beside what people use for it, each a week ahead of what it predicts."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prophet import Prophet
from statsforecast import StatsForecast
from statsforecast.models import CrostonSBA, SimpleExponentialSmoothingOptimized, Theta
from tqdm import tqdm

from benchmarks.page import Value
from mercato_models.intervals import Interval
from mercato_models.price import demand, evaluation
from mercato_models.price.demand import Hyperparameters
from mercato_models.price.evaluation import FORECAST, NAIVE, RECENT
from mercato_models.price.panel import CELL, JUDGED_WEEKS, PANEL

_C = PANEL.c
_TWEEDIE, _PROPHET, _UNPLANNED = "lightgbm_tweedie", "prophet", "unplanned"
_SERIES = {"ses": "exponential smoothing", "theta": "Theta", "croston": "Croston, SBA"}
_NAMES = {
    FORECAST: "model",
    _UNPLANNED: "model, the price of the week before carried on",
    _TWEEDIE: "LightGBM Tweedie, defaults, same features",
    **_SERIES,
    RECENT: "decayed mean of the weeks before",
    NAIVE: "seasonal naive, four weeks",
}
#: Prophet takes half a second a fit: it is fitted to the most sold cells alone, before each judged week.
_PROPHET_CELLS = 60
_TITLES = {"wape": "WAPE", "product_wape": "WAPE of products"}
_CELL = list(CELL)
#: The names that both libraries want.
_ID, _TIME, _VALUE = "unique_id", "ds", "y"


def beside(judged: pd.DataFrame, panel: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Judged rows with a column of forecasts for each peer; Prophet's is NaN where it was not fitted.

    Args:
        panel: what `mercato_models.price.evaluation.established` makes.
        features: of it.
    """
    _, tested = evaluation.split(panel)
    keys = panel.loc[tested, [*_CELL, _C.week]].reset_index(drop=True)
    judged = judged.merge(keys.assign(**{_TWEEDIE: lightgbm_defaults(panel, features)}), on=list(keys))
    judged = judged.merge(_unplanned(panel), on=list(keys))
    judged = judged.merge(_classical(panel, judged), how="left", on=list(keys))
    judged[list(_SERIES)] = judged[list(_SERIES)].fillna(0.0).clip(lower=0.0)
    return judged.merge(_prophet(panel, judged), how="left", on=list(keys))


def lightgbm_defaults(panel: pd.DataFrame, features: pd.DataFrame) -> NDArray[np.float64]:
    """Forecasts of the judged rows by trees that nobody tuned."""
    learned, tested = evaluation.split(panel)
    learner = lightgbm.LGBMRegressor(objective="tweedie", verbose=-1, n_jobs=1)
    learner.fit(features[learned], panel[_C.units][learned])
    return np.asarray(learner.predict(features[tested]), np.float64)


def _unplanned(panel: pd.DataFrame) -> pd.DataFrame:
    """The model's forecasts if nothing is known of the week's price, which is seen from others' sales."""
    before = panel.groupby(_CELL)[_C.planned_price].shift(1).fillna(panel[_C.planned_price])
    held = panel.assign(**{_C.planned_price: before})
    found = evaluation.backtest(held, demand.features(held), Hyperparameters())
    return found[[*_CELL, _C.week, FORECAST]].rename(columns={FORECAST: _UNPLANNED})


def quality(judged: pd.DataFrame) -> list[dict[str, Value]]:
    """Errors of all forecasts, and by how much the model's are smaller."""
    intervals = evaluation.intervals(judged, list(_NAMES))
    sold = judged[_C.units].sum()
    return [
        _row(name, title, intervals, _TITLES) | {"forecast to sold": float(judged[name].sum() / sold)}
        for name, title in _NAMES.items()
    ]


def prophets(judged: pd.DataFrame) -> list[dict[str, Value]]:
    """The same on the rows that Prophet predicted."""
    known = judged[judged[_PROPHET].notna()]
    names = {
        FORECAST: "model",
        _PROPHET: "Prophet, price and placements as regressors",
        RECENT: _NAMES[RECENT],
    }
    intervals = evaluation.intervals(known, list(names))
    return [_row(name, title, intervals, ["wape"]) for name, title in names.items()]


def _row(name: str, label: str, intervals: Mapping[str, Interval], levels: Iterable[str]) -> dict[str, Value]:
    row: dict[str, Value] = {"": label}
    for level in levels:
        title = _TITLES[level]
        error, gain = intervals[f"{name}_{level}"], intervals.get(f"gain_over_{name}_{level}")
        row |= {title: error.estimate, f"{title} 95 %": f"{error.low:.3f} to {error.high:.3f}"}
        row[f"{title}, model's gain"] = (
            None if gain is None else f"{gain.estimate:.3f} ({gain.low:.3f} to {gain.high:.3f})"
        )
    return row


def _dated(panel: pd.DataFrame) -> pd.DataFrame:
    dates = pd.Timestamp("2017-01-02") + pd.to_timedelta(7 * (panel[_C.week] - 1), unit="D")
    names = panel[_C.product_id].astype(str) + "-" + panel[_C.store_id].astype(str)
    named = {_ID: names, _TIME: dates, _VALUE: panel[_C.units].astype(float)}
    return pd.concat([panel, pd.DataFrame(named)], axis=1)


def _classical(panel: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    rows = _dated(panel[panel[_C.week] <= judged[_C.week].max()])
    engine = StatsForecast(
        models=[
            SimpleExponentialSmoothingOptimized(alias="ses"),
            Theta(season_length=1, alias="theta"),
            CrostonSBA(alias="croston"),
        ],
        freq="7D",
        n_jobs=1,
        verbose=True,
    )
    made = engine.cross_validation(
        df=rows[[_ID, _TIME, _VALUE]], h=1, n_windows=JUDGED_WEEKS, step_size=1, refit=True
    ).reset_index()
    keys = rows[[_ID, _TIME, *_CELL, _C.week]]
    result: pd.DataFrame = made.merge(keys, on=[_ID, _TIME])[[*_CELL, _C.week, *_SERIES]]
    return result


def _prophet(panel: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    for chatty in ("cmdstanpy", "prophet"):
        logging.getLogger(chatty).disabled = True
    before = panel[panel[_C.week] < judged[_C.week].min()]
    most = before.groupby(_CELL)[_C.units].sum().nlargest(_PROPHET_CELLS).index
    rows = _dated(panel)
    rows["log_price"] = np.log(rows[_C.planned_price])
    for name in (_C.displayed, _C.mailed):
        rows[name] = rows[name].astype(float)
    made = []
    for cell, of in tqdm(rows.set_index(_CELL).loc[most].groupby(level=[0, 1]), desc="Prophet"):
        for week in sorted(judged[_C.week].unique()):
            past, next_ = of[of[_C.week] < week], of[of[_C.week] == week]
            made.append((*cell, week, _forecast(past, next_)))
    return pd.DataFrame(made, columns=[*_CELL, _C.week, _PROPHET])


def _forecast(past: pd.DataFrame, following: pd.DataFrame) -> float:
    model = Prophet(weekly_seasonality=False, daily_seasonality=False, uncertainty_samples=0)
    regressors = ["log_price", *(name for name in (_C.displayed, _C.mailed) if past[name].nunique() > 1)]
    for name in regressors:
        model.add_regressor(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(past[[_TIME, _VALUE, *regressors]])
        return max(0.0, float(model.predict(following[[_TIME, *regressors]])["yhat"].iloc[0]))
