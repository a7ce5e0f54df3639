"""The churn model: regularised trees taught by a regression, calibrated on dates they did not learn from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xgboost as xgb

from mercato_models import calibration
from mercato_models.artifact import Model, single_threaded
from mercato_models.churn.days import HORIZON_DAYS
from mercato_models.churn.distillation import soften
from mercato_models.churn.features import AS_OF, LABEL
from mercato_models.tracking import UNREGISTERED

#: Dates at the end of the training rows on whose scores the calibration is fitted, days.
_CALIBRATION_DAYS = 56


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a fit; found on as-of days 168 to 252, whose labels end by the first test day.

    Attributes:
        taught: share of the teacher's probability in what the trees learn from, the label being the rest.
    """

    rounds: int = 240
    learning_rate: float = 0.05
    max_depth: int = 4
    min_child_weight: float = 20.0
    subsample: float = 0.5
    colsample: float = 0.3
    reg_lambda: float = 10.0
    max_bin: int = 128
    trees: int = 1
    taught: float = 0.5
    first_day: int = 84
    step_days: int = 7
    seed: int = 0
    threads: int = 1

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def known_at(rows: pd.DataFrame, as_of: float) -> pd.DataFrame:
    """Rows whose label window ended by a day."""
    return rows[rows[AS_OF] + HORIZON_DAYS <= as_of]


def train(rows: pd.DataFrame, features: tuple[str, ...], parameters: Hyperparameters) -> Model:
    """Fit and calibrate; the calibration comes from a fit on the rows known before the newest ones.

    Args:
        rows: features, LABEL and AS_OF; `known_at` has cut them.
    """
    split = rows[AS_OF].max() - _CALIBRATION_DAYS
    earlier, later = known_at(rows, split), rows[rows[AS_OF] > split]
    calibrated = None
    if earlier[LABEL].nunique() == 2:
        held_out = fit(earlier, features, parameters)
        scores = held_out.inplace_predict(_matrix(later, features), validate_features=False)
        calibrated = calibration.fit(scores, later[LABEL].to_numpy())
    return Model(fit(rows, features, parameters), features, UNREGISTERED, calibrated)


def fit(rows: pd.DataFrame, features: tuple[str, ...], parameters: Hyperparameters) -> xgb.Booster:
    """Fit the trees to softened labels."""
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "eta": parameters.learning_rate,
        "max_depth": parameters.max_depth,
        "min_child_weight": parameters.min_child_weight,
        "subsample": parameters.subsample,
        "colsample_bynode": parameters.colsample,
        "lambda": parameters.reg_lambda,
        "num_parallel_tree": parameters.trees,
        "max_bin": parameters.max_bin,
        "seed": parameters.seed,
        "nthread": parameters.threads,
    }
    known = _matrix(rows, features)
    matrix = xgb.QuantileDMatrix(
        known,
        soften(known, rows[LABEL].to_numpy(np.float32), parameters.taught, parameters.seed),
        feature_names=list(features),
        max_bin=parameters.max_bin,
        nthread=parameters.threads,
    )
    booster = xgb.train(settings, matrix, parameters.rounds)
    single_threaded(booster)
    return booster


def scores(model: Model, rows: pd.DataFrame) -> np.ndarray:
    """Probability to churn per row."""
    return model.score(_matrix(rows, model.features))


def _matrix(rows: pd.DataFrame, features: tuple[str, ...]) -> np.ndarray:
    return np.ascontiguousarray(rows[list(features)].to_numpy(np.float32))
