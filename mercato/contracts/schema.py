"""Derive what a contract says without Arrow: column names and JSON Schema of one msgspec Struct.

A contract is a Struct, so that a field is named in exactly one place. `mercato.contracts.arrow`
derives its table types; it is apart because a function that only checks events should not have to
ship Arrow's 150 MB.
"""

from __future__ import annotations

from typing import Any

import msgspec

Int32 = msgspec.Meta(extra={"arrow": "int32"})
Float32 = msgspec.Meta(extra={"arrow": "float32"})


class Columns:
    """Column names of a contract as attributes: `c.household_id == "household_id"`.

    Raises:
        AttributeError: the contract has no such field.
    """

    __slots__ = ("_names", "_owner")

    def __init__(self, owner: str, names: tuple[str, ...]) -> None:
        self._owner = owner
        self._names = names

    def __getattr__(self, name: str) -> str:
        # Pickle asks for `__setstate__` before there are any names.
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._names:
            return name
        raise AttributeError(f"{self._owner} has no column {name!r}; it has {list(self._names)}")

    def __iter__(self) -> Any:
        return iter(self._names)

    def __dir__(self) -> list[str]:
        return list(self._names)


def json_schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a Struct, self-contained."""
    (schema,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": components}
