"""Runs and model versions in MLflow."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from mercato_models.recommend.evaluation import Evaluation
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.ranker import Hyperparameters, score

NAME = "recommend"
CHAMPION = "champion"
#: Version of a model that no registry knows.
UNREGISTERED = "unregistered"


def register(
    booster: xgb.Booster,
    example: NDArray[np.float32],
    parameters: Hyperparameters,
    judged: Evaluation,
    data_versions: Mapping[str, int],
    extra: Mapping[str, float],
) -> str:
    """Log a run and register its model; the champion's alias moves only to one that passes the gate.

    Args:
        example: a few feature rows, from which the signature follows.
        data_versions: Delta version by table.
        extra: further metrics.

    Returns:
        The version in the registry, UNREGISTERED without MLFLOW_TRACKING_URI.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return UNREGISTERED
    import mlflow
    from mlflow.models import infer_signature

    # Its news is what the calls below ask for.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    rows = pd.DataFrame(example, columns=list(FEATURES))
    mlflow.set_experiment(NAME)
    with mlflow.start_run():
        mlflow.log_params(parameters.as_dict())
        mlflow.log_metrics(judged.metrics | dict(extra))
        mlflow.log_dict({"tables": dict(data_versions)}, "data_versions.json")
        mlflow.set_tags({f"delta.{table}": version for table, version in data_versions.items()})
        logged = mlflow.xgboost.log_model(
            booster,
            name="model",
            signature=infer_signature(rows, score(booster, example)),
            input_example=rows,
            model_format="ubj",
            registered_model_name=NAME,
        )
    version = str(logged.registered_model_version)
    if judged.passes:
        mlflow.MlflowClient().set_registered_model_alias(NAME, CHAMPION, version)
    return version
