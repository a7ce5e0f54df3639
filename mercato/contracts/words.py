"""What a JSON Schema says, in the words of a reference page's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

#: From here on a bound is easier to read as a power of two.
_LARGE = 2**31 - 1


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Lines of a Markdown table, with an empty one after it."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        cells = " | ".join(cell.replace("|", r"\|") for cell in row)
        yield f"| {cells} |"
    yield ""


def code(text: object) -> str:
    """Text to be read letter by letter."""
    return f"`{text}`"


@dataclass(frozen=True)
class Words:
    """Words for schemas that refer to definitions.

    Attributes:
        definitions: schemas by the names that a `$ref` ends with.
        linked: whether an object's name links to a section of that name.
    """

    definitions: Mapping[str, Schema]
    linked: bool = False

    def kind(self, schema: Schema) -> str:
        """The JSON type, e.g. `array of integer`."""
        if options := schema.get("anyOf", schema.get("oneOf")):
            return " or ".join(dict.fromkeys(map(self.kind, options)))
        if name := self.named(schema):
            return f"[{name}](#{name.lower()})" if self.linked else "object"
        schema = self._resolved(schema)
        if schema.get("type") == "array":
            return f"array of {self.kind(schema['items'])}"
        if schema.get("format") == "date-time":
            return "date-time"
        if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {self.kind(schema['additionalProperties'])} by name"
        return str(schema.get("type", "string" if "enum" in schema else "any"))

    def allowed(self, schema: Schema) -> str:
        """Values, bounds and lengths; empty where every value of the type is allowed."""
        if options := schema.get("anyOf", schema.get("oneOf")):
            return "; ".join(filter(None, dict.fromkeys(map(self.allowed, options))))
        schema = self._resolved(schema)
        if values := schema.get("enum"):
            return ", ".join(map(code, values))
        if schema.get("type") == "array":
            each = self.allowed(schema["items"])
            parts = [
                _span(schema.get("minItems"), schema.get("maxItems"), "item"),
                f"each {each}" if each else "",
            ]
        else:
            parts = [
                _span(schema.get("minLength"), schema.get("maxLength"), "character"),
                _range(schema),
                f"matches {code(schema['pattern'])}" if "pattern" in schema else "",
            ]
        return ", ".join(filter(None, parts))

    def named(self, schema: Schema) -> str | None:
        """Name of the object with fields that the schema refers to, if it does."""
        name: str = schema.get("$ref", "").rpartition("/")[2]
        return name if name and "properties" in self.definitions[name] else None

    def _resolved(self, schema: Schema) -> Schema:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.definitions[name] if name else schema


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if schema.get("type") == "integer":
        low = above + 1 if above is not None else low
        high = below - 1 if below is not None else high
        return _span(low, high)
    over = "" if above is None else f"above {_number(above)}"
    under = "" if below is None else f"below {_number(below)}"
    return ", ".join(filter(None, (over, _span(low, high), under)))


def _span(low: int | None, high: int | None, unit: str = "") -> str:
    if low is None and high is None:
        return ""
    if high is None:
        said = f"at least {_number(low)}"
    elif low is None:
        said = f"at most {_number(high)}"
    else:
        said = f"{_number(low)} to {_number(high)}"
    if not unit:
        return said
    return f"{said} {unit}" if (low if high is None else high) == 1 else f"{said} {unit}s"


def _number(value: Any) -> str:
    value = int(value) if value == int(value) else value
    if isinstance(value, int) and value >= _LARGE and value & (value + 1) == 0:
        return f"2^{value.bit_length()} - 1"
    return f"{value:,}"
