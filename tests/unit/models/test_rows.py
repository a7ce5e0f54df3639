"""Which rows are taken, and in which kind scores are answered."""

from __future__ import annotations

import numpy as np
import pytest

from mercato_models.rows import CSV, EXPLAINED, JSON, NPY, RowsError, answered, decode, fitting
from tests.bodies import REFUSED, npy

ROWS = np.array([[1, 2, np.nan], [4, 5, 6]])


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json, text/csv", JSON),
        ("text/csv, application/json", CSV),
        ("application/vnd.mercato.explained+json, application/json;q=0.5", EXPLAINED),
        ("text/html, Application/X-NPY ; q=1", NPY),
        ("*/*", CSV),
        ("application/jsonlines", CSV),
        ("", CSV),
    ],
)
def test_the_first_known_kind_of_the_header_is_answered(accept: str, kind: str) -> None:
    assert answered(accept, CSV) == kind


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_rows_of_finite_numbers_is_refused(what: str) -> None:
    with pytest.raises(RowsError):
        fitting(decode(*REFUSED[what]), 2)


@pytest.mark.parametrize(
    "rows",
    [ROWS, ROWS[:0], ROWS.astype("<f2"), ROWS.astype(">f8"), np.asfortranarray(ROWS), ROWS[1:].astype(int)],
)
def test_rows_of_any_real_type_and_order_are_taken(rows: np.ndarray) -> None:
    assert np.array_equal(decode(npy(rows), NPY), rows.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize(
    ("body", "kind"), [(b"1,2,\n4,5,6\n", CSV), (b'{"instances": [[1, 2, null], [4, 5, 6]]}', JSON)]
)
def test_what_is_unknown_is_taken(body: bytes, kind: str) -> None:
    assert np.array_equal(fitting(decode(body, kind), 3), ROWS.astype(np.float32), equal_nan=True)
