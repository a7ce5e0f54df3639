"""Scores of any of the models in SageMaker's XGBoost container, whose toolkit calls these four functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercato_models.artefact import Model, load
from mercato_models.rows import CSV, answered, decode, encode, fitting


def model_fn(model_dir: str) -> Model:
    """The model of a folder."""
    return load(Path(model_dir))


def input_fn(body: bytes | str, content_type: str) -> NDArray[np.float32]:
    """Feature rows of a request; the toolkit has decoded what is text."""
    return decode(
        body.encode() if isinstance(body, str) else body, content_type.split(";")[0].strip().lower()
    )


def predict_fn(rows: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """A score per row."""
    return model.score(fitting(rows, len(model.features)))


def output_fn(scores: NDArray[np.float32], accept: str) -> tuple[bytes, str]:
    """Scores in the kind that was asked for, CSV by default."""
    kind = answered(accept, CSV)
    return encode(scores, kind), kind
