"""A model as MLflow loads it (`mlflow.pyfunc.load_model`): it scores as the scorer of its folder does."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models import artifact

#: Name of the model folder among what MLflow keeps.
FOLDER = "folder"


class PyfuncModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Scores by a model folder, calibration included."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Read the folder."""
        self._model = artifact.load(Path(context.artifacts[FOLDER]))

    def predict(
        self,
        context: mlflow.pyfunc.PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, object] | None = None,
    ) -> NDArray[np.float32]:
        """One score per row; columns are the model's features."""
        return self._model.score(model_input[list(self._model.features)].to_numpy(np.float32))


def requirements() -> list[str]:
    """What scoring needs beside this repo, as installed; MLflow would load the model to find that out."""
    return [f"{name}=={version(name)}" for name in ("xgboost", "numpy", "pandas")]
