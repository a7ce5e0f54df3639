"""The model: gradient-boosted trees over what the state says of a payment."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import xgboost as xgb

from mercato_models.arrays import Floats32, Mask


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a fit, found on the validation weeks.

    Attributes:
        honest: share of the honest payments that is learned from, each with the weight of those left out.
    """

    rounds: int = 300
    learning_rate: float = 0.05
    max_depth: int = 5
    min_child_weight: float = 5.0
    subsample: float = 0.8
    colsample: float = 0.5
    honest: float = 0.2
    seed: int = 0
    threads: int = 0

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def fit(features: Floats32, fraud: Mask, names: tuple[str, ...], parameters: Hyperparameters) -> xgb.Booster:
    """Fit a classifier; of its scores `probability` makes probabilities.

    Raises:
        ValueError: all labels are the same.
    """
    if fraud.all() or not fraud.any():
        raise ValueError(f"every one of the {len(fraud)} labels is {fraud[:1]}: nothing to learn")
    kept = fraud | (np.random.default_rng(parameters.seed).random(len(fraud)) < parameters.honest)
    matrix = xgb.QuantileDMatrix(
        features[kept],
        fraud[kept],
        weight=np.where(fraud[kept], 1, 1 / parameters.honest),
        feature_names=list(names),
        nthread=parameters.threads or None,
    )
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "eta": parameters.learning_rate,
        "max_depth": parameters.max_depth,
        "min_child_weight": parameters.min_child_weight,
        "subsample": parameters.subsample,
        "colsample_bytree": parameters.colsample,
        "seed": parameters.seed,
        "nthread": parameters.threads,
    }
    return xgb.train(settings, matrix, parameters.rounds)


def score(booster: xgb.Booster, features: Floats32) -> Floats32:
    """A score between 0 and 1 per row, the higher the more suspicious."""
    result: Floats32 = booster.inplace_predict(features, validate_features=False)
    return result
