"""Why a row scored as it did: SHAP values of the trees, as XGBoost computes them itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from mercato_models.artifact import Model

#: So many rows tell what drives a model; SHAP values of a hundred thousand would take minutes.
EXPLAINED = 2_000


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature that raised a row's score.

    Attributes:
        value: of the feature, NaN if unknown.
        contribution: to the log-odds before calibration.
    """

    feature: str
    value: float
    contribution: float


def contributions(model: Model, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """SHAP values (rows x features); with the bias, which is left out, a row's sum is its margin."""
    matrix = xgb.DMatrix(rows, feature_names=list(model.features), nthread=1)
    # A model may have been fitted without names; the columns' number was checked when it was read.
    values: NDArray[np.float32] = model.booster.predict(matrix, pred_contribs=True, validate_features=False)
    return values[:, :-1]


def reasons(model: Model, rows: NDArray[np.float32], k: int = 3) -> list[list[Reason]]:
    """Per row the k features that raised its score most, strongest first; fewer if fewer raised it."""
    result = []
    for row, values in zip(rows, contributions(model, rows), strict=True):
        strongest = np.argsort(-values, kind="stable")[:k]
        result.append(
            [
                Reason(model.features[column], float(row[column]), float(values[column]))
                for column in strongest
                if values[column] > 0
            ]
        )
    return result


def drivers(model: Model, rows: NDArray[np.float32]) -> dict[str, float]:
    """Mean |SHAP value| by feature, largest first: of EXPLAINED rows, drawn at random if there are more."""
    if len(rows) > EXPLAINED:
        rows = rows[np.random.default_rng(0).choice(len(rows), EXPLAINED, replace=False)]
    means = np.abs(contributions(model, rows)).mean(axis=0)
    return {model.features[column]: float(means[column]) for column in np.argsort(-means, kind="stable")}
