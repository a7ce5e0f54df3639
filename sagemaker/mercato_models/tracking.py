"""Runs and model versions in MLflow."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models.artifact import Model, save
from mercato_models.card import Card

CHAMPION = "champion"
#: Version of a model that no registry knows.
UNREGISTERED = "unregistered"


def register(
    run: Card, model: Model, example: NDArray[np.float32], documents: Mapping[str, Any] | None = None
) -> str:
    """Log a run with its model and card; register the model as the champion if it passes its gate.

    Args:
        example: a few feature rows, from which the signature follows.
        documents: further files by name, as JSON.

    Returns:
        The version in the registry; UNREGISTERED if the gate refuses it, and without MLFLOW_TRACKING_URI.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return UNREGISTERED
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.models import infer_signature

    from mercato_models.mlflow_model import FOLDER, PyfuncModel, requirements

    # Its news is what the calls below ask for.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    rows = pd.DataFrame(example, columns=list(model.features))
    mlflow.set_experiment(run.name)
    with mlflow.start_run(), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / run.name
        save(folder, model.booster, model.features, UNREGISTERED, model.calibration)
        mlflow.log_params(dict(run.parameters))
        mlflow.log_metrics(dict(run.metrics))
        mlflow.log_dict({"tables": dict(run.data_versions)}, "data_versions.json")
        mlflow.log_dict({"passes": run.verdict.passes, "reasons": list(run.verdict.reasons)}, "gate.json")
        mlflow.set_tags({f"delta.{table}": version for table, version in run.data_versions.items()})
        mlflow.set_tag("gate", "; ".join(run.verdict.reasons) or "passed")
        for file, content in (run.documents() | dict(documents or {})).items():
            (mlflow.log_text if isinstance(content, str) else mlflow.log_dict)(content, file)
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=PyfuncModel(),
            artifacts={FOLDER: str(folder)},
            signature=infer_signature(rows, model.score(example)),
            input_example=rows,
            pip_requirements=requirements(),
            registered_model_name=run.name if run.verdict.passes else None,
        )
    if not run.verdict.passes:
        return UNREGISTERED
    version = str(logged.registered_model_version)
    mlflow.MlflowClient().set_registered_model_alias(run.name, CHAMPION, version)
    return version
