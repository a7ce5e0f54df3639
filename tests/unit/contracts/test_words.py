"""A schema's bounds, in words."""

from __future__ import annotations

from typing import Any

import pytest

from mercato.contracts.words import Words, table

WORDS = Words(
    {"Line": {"type": "object", "properties": {}}, "Colour": {"type": "string", "enum": ["red", "blue"]}},
    linked=True,
)
LINE, COLOUR = {"$ref": "#/$defs/Line"}, {"$ref": "#/components/schemas/Colour"}
NOTHING = {"type": "null"}


@pytest.mark.parametrize(
    ("schema", "kind", "allowed"),
    [
        ({"type": "integer", "minimum": 1, "exclusiveMaximum": 2**53}, "integer", "1 to 2^53 - 1"),
        ({"type": "integer", "exclusiveMinimum": 0}, "integer", "at least 1"),
        ({"type": "integer", "maximum": 9_900}, "integer", "at most 9,900"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}, "number", "above 0, at most 100,000"),
        ({"type": "number", "minimum": -90, "exclusiveMaximum": 0.5}, "number", "at least -90, below 0.5"),
        ({"type": "string", "maxLength": 1, "pattern": "^a"}, "string", "at most 1 character, matches `^a`"),
        ({"type": "string", "format": "date-time"}, "date-time", ""),
        ({"enum": ["a", "b"]}, "string", "`a`, `b`"),
        ({"type": "array", "items": {"type": "number", "minimum": 0}}, "array of number", "each at least 0"),
        ({"type": "array", "minItems": 1, "items": LINE}, "array of [Line](#line)", "at least 1 item"),
        (COLOUR, "string", "`red`, `blue`"),
        ({"anyOf": [{"type": "string", "minLength": 1}, NOTHING]}, "string or null", "at least 1 character"),
        ({"anyOf": [LINE, NOTHING]}, "[Line](#line) or null", ""),
        ({"type": "object", "additionalProperties": LINE}, "object of [Line](#line) by name", ""),
        ({}, "any", ""),
    ],
)  # fmt: skip
def test_types_and_bounds(schema: dict[str, Any], kind: str, allowed: str) -> None:
    assert (WORDS.kind(schema), WORDS.allowed(schema)) == (kind, allowed)


def test_a_cell_cannot_end_early() -> None:
    assert list(table(["A", "B"], [["x|y", "z"]])) == ["| A | B |", "|---|---|", r"| x\|y | z |", ""]
