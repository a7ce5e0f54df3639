"""Runs and model versions in MLflow."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato.errors import MercatoError
from mercato_models.artifact import Model, save
from mercato_models.card import Card

CHAMPION = "champion"
#: Version of a model that no registry knows.
UNREGISTERED = "unregistered"
_URI = "MLFLOW_TRACKING_URI"
#: Tries of the first request; MLflow's own seven take minutes.
_FIRST_TRIES = 2


class TrackingError(MercatoError):
    """MLflow does not take runs."""


def check() -> None:
    """See, before hours of work, that MLflow would take the result; nothing without MLFLOW_TRACKING_URI.

    Raises:
        TrackingError: it does not answer.
    """
    if not os.environ.get(_URI):
        return
    import mlflow
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES as TRIES

    before = TRIES.get_raw()
    TRIES.set(_FIRST_TRIES)
    try:
        with _answering():
            mlflow.MlflowClient().search_experiments(max_results=1)
    finally:
        TRIES.unset() if before is None else TRIES.set(before)


@contextmanager
def _answering() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise TrackingError(
            f"MLflow at {os.environ[_URI]} does not take runs: {error}. See to it, then train again."
        ) from error


def register(
    run: Card, model: Model, example: NDArray[np.float32], documents: Mapping[str, Any] | None = None
) -> str:
    """Log a run with its model and card; register the model as the champion if it passes its gate.

    Args:
        example: a few feature rows, from which the signature follows.
        documents: further files by name, as JSON.

    Returns:
        The version in the registry; UNREGISTERED if the gate refuses it, and without MLFLOW_TRACKING_URI.

    Raises:
        TrackingError: MLflow did not take it.
    """
    if not os.environ.get(_URI):
        return UNREGISTERED
    with _answering():
        return _log(run, model, example, documents or {})


def _log(run: Card, model: Model, example: NDArray[np.float32], documents: Mapping[str, Any]) -> str:
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
        for file, content in (run.documents() | dict(documents)).items():
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
