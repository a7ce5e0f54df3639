"""An event's JSON Schema in the draft that Glue's schema registry reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The newest that the registry takes; contracts are written in 2020-12.
DRAFT = "http://json-schema.org/draft-07/schema#"
_REF, _DEFINITIONS = "$ref", "definitions"
_FROM, _TO = "#/$defs/", f"#/{_DEFINITIONS}/"


def draft_07(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema in draft-07: what one of them accepts, so does the other.

    Draft-07 ignores whatever stands beside a `$ref`, so the root is written out where it is referred to, and
    beside other references the rest is kept by `allOf`.

    Args:
        schema: of 2020-12, with keywords that both drafts have; its root may be a `$ref` to one of its
            `$defs`.
    """
    definitions = dict(schema.get("$defs", {}))
    root = {key: value for key, value in schema.items() if key not in {"$schema", "$defs"}}
    if set(root) == {_REF}:
        name = root[_REF].removeprefix(_FROM)
        root = definitions[name]
        if not _refers(definitions, name):
            del definitions[name]
    converted = {name: _converted(each) for name, each in definitions.items()}
    return {"$schema": DRAFT, **_converted(root), **({_DEFINITIONS: converted} if converted else {})}


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [_converted(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    converted = {key: _converted(each) for key, each in value.items()}
    reference = converted.get(_REF)
    if not isinstance(reference, str):
        return converted
    rest = {key: each for key, each in converted.items() if key != _REF}
    moved = {_REF: reference.replace(_FROM, _TO)}
    return {**rest, "allOf": [moved, *rest.get("allOf", [])]} if rest else moved


def _refers(value: Any, name: str) -> bool:
    """Whether anything refers to a definition."""
    if isinstance(value, Mapping):
        return value.get(_REF) == f"{_FROM}{name}" or any(_refers(each, name) for each in value.values())
    return isinstance(value, list) and any(_refers(each, name) for each in value)
