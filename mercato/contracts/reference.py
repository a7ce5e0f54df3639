"""Write docs/reference/contracts.md from the contracts: `python -m mercato.contracts.reference FILE`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from mercato.contracts.arrow import spark_type
from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.tables import bronze, features, gold, silver
from mercato.contracts.tables.base import Table

_HEADER = """\
# Topics and tables

Generated from `mercato/contracts` by `make docs`; a test fails when it is out of date.
"""


def render() -> str:
    """The whole page."""
    topics = "\n".join(line for topic in TOPICS.values() for line in _topic(topic))
    tables = "\n".join(line for table in _tables() for line in _table(table))
    return f"{_HEADER}\n## Topics\n\n{topics}\n## Tables\n\n{tables}"


def _tables() -> Iterator[Table]:
    yield next(iter(bronze.BRONZE.values()))
    yield from silver.SILVER.values()
    yield silver.QUARANTINE
    for module in (gold, features):
        yield from (value for value in vars(module).values() if isinstance(value, Table))


def _topic(topic: Topic) -> Iterator[str]:
    yield f"### `{topic.name}`\n"
    kept = f"{topic.partitions} partitions{' (compacted)' if topic.compact else ''}"
    yield f"{topic.description} Keyed by `{topic.key}`; {kept};"
    yield f"at most {topic.max_bytes // 1024} KiB an event."
    yield f"What breaks the contract goes to `{topic.quarantine}`.\n"
    definitions = topic.json_schema["$defs"]
    fields = definitions[topic.event.__name__]
    yield "| Field | Type | Required | Meaning |\n|---|---|---|---|"
    for field in topic.arrow_schema:
        about = fields["properties"][field.name].get("description", "")
        required = "yes" if field.name in fields["required"] else "no"
        yield f"| `{field.name}` | {spark_type(field.type)} | {required} | {about} |"
    yield ""


def _table(table: Table) -> Iterator[str]:
    bronze_like = table.layer == "bronze"
    yield f"### `{'bronze.<topic>' if bronze_like else table.name}`\n"
    yield f"{'Every record of a topic as it came.' if bronze_like else table.description}"
    yield f"Key: {', '.join(f'`{name}`' for name in table.key)}.\n"
    if about := vars(table.row).get("__doc__"):  # its own: that of a Struct without one is msgspec's
        yield f"{inspect.cleandoc(about)}\n"
    yield "| Column | Type |\n|---|---|"
    yield from (f"| `{field.name}` | {spark_type(field.type)} |" for field in table.arrow_schema)
    yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
