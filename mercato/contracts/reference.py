"""Write docs/reference/contracts.md from the contracts: `python -m mercato.contracts.reference FILE`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import msgspec
import pyarrow as pa

from mercato.contracts.arrow import arrow_fields, spark_type
from mercato.contracts.events import TOPICS, Event, Topic
from mercato.contracts.events.base import EARLIEST
from mercato.contracts.examples import EXAMPLES
from mercato.contracts.schema import json_schema
from mercato.contracts.tables import bronze, features, gold, outlook, proposals, silver
from mercato.contracts.tables.base import Table
from mercato.contracts.words import Schema, Words, code, table

_HEADER = """\
# Topics and tables

Generated from `mercato/contracts` by `make docs`; a test fails when it is out of date.

A shop sends events to [the API](api.md), which writes them to Kafka. The contracts below are checked twice:
by the API, which refuses what breaks one, and by the lake, which also reads what other programs wrote to
Kafka. The lake puts a refused record into [`quarantine.events`](#quarantineevents) and onto the topic's
quarantine topic, `TOPIC.quarantine`.

## Every event

An event is one JSON object in UTF-8.

- A field that is not required may be left out. `null` is only allowed where the type says so.
- A field that the contract does not name is refused, and so is a field of *Mercato only* from anybody else.
- A date-time is a string as in RFC 3339, with its UTC offset: `2026-06-01T16:00:00Z`.
- `POST /v1/events` fills in `event_id` and `event_time` where they are missing. There a further field,
  `topic`, names the topic.

Fields of every event:
"""
_TOPICS = """\
## Topics

A topic's section has the fields that its events have besides those of [every event](#every-event). *JSON* is
the type in the event, *column* the type in the topic's [silver table](#silvertopic). Records with the same
key stay in order; of a compacted topic Kafka keeps the newest of each key.
"""
_BRONZE = """\
One table per topic, named after it without the version, with every record as it came."""
_SILVER = """\
One table per topic, named after it without the version: `silver.transactions` holds `transactions.v1`. Each
event is there once, however often it was sent. The columns are the event's fields, as in its
[topic](#topics), then those below."""
_ONLINE = """\
## Kept online

What models write to Redis, where the API and the admin panel read it. The lake has no tables of it.
"""
_FIELDS = ("Field", "JSON", "Column", "Required", "Allowed", "Meaning")
_SUMMARY = ("Topic", "Holds", "Sent by", "Key", "Partitions", "Compacted", "Largest event")
_COLUMNS = ("Column", "Type", "Meaning")
#: What all events have in common, as if it were a topic.
_EVERY = Topic("every event", Event, Event.__struct_encode_fields__[0], "")


def render() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEADER
    yield from table(_FIELDS, _fields(_EVERY, _EVERY.c))
    yield _TOPICS
    yield from table(_SUMMARY, map(_summary, TOPICS.values()))
    for topic in TOPICS.values():
        yield from _topic(topic)
    yield "## Tables\n"
    yield from _section("bronze.<topic>", _shared_key(bronze.BRONZE), bronze.Record, _BRONZE)
    yield from _section("silver.<topic>", _shared_key(silver.SILVER), silver.Source, _SILVER)
    for found in (silver.QUARANTINE, *_tables(gold, features)):
        yield from _section(found.name, found.key, found.row, found.description, _said(found.row))
    yield _ONLINE
    for found in _tables(outlook, proposals):
        yield from _section(found.name, found.key, found.row, found.description, _said(found.row))


def _tables(*modules: ModuleType) -> Iterator[Table]:
    return (value for module in modules for value in vars(module).values() if isinstance(value, Table))


def _summary(topic: Topic) -> tuple[str, ...]:
    return (
        f"[{code(topic.name)}](#{topic.name.replace('.', '')})",
        topic.description,
        "Mercato only" if topic.derived else "callers",
        code(topic.key),
        str(topic.partitions),
        "yes" if topic.compact else "no",
        f"{topic.max_bytes // 1024} KiB",
    )


def _topic(topic: Topic) -> Iterator[str]:
    yield f"### {code(topic.name)}\n"
    yield f"{_said(topic.event)}\n"
    if topic.derived:
        yield "Made by Mercato; the API refuses it from callers.\n"
    if topic.derived_ids:
        yield f"An `event_id` that begins with {code(topic.derived_ids)} is Mercato's own.\n"
    yield from table(_FIELDS, _fields(topic, _own(topic)))
    if example := EXAMPLES.get(topic.name):
        given = {name: value for name, value in msgspec.to_builtins(example).items() if value is not None}
        yield f"```json\n{msgspec.json.format(msgspec.json.encode(given)).decode()}\n```\n"


def _own(topic: Topic) -> Iterator[str]:
    """Fields that events of the topic do not have alike with all others."""
    common, properties = _properties(_EVERY), _properties(topic)
    return (name for name in topic.c if properties[name] != common.get(name))


def _properties(topic: Topic) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = topic.json_schema["$defs"][topic.event.__name__]["properties"]
    return found


def _fields(topic: Topic, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """A row per field, and below it one per member of what it holds."""
    definitions = topic.json_schema["$defs"]
    words, holder, times = Words(definitions), definitions[topic.event.__name__], dict(topic.times)
    for name in names:
        row, *members = _rows(words, topic.arrow_schema.field(name), holder)
        field, kind, column, required, allowed, meaning = row
        within = _within(times[name]) if name in times else allowed
        yield field, kind, column, _sometimes(topic, name) or required, within, meaning
        yield from members


def _rows(words: Words, column: pa.Field, holder: Schema, before: str = "") -> Iterator[tuple[str, ...]]:
    schema, name = holder["properties"][column.name], f"{before}{column.name}"
    yield (
        code(name),
        words.kind(schema),
        code(spark_type(column.type)),
        "yes" if column.name in holder["required"] else "no",
        words.allowed(schema),
        schema.get("description", ""),
    )
    if held := words.named(schema.get("items", {})):
        for member in column.type.value_type:
            yield from _rows(words, member, words.definitions[held], before=f"{name}[].")


def _sometimes(topic: Topic, name: str) -> str:
    """When an optional field must be given, or must not."""
    if name in topic.derived_fields:
        return "Mercato only"
    actions = [action for action, needed in topic.event.needed_for.items() if needed == name]
    return f"for {', '.join(map(code, actions))}" if actions else ""


def _within(ahead: timedelta) -> str:
    until = f"{ahead.days} days" if ahead.days else f"{ahead.seconds // 60} minutes"
    return f"{EARLIEST:%Y-%m-%d} to {until} after the event's arrival"


def _shared_key(tables: Mapping[str, Table]) -> tuple[str, ...]:
    """That of a layer's tables, which have the same."""
    (key,) = {each.key for each in tables.values()}
    return key


def _section(name: str, key: Iterable[str], row: type[msgspec.Struct], *about: str) -> Iterator[str]:
    """A table, or of several tables the columns that they share, which need not hold the key."""
    yield f"### {code(name)}\n"
    yield from (f"{paragraph}\n" for paragraph in about if paragraph)
    yield f"Key: {', '.join(map(code, key))}.\n"
    described = json_schema(row)["$defs"][row.__name__]["properties"]
    rows = (
        (
            code(field.name),
            f"{code(spark_type(field.type))}{' or null' if field.nullable else ''}",
            described[field.name].get("description", ""),
        )
        for field in arrow_fields(row)
    )
    yield from table(_COLUMNS, rows)


def _said(struct: type[msgspec.Struct]) -> str:
    """A contract's own docstring, with the values of the constants that it names."""
    about = vars(struct).get("__doc__")  # that of a Struct without one is msgspec's
    known = vars(sys.modules[struct.__module__])
    return re.sub(
        r"\b[A-Z][A-Z_]{3,}\b", lambda found: _value(found[0], known), inspect.cleandoc(about or "")
    )


def _value(name: str, known: dict[str, object]) -> str:
    match known.get(name):
        case int(value):
            return str(value)
        case tuple(values):
            return f"({', '.join(map(str, values))})"
        case _:
            return name


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
