"""What the contracts and the job catalog say, as `make docs` wrote it down for the templates."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).parent / "generated" / "catalog.json"


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True)


class TopicSpec(_Spec):
    """A Kafka topic and its quarantine topic; `definition` is the JSON Schema of an event."""

    name: str
    quarantine: str
    partitions: int
    compact: bool
    derived: bool
    definition: dict[str, Any]


class ColumnSpec(_Spec):
    """A column, with its type as Glue spells it."""

    name: str
    type: str
    comment: str


class TableSpec(_Spec):
    """A Delta table; `rules` is its ruleset in Glue's Data Quality Definition Language."""

    database: str
    name: str
    description: str
    columns: list[ColumnSpec]
    rules: str


class JobSpec(_Spec):
    """A job; `entry` is the script of the artifact `jobs-entry` that starts it."""

    name: str
    layer: str
    kind: Literal["streaming", "batch"]
    entry: str
    arguments: dict[str, str]
    reads: list[str]
    writes: list[str]
    worker_type: str
    workers: int
    timeout_minutes: int | None


class Contracts(_Spec):
    """Everything the templates need to know of the code that they run."""

    topics: list[TopicSpec]
    tables: list[TableSpec]
    jobs: list[JobSpec]

    @property
    def layers(self) -> list[str]:
        """Layers of the lake, in the order in which data passes them."""
        return list(dict.fromkeys(table.database for table in self.tables))


@functools.cache
def contracts() -> Contracts:
    """The generated file, read once."""
    document = json.loads(_FILE.read_text())
    for topic in document["topics"]:
        topic["definition"] = topic.pop("schema")
    return Contracts.model_validate(document)
