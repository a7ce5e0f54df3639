"""Bodies of requests that hold no rows of finite numbers, each with its content type."""

from __future__ import annotations

import io

import numpy as np

from mercato_models.rows import CSV, JSON, NPY


def npy(rows: np.ndarray) -> bytes:
    """Rows in NumPy's own format."""
    body = io.BytesIO()
    np.save(body, rows)
    return body.getvalue()


def _headed(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 8


def _npz() -> bytes:
    body = io.BytesIO()
    np.savez(body, np.zeros((1, 2), np.float32))
    return body.getvalue()


def _claiming(shape: str) -> bytes:
    return _headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n")


#: By what is wrong with them.
REFUSED: dict[str, tuple[bytes, str]] = {
    "an integer of 401 digits": (b'{"instances": [[1%s, 0]]}' % (b"0" * 400), JSON),
    "JSON nested deeply": (b"[" * 100_000, JSON),
    "an infinite number in JSON": (b'{"instances": [[Infinity, 0]]}', JSON),
    "a number too large in JSON": (b'{"instances": [[1e39, 0]]}', JSON),
    "a number too large in CSV": (b"1e400,0", CSV),
    "infinity in CSV": (b"-inf,0", CSV),
    "infinity in NPY": (npy(np.array([[np.inf, 0]])), NPY),
    "a number too large in NPY": (npy(np.array([[1e39, 0]])), NPY),
    "complex numbers": (npy(np.array([[1 + 2j, 0]])), NPY),
    "an archive of arrays": (_npz(), NPY),
    "a header that claims 3.6 PiB": (_claiming("(500_000_000_000_000, 2)"), NPY),
    "a header that claims no end": (_claiming(f"({10**30}, 2)"), NPY),
    "a header that claims too little": (_claiming("(1, 1)"), NPY),
    "half a header": (_headed("{"), NPY),
    "a header nested deeply": (_headed("-" * 9_000 + "1"), NPY),
}
