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


def fit(features: Floats32, fraud: Mask, names: tuple[str, ...], given: Hyperparameters) -> xgb.Booster:
    """Fit a classifier whose scores are probabilities.

    Raises:
        ValueError: all labels are the same.
    """
    if fraud.all() or not fraud.any():
        raise ValueError(f"every one of the {len(fraud)} labels is {fraud[:1]}: nothing to learn")
    kept = fraud | (np.random.default_rng(given.seed).random(len(fraud)) < given.honest)
    matrix = xgb.QuantileDMatrix(
        features[kept],
        fraud[kept],
        weight=np.where(fraud[kept], 1, 1 / given.honest),
        feature_names=list(names),
        nthread=given.threads or None,
    )
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "eta": given.learning_rate,
        "max_depth": given.max_depth,
        "min_child_weight": given.min_child_weight,
        "subsample": given.subsample,
        "colsample_bytree": given.colsample,
        "seed": given.seed,
        "nthread": given.threads,
    }
    return xgb.train(settings, matrix, given.rounds)


def score(booster: xgb.Booster, features: Floats32) -> Floats32:
    """Probability of fraud, one per row."""
    found: Floats32 = booster.inplace_predict(features, validate_features=False)
    return found
