"""The page of topics and tables says what the contracts say."""

from __future__ import annotations

from pathlib import Path

from mercato.contracts.reference import render

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "contracts.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"
