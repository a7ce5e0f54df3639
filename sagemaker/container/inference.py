"""Scores of any of the models in SageMaker's XGBoost container, whose toolkit calls these four functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercato_models.rows import CSV, answered, decode
from mercato_models.servable import Servable, load


def model_fn(model_dir: str) -> Servable:
    """The model of a folder."""
    return load(Path(model_dir))


def input_fn(body: bytes | str, content_type: str) -> NDArray[np.float32]:
    """Rows of a request; the toolkit has decoded what is text."""
    return decode(
        body.encode() if isinstance(body, str) else body, content_type.split(";")[0].strip().lower()
    )


def predict_fn(rows: NDArray[np.float32], served: Servable) -> tuple[Servable, NDArray[np.float32]]:
    """The model's rows; they are scored where it is known what is accepted."""
    return served, served.rows(rows)


def output_fn(predicted: tuple[Servable, NDArray[np.float32]], accept: str) -> tuple[bytes, str]:
    """Scores in the kind that was asked for, CSV by default."""
    (served, rows), kind = predicted, answered(accept, CSV)
    return served.answer(rows, kind), kind
