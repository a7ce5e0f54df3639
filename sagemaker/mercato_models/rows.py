"""Feature rows and scores as they travel: CSV, NumPy's own format, JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercato.errors import MercatoError

CSV, NPY, JSON = "text/csv", "application/x-npy", "application/json"
#: JSON in which the reasons stand beside each score.
EXPLAINED = "application/vnd.mercato.explained+json"

#: Readers of the headers of NPY's versions; the third is for names that no number has.
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
#: Kinds of NumPy's types: integers and floating point.
_REAL = "iuf"


class RowsError(MercatoError):
    """A body holds no rows of numbers, or rows of another model."""


def decode(body: bytes, kind: str) -> NDArray[np.float32]:
    """The rows of a body; an empty CSV cell and JSON's null are unknown, NaN.

    Raises:
        RowsError: they cannot be read.
    """
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, which `fitting` refuses
            return _DECODERS[kind](body)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise RowsError(f"the body is not {kind} of numbers: {error}") from error


def fitting(rows: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Rows as a model of that many columns takes them.

    Raises:
        RowsError: they have another shape, or a number is infinite.
    """
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise RowsError(f"the model takes rows of {columns} columns, the request has shape {rows.shape}")
    if np.isinf(rows).any():  # XGBoost would score it, but not explain it
        raise RowsError("a number of the request is infinite, or too large for a model")
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
    # Not `np.load`, which takes other formats, too, and makes room for whatever a header claims.
    file = io.BytesIO(body)
    shape, by_column, stored = _header(file)
    if stored.kind not in _REAL:
        raise ValueError(f"its type is {stored}")
    values = np.frombuffer(body, stored, offset=file.tell())
    return values.reshape(shape, order="F" if by_column else "C").astype(np.float32)


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        return _HEADERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # Python's own parser reads it, and fails in as many ways as there are
        raise ValueError(f"its header cannot be read: {error!r}") from error


def _from_csv(body: bytes) -> NDArray[np.float32]:
    lines = body.decode().strip("\r\n").splitlines()
    cells = [[float(cell) if cell.strip() else np.nan for cell in line.split(",")] for line in lines]
    return np.array(cells, dtype=np.float32)


def _from_json(body: bytes) -> NDArray[np.float32]:
    return np.array(json.loads(body)["instances"], dtype=np.float32)


_DECODERS = {NPY: _from_npy, CSV: _from_csv, JSON: _from_json}
