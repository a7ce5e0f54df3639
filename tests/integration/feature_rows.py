"""Small as-of tables in the shape of their contracts, and a plain answer to "what was known at t?"."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from mercato.lake.tables import Lake
from mercato.online.views import BATCH, View

START = datetime(2026, 1, 5, tzinfo=UTC)
SPAN = timedelta(days=200)
#: Entities and rows of each of them, by entity column.
SIZES = {"household_id": (150, 12), "product_id": (200, 8), "store_id": (40, 8)}

Row = dict[str, Any]


def _value(dtype: pa.DataType, nullable: bool, rng: random.Random) -> Any:
    if nullable and rng.random() < 0.2:
        return None
    if pa.types.is_list(dtype):
        return [_value(dtype.value_type, False, rng) for _ in range(rng.randrange(6))]
    if pa.types.is_integer(dtype):
        return rng.randrange(2**31 if dtype == pa.int32() else 2**53)
    if dtype == pa.float32():
        return rng.randrange(2**20) / 8
    if pa.types.is_floating(dtype):
        return rng.random() * 100
    if pa.types.is_timestamp(dtype):
        return START + timedelta(seconds=rng.randrange(10**7))
    return f"v{rng.randrange(1000)}"


def random_row(view: View, entity: int, time: datetime, rng: random.Random) -> Row:
    """One row of a view with random values."""
    values = {field.name: _value(field.type, field.nullable, rng) for field in view.features}
    return {view.entity: entity, view.time: time} | values


def random_rows(view: View, seed: int = 0) -> list[Row]:
    """Rows at irregular moments, unique on entity and moment."""
    rng = random.Random(f"{view.name}{seed}")
    entities, each = SIZES[view.entity]
    moments = {
        (entity, START + timedelta(microseconds=rng.randrange(SPAN // timedelta(microseconds=1))))
        for entity in range(1, entities + 1)
        for _ in range(rng.randint(1, each))
    }
    return [random_row(view, entity, time, rng) for entity, time in sorted(moments)]


def write(lake: Lake, view: View, rows: Iterable[Row]) -> None:
    """Overwrite the view's table; columns that the view does not serve are null."""
    schema = pa.schema([field.with_nullable(True) for field in view.table.arrow_schema])
    table = pa.Table.from_pylist(list(rows), schema=schema)
    write_deltalake(lake.path(view.table), table, mode="overwrite")


def write_all(lake: Lake) -> dict[str, list[Row]]:
    """Every batch view's table; returns the rows by view."""
    rows = {view.name: random_rows(view) for view in BATCH}
    for view in BATCH:
        write(lake, view, rows[view.name])
    return rows


class Oracle:
    """The newest row at or before a moment, looked up in plain Python."""

    def __init__(self, view: View, rows: Iterable[Row]) -> None:
        self.view = view
        self.names = [field.name for field in view.features]
        self.history: dict[int, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row[view.time]):  # type: ignore[no-any-return]
            self.history.setdefault(row[view.entity], []).append(row)

    def __call__(self, entity: int, at: datetime) -> Row | None:
        rows = self.history.get(entity, [])
        position = bisect_right([row[self.view.time] for row in rows], at)
        return rows[position - 1] if position else None

    def values(self, entity: int, at: datetime) -> tuple[Any, ...]:
        """The features alone; nulls where nothing was known."""
        row = self(entity, at)
        return tuple(row[name] if row else None for name in self.names)

    def snapshot(self, at: datetime) -> dict[int, tuple[Any, ...]]:
        """Features of every entity that had a row by then."""
        return {entity: self.values(entity, at) for entity in self.history if self(entity, at)}


def by_entity(view: View, table: pa.Table) -> dict[int, tuple[Any, ...]]:
    """Features by entity of a table with one row per entity."""
    return {row[view.entity]: served(view, row) for row in table.to_pylist()}


def served(view: View, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The features of a row in the view's order."""
    return tuple(row[field.name] for field in view.features)


def seconds(values: tuple[object, ...]) -> tuple[object, ...]:
    """Times cut to whole seconds, as Feast's online format keeps them."""
    return tuple(v.replace(microsecond=0) if isinstance(v, datetime) else v for v in values)


def seconds_of(rows: dict[int, tuple[object, ...]]) -> dict[int, tuple[object, ...]]:
    return {entity: seconds(values) for entity, values in rows.items()}
