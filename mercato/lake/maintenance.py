"""Upkeep of Delta tables through delta-rs: the same on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mercato.contracts.tables import bronze, features, gold, silver
from mercato.contracts.tables.base import Table
from mercato.lake.lock import exclusive
from mercato.lake.storage import on_s3
from mercato.lake.tables import Lake

ALL_TABLES: tuple[Table, ...] = (
    *bronze.BRONZE.values(),
    *silver.SILVER.values(),
    silver.QUARANTINE,
    *(value for module in (gold, features) for value in vars(module).values() if isinstance(value, Table)),
)
#: What has no stream that writes to it around the clock.
BATCH_TABLES: tuple[Table, ...] = tuple(table for table in ALL_TABLES if table not in bronze.BRONZE.values())


@dataclass(frozen=True)
class Upkeep:
    """What upkeep did to one table."""

    table: str
    files_before: int
    files_after: int
    removed: int


def maintain(lake: Lake, retain_hours: int) -> Iterator[Upkeep]:
    """Compact, checkpoint and vacuum the tables of the lake.

    A run of jobs is waited for before each table, for it may be reading the files that go. Compaction
    adds no new data, so incremental readers do not see its files. On S3 bronze is left alone: Spark's
    streams hold its log there as the only writer, and a second one could lose a commit.

    Args:
        retain_hours: files that versions younger than this need are kept. A reader that has
            not run for longer must start anew with `--full`.
    """
    for table in BATCH_TABLES if on_s3(lake.uri) else ALL_TABLES:
        with exclusive(lake):
            done = _maintain(lake, table, retain_hours)
        if done:
            yield done


def _maintain(lake: Lake, table: Table, retain_hours: int) -> Upkeep | None:
    delta = lake.own(table)
    if delta is None:
        return None
    before = len(delta.file_uris())
    delta.optimize.compact()
    delta.create_checkpoint()
    removed = delta.vacuum(retention_hours=retain_hours, dry_run=False, enforce_retention_duration=False)
    return Upkeep(table.name, before, len(delta.file_uris()), len(removed))
