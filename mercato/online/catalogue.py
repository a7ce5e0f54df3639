"""The catalogue as each process takes it: its views whole, as Arrow, beside the rows by entity.

A hundred thousand entities read one by one take seconds of Python, of Redis's only thread, and of every
process anew; as one object they take tenths.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import redis

from mercato.online.codec import PROJECT, Entity
from mercato.online.connection import translated
from mercato.online.views import CATALOGUE, View

#: A hash: the field of a view holds all of its rows.
_KEY = f"{PROJECT}:catalogue"
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


def held(client: redis.Redis) -> set[str]:
    """Names of the views that are there, with the columns that they have now."""
    with translated():
        stored = set(client.hkeys(_KEY))
    return {view.name for view in CATALOGUE if _field(view) in stored}


def merge(client: redis.Redis, view: View, rows: pa.Table, gone: Iterable[Entity] = ()) -> None:
    """Put rows that have the view's columns in the place of those of the same entities.

    The caller is the view's only writer, as with `OnlineStore.write`.

    Args:
        gone: entities that have no row any more.
    """
    with translated():
        whole = _decoded(view, client.hget(_KEY, _field(view)))
    entities = whole[view.entity]
    ended = pa.array(list(gone), entities.type)
    kept = pc.invert(pc.or_(pc.is_in(entities, rows[view.entity]), pc.is_in(entities, ended)))
    replace(client, view, pa.concat_tables([whole.filter(kept), rows]))


def replace(client: redis.Redis, view: View, rows: pa.Table) -> None:
    """Write all rows that a view is to have."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, view.arrow_schema, options=_COMPRESSED) as writer:
        writer.write_table(rows.sort_by(view.entity))
    with translated():
        client.hset(_KEY, _field(view), sink.getvalue().to_pybytes())
        _forget(client, view, but=_field(view))


def forget(client: redis.Redis, view: View) -> None:
    """Remove a view."""
    with translated():
        _forget(client, view)


def tables(client: redis.Redis) -> dict[str, pa.Table]:
    """The views that are there by name, ordered by entity, with their contracts' columns and types."""
    with translated():
        stored = client.hgetall(_KEY)
    return {view.name: _decoded(view, whole) for view in CATALOGUE if (whole := stored.get(_field(view)))}


@functools.cache
def _field(view: View) -> bytes:
    """Another one when the view's columns change: a reader of the one cannot read the other."""
    columns = hashlib.sha256(str(view.arrow_schema).encode()).hexdigest()[:8]
    return f"{view.name}:{columns}".encode()


def _forget(client: redis.Redis, view: View, but: bytes | None = None) -> None:
    for field in client.hkeys(_KEY):
        if field.startswith(f"{view.name}:".encode()) and field != but:
            client.hdel(_KEY, field)


def _decoded(view: View, stored: bytes | None) -> pa.Table:
    return pa.ipc.open_stream(stored).read_all() if stored else view.arrow_schema.empty_table()
