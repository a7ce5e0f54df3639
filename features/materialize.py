"""Bring the online store up to date with the lake: the newest row of every entity of every view."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.errors import PySparkException

from features.snapshot import BEGINNING, as_of
from mercato.lake.changes import LogCleanedError
from mercato.lake.tables import Lake
from mercato.online import catalogue
from mercato.online.connection import BULK_TIMEOUT_SECONDS, OnlineUnavailableError
from mercato.online.session import micros, moment
from mercato.online.store import Materialised, OnlineStore
from mercato.online.views import BATCH, CATALOGUE, View
from mercato.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger(__name__)

#: What is told of each part that was written.
_ROWS, _FAILED = "rows", "failed"
_WRITTEN = f"{_ROWS} long, {_FAILED} string"
_WRITTEN_SCHEMA = pa.schema([(_ROWS, pa.int64()), (_FAILED, pa.string())])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one view; `rows` were written or removed, 0 where nothing had changed."""

    view: str
    rows: int
    version: int
    seconds: float


def materialize(
    spark: SparkSession,
    lake: Lake,
    settings: Settings,
    *,
    views: Iterable[View] = BATCH,
    at: datetime | None = None,
    full: bool = False,
) -> list[Outcome]:
    """Write to Redis what changed since the last time, view by view, each with its marker last.

    A view changes when its Delta table gets a version, and when time passes the event time of
    rows that were known ahead, such as next week's promotions. An entity without a row any more
    loses its values, so that Redis is like one that was filled today. A crash in between leaves
    the old marker, so the next run writes the same rows again.

    Args:
        views: which ones; those whose table does not exist yet are left out.
        at: serve the values of this moment; now unless given.
        full: write every row, and leave no other.

    Raises:
        mercato.settings.NotRunningError: Redis has no address.
        mercato.online.connection.OnlineUnavailableError: Redis does not answer.
    """
    # Spark's workers look up no addresses.
    settings = settings.model_copy(update={"redis_url": settings.require("redis_url")})
    online = OnlineStore(settings, timeout=BULK_TIMEOUT_SECONDS)
    try:
        with online.exclusive():
            marker, whole = online.marker(), catalogue.held(online.redis)
            lost = {view for view in CATALOGUE if view.name not in whole}
            views = tuple(views)
            run = _Run(spark, lake, settings, online, views, at or datetime.now(UTC))
            outcomes = (run.view(view, marker.get(view.name), full or view in lost) for view in views)
            return [outcome for outcome in outcomes if outcome]
    finally:
        online.close()


@dataclass(frozen=True)
class _Run:
    spark: SparkSession
    lake: Lake
    settings: Settings
    online: OnlineStore
    views: Sequence[View]
    at: datetime

    @cached_property
    def there(self) -> Mapping[str, set[Any]]:
        """Entities by kind that may hold values of earlier runs: no other process writes these views."""
        return self.online.entities_by_kind(self.views)

    def view(self, view: View, last: Materialised | None, full: bool) -> Outcome | None:
        started = time.perf_counter()
        delta = self.lake.open(view.table)
        if delta is None:
            return None
        table_id, version = str(delta.metadata().id), delta.version()
        if last and (last.table_id != table_id or last.as_of > micros(self.at)):
            self.online.delete(view, self.there[view.entity])
            catalogue.forget(self.online.redis, view)
            last = None
        rows = self._write(view, version, None if full else last)
        changed_at = micros(datetime.now(UTC)) if rows or full or last is None else last.changed_at
        self.online.set_marker(view, Materialised(table_id, version, micros(self.at), changed_at))
        return Outcome(view.name, rows, version, round(time.perf_counter() - started, 3))

    def _write(self, view: View, version: int, last: Materialised | None) -> int:
        if last is not None:
            try:
                gone = self._gone(view, version, last)
                return self._send(view, self._changed(view, version, last), gone) + len(gone)
            except (LogCleanedError, PySparkException) as error:
                # The last version's files may have been vacuumed away.
                log.warning("%s: writing every row, for the difference failed: %s", view.name, error)
        return self._send(view, self._as_of(view, self.at, version))

    def _changed(self, view: View, version: int, last: Materialised) -> DataFrame:
        if version == last.version:
            return self._as_of(view, self.at, version, after=moment(last.as_of))
        before = self._as_of(view, moment(last.as_of), last.version)
        return self._as_of(view, self.at, version).subtract(before)

    def _gone(self, view: View, version: int, last: Materialised) -> list[Any]:
        """Entities that had a row and have none any more; found on two narrow columns."""
        if version == last.version or not self.lake.changes(view.table, last.version, version).removed:
            return []
        before = self._entities(view, moment(last.as_of), last.version)
        gone = before.subtract(self._entities(view, self.at, version)).toArrow()
        return list(gone[view.entity].to_pylist())

    def _entities(self, view: View, at: datetime, version: int) -> DataFrame:
        rows = self.lake.read(self.spark, view.table, version)
        return rows.where(rows[view.time] <= at).select(view.entity)

    def _as_of(self, view: View, at: datetime, version: int, after: datetime = BEGINNING) -> DataFrame:
        return as_of(self.spark, self.lake, view, at, version=version, after=after)

    def _send(self, view: View, frame: DataFrame, gone: Collection[Any] | None = None) -> int:
        """Write rows and remove the entities `gone`: `None` for all that have no row in the frame."""
        there = self.there[view.entity] if gone is None else set()  # before there are more
        if view in CATALOGUE:  # which is small enough for every process of the API
            table = frame.toArrow().cast(view.arrow_schema)
            written = self.online.write(view, _rows(table.to_batches(1_000)))
            if gone is None:
                self.online.delete(view, there.difference(table[view.entity].to_pylist()))
                catalogue.replace(self.online.redis, view, table)
            else:
                self.online.delete(view, gone)
                catalogue.merge(self.online.redis, view, table, gone)
            return written
        sent = frame.mapInArrow(partial(_write_part, self.settings, view), _WRITTEN).collect()
        for part in sent:
            if part[_FAILED]:
                raise OnlineUnavailableError(part[_FAILED])
        if gone is None:  # Spark computes the frame again only for a store that held anything
            kept = frame.select(view.entity).toArrow()[view.entity].to_pylist() if there else ()
            gone = there.difference(kept)
        self.online.delete(view, gone)
        return sum(part[_ROWS] for part in sent)


def _write_part(
    settings: Settings, view: View, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Write a part of a view, where Spark computed it; one row says how much, or why not."""
    online = OnlineStore(settings, timeout=BULK_TIMEOUT_SECONDS)
    written, failed = 0, None
    try:
        written = online.write(view, _rows(batch.cast(view.arrow_schema) for batch in batches))
    except OnlineUnavailableError as error:
        failed = str(error)
    finally:
        online.close()
    yield pa.RecordBatch.from_pylist([{_ROWS: written, _FAILED: failed}], _WRITTEN_SCHEMA)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    return (row for batch in batches for row in batch.to_pylist())
