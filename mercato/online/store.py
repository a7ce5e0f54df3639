"""Redis as the online store: rows of views written and read in bulk, and the marker beside them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
from redis.exceptions import RedisError

from mercato.online.codec import PROJECT, Codec, Entity, entity_of, key_prefix, redis_key
from mercato.online.connection import TIMEOUT_SECONDS, connect, translated
from mercato.online.views import VIEWS, View
from mercato.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
E = TypeVar("E", int, str)

#: Entities per round trip: enough to hide it, too few to hold up a request beside it.
BATCH = 1_000
_MARKER = f"{PROJECT}:materialised"
_LOCK_SECONDS = 60.0
#: Keep a hash for a while, or for good if it has any of some fields; at once, so that the two writers of a
#: household's hash cannot come between.
_KEEP = """
for at = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then return redis.call('PERSIST', KEYS[1]) end
end
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class Materialised(msgspec.Struct, frozen=True):
    """What was last written of one view.

    Attributes:
        table_id: of the Delta table it came from; another id means the table was made anew.
        version: of that table.
        as_of: instant whose values these are, microseconds since 1970.
        changed_at: when a row was last written, microseconds since 1970.
    """

    table_id: str
    version: int
    as_of: int
    changed_at: int


class OnlineStore:
    """Rows of views in Redis. One instance serves several threads."""

    def __init__(self, settings: Settings, timeout: float = TIMEOUT_SECONDS) -> None:
        """Prepare a connection pool; nothing is connected yet.

        Raises:
            mercato.settings.NotRunningError: Redis has no address.
        """
        self.redis = connect(settings, timeout)

    def close(self) -> None:
        """Close every connection."""
        self.redis.close()

    def ping(self) -> None:
        """Raise OnlineUnavailableError unless Redis answers."""
        with translated():
            self.redis.ping()

    def write(self, view: View, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write rows that have the view's columns over what is there; returns how many.

        The caller is the view's only writer, so a row always replaces the one before it:
        late data may correct a value without a newer event time.
        """
        codec, written = Codec(view), 0
        lasting = [Codec(other).fields[0] for other in _beside(view) if other.keep is None]
        persists = view.keep is None and len(lasting) < len(_beside(view))
        with translated():
            for some in _batches(rows):
                pipeline = self.redis.pipeline(transaction=False)
                for row in some:
                    key = redis_key(view, row[view.entity])
                    pipeline.hset(key, mapping=codec.encode(row))
                    if view.keep:
                        pipeline.eval(_KEEP, 1, key, int(view.keep.total_seconds()), *lasting)
                    elif persists:
                        pipeline.persist(key)
                pipeline.execute()
                written += len(some)
        return written

    def read(self, codecs: Sequence[Codec], entity: E) -> list[dict[str, Any] | None]:
        """One entity's row of several views of its kind, in one round trip."""
        ((_, rows),) = self._rows(codecs, [entity])
        return rows

    def read_many(self, codec: Codec, entities: Iterable[E]) -> Iterator[tuple[E, dict[str, Any]]]:
        """Rows of one view for those of the entities that have one."""
        for entity, (row,) in self._rows([codec], entities):
            if row is not None:
                yield entity, row

    def _rows(
        self, codecs: Sequence[Codec], entities: Iterable[E]
    ) -> Iterator[tuple[E, list[dict[str, Any] | None]]]:
        """Each entity with its row of several views of its kind."""
        view, fields = codecs[0].view, [field for codec in codecs for field in codec.fields]
        with translated():
            for some in _batches(entities):
                pipeline = self.redis.pipeline(transaction=False)
                for entity in some:
                    pipeline.hmget(redis_key(view, entity), fields)
                for entity, stored in zip(some, pipeline.execute(), strict=True):
                    values = iter(stored)
                    yield entity, [codec.decode(list(islice(values, len(codec.fields)))) for codec in codecs]

    def entities(self, view: View, most: int | None = None) -> list[Any]:
        """Every entity of the view's kind that is in the store, or so many of them, ascending."""
        with translated():
            keys = self.redis.scan_iter(key_prefix(view) + b"*", count=BATCH)
            return sorted({entity_of(view, key) for key in islice(keys, most)})

    def entities_by_kind(self, views: Iterable[View]) -> dict[str, set[Any]]:
        """Every entity of each view's kind, by what names it, in one pass over all keys."""
        kinds = {view.entity: (key_prefix(view), view) for view in views}
        found: dict[str, set[Any]] = {kind: set() for kind in kinds}
        with translated():
            for key in self.redis.scan_iter(count=BATCH):
                for kind, (prefix, view) in kinds.items():
                    if key.startswith(prefix):
                        found[kind].add(entity_of(view, key))
        return found

    def table(self, view: View, entities: Sequence[Entity] | None = None) -> pa.Table:
        """All rows of a view, or those of some entities, with the types of its contract."""
        columns: dict[str, list[Any]] = {name: [] for name in view.arrow_schema.names}
        for entity, row in self.read_many(Codec(view), self.entities(view) if entities is None else entities):
            columns[view.entity].append(entity)
            for name, value in row.items():
                columns[name].append(value)
        return pa.table(columns, schema=view.arrow_schema)

    def replace(self, view: View, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write all rows that a view is to have: an entity without one loses its values.

        No entity is without its row meanwhile. Returns how many rows there are.
        """
        by_entity = {row[view.entity]: row for row in rows}
        written = self.write(view, by_entity.values())
        self.delete(view, [entity for entity in self.entities(view) if entity not in by_entity])
        return written

    def delete(self, view: View, entities: Iterable[Entity]) -> None:
        """Remove a view's values from some entities."""
        codec = Codec(view)
        with translated():
            for some in _batches(entities):
                pipeline = self.redis.pipeline(transaction=False)
                for entity in some:
                    pipeline.hdel(redis_key(view, entity), *codec.fields)
                pipeline.execute()

    def count(self, name: str, increments: Mapping[str, int]) -> None:
        """Add to the counters of a writer."""
        pipeline = self.redis.pipeline(transaction=False)
        for what, increment in increments.items():
            pipeline.hincrby(f"{PROJECT}:counts:{name}", what, increment)
        with translated():
            pipeline.execute()

    def counts(self, name: str) -> dict[str, int]:
        """Counters of a writer; empty if it has never run."""
        with translated():
            stored = self.redis.hgetall(f"{PROJECT}:counts:{name}")
        return {what.decode(): int(value) for what, value in stored.items()}

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other materialisations out, however long it takes; the lock of one that was killed expires."""
        # Not of one thread, because another renews it.
        lock = self.redis.lock(f"{_MARKER}:lock", timeout=_LOCK_SECONDS, thread_local=False)
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(_LOCK_SECONDS / 3):
                with suppress(RedisError):  # while Redis is away; whoever writes will say so
                    lock.reacquire()

        with translated():
            if not lock.acquire(blocking=False):
                log.warning("Waiting for another materialisation; for %d s if it was killed.", _LOCK_SECONDS)
                lock.acquire()
            renewing = threading.Thread(target=renew, name="lock", daemon=True)
            renewing.start()
            try:
                yield
            finally:
                ended.set()
                renewing.join()
                lock.release()

    def marker(self) -> dict[str, Materialised]:
        """What was last materialised, by view name; empty on day zero."""
        with translated():
            stored = self.redis.hgetall(_MARKER)
        return {
            name.decode(): msgspec.json.decode(value, type=Materialised) for name, value in stored.items()
        }

    def set_marker(self, view: View, materialised: Materialised) -> None:
        """Tell readers what a view now holds."""
        with translated():
            self.redis.hset(_MARKER, view.name, msgspec.json.encode(materialised))


def _beside(view: View) -> list[View]:
    """Views whose rows are in the same hashes as its own."""
    return [other for other in VIEWS.values() if other.entity == view.entity and other.name != view.name]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    return iter(lambda: list(islice(iterator, BATCH)), [])
