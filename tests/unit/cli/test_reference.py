"""The page of commands says what the program says."""

from __future__ import annotations

from pathlib import Path

from mercato.cli.reference import render

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"
