"""What came from what: topics, tables, feature views and models, and the versions that each was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from glue_jobs.catalog import CATALOG
from mercato.contracts.events import TOPICS
from mercato.contracts.tables.bronze import BRONZE
from mercato.errors import MercatoError
from mercato.lake.changes import LogCleanedError
from mercato.lake.tables import Lake
from mercato.online.views import BATCH
from mercato_models import artifact, script
from mercato_models.sources import LEARNED_FROM

if TYPE_CHECKING:
    from mercato.contracts.tables.base import Table


class Kind(StrEnum):
    """What a node is."""

    TOPIC = "topic"
    TABLE = "table"
    VIEW = "feature view"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Node:
    """Something that is made of others.

    Attributes:
        name: unique among all nodes.
        kind: what it is.
        reads: names of what it is made of.
    """

    name: str
    kind: Kind
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One of the tables that something was made from.

    Attributes:
        name: of the table.
        held: version of it that was read; `None` if none was.
        newest: version that it is at; `None` if it is not there.
        behind: it has other rows than what was read, or nobody can tell any more.
    """

    name: str
    held: int | None
    newest: int | None
    behind: bool


@dataclass(frozen=True, slots=True)
class State:
    """How something stands.

    Attributes:
        version: Delta version of a table, a model's own; `None` of what has none, and of what is not there.
        written: when.
        sources: tables that it was made from, as far as that is recorded.
    """

    version: str | None = None
    written: datetime | None = None
    sources: tuple[Source, ...] = ()


_TABLES: Mapping[str, Table] = {
    **{table.name: table for table in BRONZE.values()},
    **{name: job.target for name, job in CATALOG.items()},
}


def graph() -> dict[str, Node]:
    """Every node by its name, each after those that it reads."""
    nodes = [
        *(Node(name, Kind.TOPIC) for name in TOPICS),
        *(Node(table.name, Kind.TABLE, (topic,)) for topic, table in BRONZE.items()),
        *(
            Node(name, Kind.TABLE, tuple(source.name for source in job.sources))
            for name, job in CATALOG.items()
        ),
        *(Node(view.name, Kind.VIEW, (view.table.name,)) for view in BATCH),
        *(
            Node(model, Kind.MODEL, tuple(table.name for table in tables))
            for model, tables in LEARNED_FROM.items()
        ),
    ]
    return {node.name: node for node in nodes}


def find(name: str) -> Node:
    """A node by its name; of a table also without its layer, if there is only one.

    Raises:
        MercatoError: there is none, or there are several.
    """
    nodes = graph()
    if name in nodes:
        return nodes[name]
    matching = [node for node in nodes.values() if node.name.partition(".")[2] == name]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise MercatoError(f"There are {', '.join(node.name for node in matching)}: name one of them.")
    raise MercatoError(
        f"There is no topic, table, feature view or model {name}; `mercato lineage` lists all."
    )


def used_by(name: str) -> list[str]:
    """Names of everything that is made from a node, directly or not, in the graph's order."""
    found = {name}
    for node in graph().values():
        if found.intersection(node.reads):
            found.add(node.name)
    return [each for each in graph() if each in found and each != name]


def state(node: Node, lake: Lake, models: Path) -> State:
    """How a node stands; of topics and feature views nothing is recorded in the lake.

    Args:
        models: folder with a folder for each model.

    Raises:
        ModelError: a model's folder is broken.
    """
    if node.kind is Kind.TABLE:
        return _of_table(_TABLES[node.name], lake)
    if node.kind is Kind.MODEL:
        return _of_model(lake, models / node.name)
    return State()


def _of_table(table: Table, lake: Lake) -> State:
    delta = lake.open(table)
    if delta is None:
        return State()
    written = datetime.fromtimestamp(delta.history(1)[0]["timestamp"] / 1000, UTC)
    sources = CATALOG[table.name].sources if table.name in CATALOG else ()
    return State(str(delta.version()), written, tuple(_read(lake, table, source) for source in sources))


def _read(lake: Lake, target: Table, source: Table) -> Source:
    table_id, _ = lake.state(source) or ("", None)
    return _source(lake, source.name, lake.progress(target, source, table_id))


def _source(lake: Lake, name: str, held: int | None) -> Source:
    """Of a table that may be there no more."""
    table = _TABLES.get(name)
    newest = None if table is None else lake.version(table)
    return Source(name, held, newest, table is not None and _changed(lake, table, held, newest))


def _changed(lake: Lake, table: Table, held: int | None, newest: int | None) -> bool:
    """Whether rows differ: upkeep and notes of what was read make new versions of the same."""
    if newest is None or held is None or held > newest:
        return newest is not None
    try:
        changes = lake.changes(table, held, newest)
    except LogCleanedError:
        return True
    return bool(changes.added or changes.removed)


def _of_model(lake: Lake, folder: Path) -> State:
    """From what its training left beside it; a model may not say what it came from."""
    written = artifact.modified(folder)
    if written is None:
        return State()
    sources = tuple(_source(lake, name, held) for name, held in script.versions(folder).items())
    return State(artifact.load(folder).version, datetime.fromtimestamp(written / 1e9, UTC), sources)
