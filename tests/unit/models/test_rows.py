"""In which kind scores are answered."""

from __future__ import annotations

import pytest

from mercato_models.rows import CSV, EXPLAINED, JSON, NPY, answered


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
