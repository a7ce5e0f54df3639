"""Elasticities by the libraries that people use for it: EconML's and DoubleML's partially linear models.

Each product has a model of its own, as their users fit them: log units on log price, given the demand index,
displays, the season, the prices of the others of its category, and the store. Weeks without a sale have no
logarithm and are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from doubleml import DoubleMLData, DoubleMLPLR
from econml.dml import LinearDML
from lightgbm import LGBMRegressor
from sklearn.linear_model import LassoCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from mercato_models.arrays import Floats, Ints
from mercato_models.price.panel_arrays import PanelArrays

#: From outcome, treatment and controls to estimate, low, high.
Fit = Callable[[Floats, Floats, Floats], tuple[float, float, float]]
_FOLDS = 5


def trees() -> Any:
    """Gradient-boosted trees, small as a thousand rows ask for."""
    return LGBMRegressor(
        n_estimators=100, learning_rate=0.1, num_leaves=15, min_child_samples=20, n_jobs=1, verbose=-1, seed=0
    )


def lines() -> Any:
    """Lasso over squares and products of the controls, its penalty by cross-validation."""
    wide = PolynomialFeatures(2, include_bias=False)
    return make_pipeline(StandardScaler(), wide, StandardScaler(), LassoCV(cv=3, alphas=20, max_iter=5_000))


def _econml(learner: Callable[[], Any]) -> Fit:
    def fit(outcome: Floats, treatment: Floats, controls: Floats) -> tuple[float, float, float]:
        model = LinearDML(model_y=learner(), model_t=learner(), cv=_FOLDS, random_state=0)
        model.fit(outcome, treatment, X=None, W=controls)
        (low, high), effect = model.const_marginal_ate_interval(alpha=0.05), model.const_marginal_ate()
        return float(np.squeeze(effect)), float(np.squeeze(low)), float(np.squeeze(high))

    return fit


def _doubleml(learner: Callable[[], Any]) -> Fit:
    def fit(outcome: Floats, treatment: Floats, controls: Floats) -> tuple[float, float, float]:
        np.random.seed(0)
        data = DoubleMLData.from_arrays(controls, outcome, treatment)
        model = DoubleMLPLR(data, ml_l=learner(), ml_m=learner(), n_folds=_FOLDS)
        model.fit()
        low, high = model.confint(level=0.95).to_numpy()[0]
        return float(model.coef[0]), float(low), float(high)

    return fit


PEERS: Mapping[str, Fit] = {
    "econml_trees": _econml(trees),
    "econml_lines": _econml(lines),
    "doubleml_trees": _doubleml(trees),
    "doubleml_lines": _doubleml(lines),
}


def estimates(arrays: PanelArrays, fit: Fit) -> Floats:
    """Products x (estimate, low, high)."""
    beside = arrays.beside(arrays.log_price)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([_estimate(arrays, beside, rows, fit) for rows in arrays.rows_by_product])


def _estimate(arrays: PanelArrays, beside: Floats, rows: Ints, fit: Fit) -> tuple[float, float, float]:
    rows = rows[arrays.units[rows] > 0]
    stores = arrays.store[rows, None] == np.unique(arrays.store[rows])[1:]
    controls = np.column_stack([arrays.controls[rows], beside[rows], stores]).astype(np.float64)
    controls = controls[:, controls.std(axis=0) > 0]
    return fit(np.log(arrays.units[rows]), arrays.log_price[rows], controls)
