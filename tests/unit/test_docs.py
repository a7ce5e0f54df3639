"""What pages have a reader run in Python names packages that are there."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_PROGRAM = re.compile(r"<<'PY'\n(.*?)\nPY\n", re.DOTALL)
PROGRAMS = {
    f"{path.relative_to(DOCS)}-{number}": program
    for path in sorted(DOCS.rglob("*.md"))
    for number, program in enumerate(_PROGRAM.findall(path.read_text()))
}


@pytest.mark.parametrize("place", PROGRAMS)
def test_a_program_imports_what_is_installed(place: str) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(PROGRAMS[place]))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert [name for name in sorted(imported) if importlib.util.find_spec(name) is None] == []


def test_pages_have_programs() -> None:
    assert any(place.startswith("how-to/use-your-own-data") for place in PROGRAMS)
