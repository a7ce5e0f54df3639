"""Feature rows and scores as they travel: CSV, NumPy's own format, JSON."""

from __future__ import annotations

import io
import json

import numpy as np
from numpy.typing import NDArray

from mercato.errors import MercatoError

CSV, NPY, JSON = "text/csv", "application/x-npy", "application/json"
#: JSON in which the reasons stand beside each score.
EXPLAINED = "application/vnd.mercato.explained+json"


class RowsError(MercatoError):
    """A body holds no rows of numbers, or rows of another model."""


def decode(body: bytes, kind: str) -> NDArray[np.float32]:
    """The rows of a body; an empty CSV cell and JSON's null are unknown, NaN.

    Raises:
        RowsError: they cannot be read.
    """
    try:
        return _DECODERS[kind](body)
    except (ValueError, TypeError, KeyError, EOFError) as error:
        raise RowsError(f"the body is not {kind} of numbers: {error}") from error


def fitting(rows: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Rows as a model of that many columns takes them.

    Raises:
        RowsError: they have another shape.
    """
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise RowsError(f"the model takes rows of {columns} columns, the request has shape {rows.shape}")
    return np.ascontiguousarray(rows, dtype=np.float32)


def encode(scores: NDArray[np.float32], kind: str) -> bytes:
    """Scores as a body."""
    if kind == NPY:
        buffer = io.BytesIO()
        np.save(buffer, scores)
        return buffer.getvalue()
    if kind == CSV:
        return "".join(f"{value}\n" for value in scores).encode()
    return json.dumps({"predictions": [{"score": value} for value in scores.tolist()]}).encode()


def answered(accept: str, default: str) -> str:
    """The first kind known here that an Accept header names, whatever weights it gives them."""
    named = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((kind for kind in named if kind in (NPY, CSV, JSON, EXPLAINED)), default)


def _from_npy(body: bytes) -> NDArray[np.float32]:
    rows = np.load(io.BytesIO(body), allow_pickle=False)
    if not np.issubdtype(rows.dtype, np.number):
        raise ValueError(f"its type is {rows.dtype}")
    return np.asarray(rows, dtype=np.float32)


def _from_csv(body: bytes) -> NDArray[np.float32]:
    lines = body.decode().strip("\r\n").splitlines()
    cells = [[float(cell) if cell.strip() else np.nan for cell in line.split(",")] for line in lines]
    return np.array(cells, dtype=np.float32)


def _from_json(body: bytes) -> NDArray[np.float32]:
    return np.array(json.loads(body)["instances"], dtype=np.float32)


_DECODERS = {NPY: _from_npy, CSV: _from_csv, JSON: _from_json}
