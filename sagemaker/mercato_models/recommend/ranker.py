"""The ranker: an XGBoost model of whether a candidate is in the basket to come."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from mercato_models.artefact import single_threaded
from mercato_models.recommend.dataset import TrainingSet
from mercato_models.recommend.features import FEATURES


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a fit; found on second-last baskets, never on the test."""

    rounds: int = 400
    learning_rate: float = 0.05
    max_depth: int = 7
    min_child_weight: float = 10.0
    subsample: float = 0.8
    colsample: float = 0.5
    reg_lambda: float = 5.0
    max_bin: int = 128
    negatives: int = 60
    seed: int = 0
    threads: int = 0

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def fit(data: TrainingSet, given: Hyperparameters) -> xgb.Booster:
    """Fit a classifier on weighted rows.

    Raises:
        ValueError: all labels are the same.
    """
    if data.labels.min() == data.labels.max():
        raise ValueError(
            f"every one of the {len(data.labels)} labels is {data.labels[0]:g}: nothing to learn"
        )
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "grow_policy": "depthwise",
        "eta": given.learning_rate,
        "max_depth": given.max_depth,
        "min_child_weight": given.min_child_weight,
        "subsample": given.subsample,
        "colsample_bytree": given.colsample,
        "lambda": given.reg_lambda,
        "max_bin": given.max_bin,
        "seed": given.seed,
        "nthread": given.threads,
    }
    matrix = xgb.QuantileDMatrix(
        data.features,
        data.labels,
        weight=data.weights,
        feature_names=list(FEATURES),
        max_bin=given.max_bin,
        nthread=given.threads or None,
    )
    booster = xgb.train(settings, matrix, given.rounds)
    single_threaded(booster)
    return booster


def score(booster: xgb.Booster, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """One score per row of `features` (rows x FEATURES), between 0 and 1; only their order matters."""
    scores: NDArray[np.float32] = booster.inplace_predict(features, validate_features=False)
    return scores
