"""How many units a product sells in a store next week, at a price and with placements that are planned.

Trees over what the weeks before told and what is planned for the week. The same features serve training,
forecasts and /invocations; none of them says anything about a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xgboost as xgb

from mercato_models.arrays import Floats32
from mercato_models.artifact import single_threaded
from mercato_models.price.panel import CELL, PANEL

_C = PANEL.c
#: Half-lives of decayed means, weeks.
_HALF_LIVES = (2, 8, 26)
#: Weeks over which a usual price is taken.
_USUAL_WEEKS = 8

#: Columns of the matrix, in order; all of the past but for the week's price and placements.
FEATURES: tuple[str, ...] = (
    "log_price", "price_to_usual", "price_to_last", "price_to_category", "displayed", "mailed",
    "displayed_last", "mailed_last", "weeks_known", "units_last", "sold_share",
    *(f"units_half_{weeks}" for weeks in _HALF_LIVES),
    *(f"chain_half_{weeks}" for weeks in _HALF_LIVES),
    "category_trend", "store_trend",
)  # fmt: skip
#: Of these, what only ever grows.
GROWING = ("weeks_known",)


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a fit; chosen on the weeks before the judged ones (`benchmarks.price_settings`)."""

    rounds: int = 200
    learning_rate: float = 0.05
    max_depth: int = 7
    min_child_weight: float = 20.0
    subsample: float = 0.7
    colsample: float = 0.6
    reg_lambda: float = 10.0
    variance_power: float = 1.6
    seed: int = 0
    threads: int = 1

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def features(panel: pd.DataFrame) -> pd.DataFrame:
    """FEATURES of every row of a checked panel, its index kept; NaN where nothing is known yet."""
    cell, of_cell = panel.groupby(list(CELL), sort=False), [panel[name] for name in CELL]
    units, price = panel[_C.units].astype(np.float64), panel[_C.planned_price]
    before = cell[_C.planned_price].shift(1)
    usual = before.groupby(of_cell, sort=False).transform(
        lambda past: past.rolling(_USUAL_WEEKS, min_periods=1).median()
    )
    cheap = _log(price / usual)
    made = {
        "log_price": _log(price),
        "price_to_usual": cheap,
        "price_to_last": _log(price / before),
        "price_to_category": cheap - _others(cheap, panel),
        "displayed": panel[_C.displayed].astype(np.float64),
        "mailed": panel[_C.mailed].astype(np.float64),
        "displayed_last": cell[_C.displayed].shift(1).astype(np.float64),
        "mailed_last": cell[_C.mailed].shift(1).astype(np.float64),
        "weeks_known": cell.cumcount().astype(np.float64),
        "units_last": cell[_C.units].shift(1),
        "sold_share": _decayed((units > 0).astype(np.float64), of_cell, 8),
    }
    for weeks in _HALF_LIVES:
        made[f"units_half_{weeks}"] = _decayed(units, of_cell, weeks)
    chain = panel.groupby([_C.product_id, _C.week])[_C.units].mean()
    for weeks in _HALF_LIVES:
        made[f"chain_half_{weeks}"] = _joined(
            _decayed(chain, [chain.index.get_level_values(0)], weeks), panel
        )
    made["category_trend"] = _trend(panel, _C.category_id)
    made["store_trend"] = _trend(panel, _C.store_id)
    return pd.DataFrame(made, index=panel.index)[list(FEATURES)]


def _log(values: pd.Series) -> pd.Series:
    return pd.Series(np.log(values), values.index)


def _decayed(values: pd.Series, of: Sequence[pd.Index | pd.Series], half_life: float) -> pd.Series:
    """Per row the decayed mean of the rows before it; rows are ordered by week."""
    groups = values.groupby(list(of), sort=False)
    return groups.transform(lambda past: past.shift(1).ewm(halflife=half_life).mean())


def _others(values: pd.Series, panel: pd.DataFrame) -> pd.Series:
    """Per row the week's mean over the category's other products, NaN if there are none. What the product's
    other stores plan is left out: it is known from prices that this row's store took."""
    category = [panel[_C.category_id], panel[_C.week]]
    total, known = pd.Series(0.0, values.index), pd.Series(0, values.index)
    for keys, sign in ((category, 1), ([*category, panel[_C.product_id]], -1)):
        groups = values.groupby(keys, sort=False)
        total += sign * groups.transform("sum")
        known += sign * groups.transform("count")
    return total / known.where(known > 0)


def _joined(values: pd.Series, panel: pd.DataFrame) -> pd.Series:
    keys = pd.MultiIndex.from_frame(panel[list(values.index.names)])
    return pd.Series(values.reindex(keys).to_numpy(), panel.index)


def _trend(panel: pd.DataFrame, of: str) -> pd.Series:
    """How the last week of all that shares a value compares with what was usual, in logs."""
    weekly = panel.groupby([of, _C.week])[_C.units].mean()
    group = [weekly.index.get_level_values(0)]
    last = weekly.groupby(group).shift(1)
    return _joined(_log((last + 0.1) / (_decayed(weekly, group, 8) + 0.1)), panel)


def fit(rows: pd.DataFrame, units: pd.Series, parameters: Hyperparameters) -> xgb.Booster:
    """Fit the trees on rows of `features`."""
    settings = {
        "objective": "reg:tweedie",
        "tweedie_variance_power": parameters.variance_power,
        "tree_method": "hist",
        "eta": parameters.learning_rate,
        "max_depth": parameters.max_depth,
        "min_child_weight": parameters.min_child_weight,
        "subsample": parameters.subsample,
        "colsample_bytree": parameters.colsample,
        "lambda": parameters.reg_lambda,
        "seed": parameters.seed,
        "nthread": parameters.threads,
    }
    data = xgb.QuantileDMatrix(
        matrix(rows), units.to_numpy(np.float32), feature_names=list(FEATURES), nthread=parameters.threads
    )
    booster = xgb.train(settings, data, parameters.rounds)
    single_threaded(booster)
    return booster


def matrix(rows: pd.DataFrame) -> Floats32:
    """Rows x FEATURES."""
    return np.ascontiguousarray(rows[list(FEATURES)].to_numpy(np.float32))
