"""The catalogue as each process takes it: its views whole, as Arrow, beside the rows by entity.

A hundred thousand entities read one by one take seconds of Python, of Redis's only thread, and of every
process anew; as one object they take tenths.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import redis

from mercato.online.codec import PROJECT
from mercato.online.connection import translated
from mercato.online.views import CATALOGUE, View

#: A hash: the field of a view holds all of its rows.
_KEY = f"{PROJECT}:catalogue"
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


def held(client: redis.Redis) -> set[str]:
    """Names of the views that are there."""
    with translated():
        return {name.decode() for name in client.hkeys(_KEY)}


def merge(client: redis.Redis, view: View, rows: pa.Table) -> None:
    """Put rows that have the view's columns in the place of those of the same entities.

    The caller is the view's only writer, as with `OnlineStore.write`.
    """
    with translated():
        whole = _decoded(view, client.hget(_KEY, view.name))
    kept = whole.filter(pc.invert(pc.is_in(whole[view.entity], rows[view.entity])))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, view.arrow_schema, options=_COMPRESSED) as writer:
        writer.write_table(pa.concat_tables([kept, rows]).sort_by(view.entity))
    with translated():
        client.hset(_KEY, view.name, sink.getvalue().to_pybytes())


def forget(client: redis.Redis, view: View) -> None:
    """Remove a view."""
    with translated():
        client.hdel(_KEY, view.name)


def tables(client: redis.Redis) -> dict[str, pa.Table]:
    """Every catalogue view by name, ordered by entity, with its contract's columns and types."""
    with translated():
        stored = client.hgetall(_KEY)
    return {view.name: _decoded(view, stored.get(view.name.encode())) for view in CATALOGUE}


def _decoded(view: View, stored: bytes | None) -> pa.Table:
    return pa.ipc.open_stream(stored).read_all() if stored else view.arrow_schema.empty_table()
