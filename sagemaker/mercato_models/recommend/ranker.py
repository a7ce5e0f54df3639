"""The ranker: an XGBoost model of which candidates are in the basket to come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from mercato_models.recommend.dataset import TrainingSet
from mercato_models.recommend.features import FEATURES


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a fit; found on second-last baskets, never on the test.

    Attributes:
        rounds: trees of each kind (`fit`).
        pairs: candidates of each list, best first, that are compared with the others.
    """

    rounds: int = 150
    learning_rate: float = 0.12
    max_depth: int = 7
    min_child_weight: float = 10.0
    subsample: float = 0.8
    colsample: float = 0.5
    reg_lambda: float = 5.0
    max_bin: int = 128
    pairs: int = 20
    negatives: int = 30
    seed: int = 0
    threads: int = 0

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def fit(data: TrainingSet, parameters: Hyperparameters) -> xgb.Booster:
    """Fit trees that tell whether a candidate is bought, and trees that put bought ones first (LambdaRank).

    Together they are right where either kind alone is not.

    Raises:
        ValueError: all labels are the same.
    """
    if data.labels.min() == data.labels.max():
        raise ValueError(
            f"every one of the {len(data.labels)} labels is {data.labels[0]:g}: nothing to learn"
        )
    settings = {
        "tree_method": "hist",
        "grow_policy": "depthwise",
        "eta": parameters.learning_rate,
        "max_depth": parameters.max_depth,
        "min_child_weight": parameters.min_child_weight,
        "subsample": parameters.subsample,
        "colsample_bytree": parameters.colsample,
        "lambda": parameters.reg_lambda,
        "max_bin": parameters.max_bin,
        "seed": parameters.seed,
        "nthread": parameters.threads,
    }
    telling = {"objective": "binary:logistic"}
    ordering = {
        "objective": "rank:ndcg",
        "lambdarank_pair_method": "topk",
        "lambdarank_num_pair_per_sample": parameters.pairs,
    }
    of_each = np.diff(data.group, prepend=-1) != 0  # a list has one weight
    classifier = xgb.train(
        settings | telling, _matrix(data, parameters, weight=data.weights), parameters.rounds
    )
    matrix = _matrix(data, parameters, weight=data.weights[of_each], qid=data.group)
    return _joined(classifier, xgb.train(settings | ordering, matrix, parameters.rounds))


def _matrix(data: TrainingSet, parameters: Hyperparameters, **lists: NDArray[Any]) -> xgb.QuantileDMatrix:
    return xgb.QuantileDMatrix(
        data.features,
        data.labels,
        feature_names=list(FEATURES),
        max_bin=parameters.max_bin,
        nthread=parameters.threads or None,
        **lists,
    )


def _joined(first: xgb.Booster, second: xgb.Booster) -> xgb.Booster:
    """The trees of both, as one model of the first one's kind: up to a constant its margin is their sum."""
    whole, more = (json.loads(each.save_raw("json")) for each in (first, second))
    trees, added = (each["learner"]["gradient_booster"]["model"] for each in (whole, more))
    for tree in added["trees"]:
        trees["trees"].append(tree | {"id": len(trees["trees"])})
    trees["tree_info"] += added["tree_info"]
    trees["iteration_indptr"] = list(range(len(trees["trees"]) + 1))
    trees["gbtree_model_param"]["num_trees"] = str(len(trees["trees"]))
    return xgb.Booster(model_file=bytearray(json.dumps(whole).encode()))


def score(booster: xgb.Booster, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """One score per row of `features` (rows x FEATURES), between 0 and 1; only their order matters."""
    scores: NDArray[np.float32] = booster.inplace_predict(features, validate_features=False)
    return scores
