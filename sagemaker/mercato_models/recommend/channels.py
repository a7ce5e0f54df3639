"""The files of a training job: what each channel holds, and how it is read back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import (
    ALL_STORES,
    HOUSEHOLD_HISTORY,
    HOUSEHOLD_PROFILE,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato.contracts.tables.silver import PRODUCTS
from mercato.errors import MercatoError
from mercato_models import checks
from mercato_models.parquet import readable
from mercato_models.recommend import NAME
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import PROFILE, Context
from mercato_models.recommend.dataset import Target
from mercato_models.recommend.history import HISTORY_COLUMNS, History

TRAIN, TEST = "train", "test"


class BasketContext(msgspec.Struct, frozen=True, kw_only=True):
    """A basket to predict. The features that were known just before it stand beside these columns."""

    household_id: int
    store_id: int
    event_timestamp: datetime
    truth: list[int]
    split: str  # TRAIN, or TEST for the household's last basket


CONTEXTS = Table("train.contexts", BasketContext, ("household_id", "event_timestamp"), "Baskets to predict.")
CATALOGUE_TABLES: tuple[Table, ...] = (
    PRODUCT_STATS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_NEIGHBOURS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
    PRODUCT_TRENDS,  # the last, as it is the only one that changes every day
)

_C, _H, _P = CONTEXTS.c, HOUSEHOLD_HISTORY.c, PRODUCTS.c
#: What the catalogue is told of products beside their figures.
_DETAILS = (_P.product_id, _P.event_time, _P.product_type)


class ChannelError(MercatoError):
    """A channel lacks a file, a column or rows."""


def file_name(table: Table) -> str:
    """Name of a table's file in a channel."""
    return f"{table.short_name}.parquet"


def contexts_schema() -> pa.Schema:
    """Columns of the contexts file: the basket, then the household's features before it."""
    history, profile = HOUSEHOLD_HISTORY.arrow_schema, HOUSEHOLD_PROFILE.arrow_schema
    joined = [*map(history.field, HISTORY_COLUMNS), *map(profile.field, PROFILE)]
    return pa.schema([*CONTEXTS.arrow_schema, *(field.with_nullable(True) for field in joined)])


def read_contexts(channel: Path) -> pa.Table:
    """The contexts file of a channel.

    Raises:
        ChannelError: it is missing, lacks columns, or is empty.
        CheckError: the file is broken, rows are of the future, or know it, or a figure of households is
            hardly ever known.
    """
    table = _open(channel, CONTEXTS, contexts_schema().names).to_table(columns=contexts_schema().names)
    if table.num_rows == 0:
        raise ChannelError(
            f"{channel / file_name(CONTEXTS)} has no rows: the slice holds no basket to predict"
        )
    _check(table, pd.Timestamp.now(UTC))
    return table


def _check(contexts: pa.Table, now: pd.Timestamp) -> None:
    """Refuse rows that cannot be true."""
    frame = contexts.select([_C.event_timestamp, *PROFILE]).to_pandas()
    checks.check_not_future(frame[_C.event_timestamp], now)
    checks.check_missing_or_infinite(frame, PROFILE)
    bought = contexts[_H.basket_times].combine_chunks()
    row = pc.list_parent_indices(bought).to_numpy()
    asked = pc.cast(pc.cast(contexts[_C.event_timestamp], UTC_MICROS), pa.int64()).to_numpy() // 1_000_000
    late = np.zeros(len(frame), bool)
    late[row[bought.flatten().to_numpy() >= asked[row]]] = True
    checks.raise_for_rows(late, f"future timestamps in {_H.basket_times}, not before the basket to predict")


def stores(contexts: pa.Table) -> list[int]:
    """Stores of the contexts, each once."""
    return [int(store) for store in pc.unique(contexts[_C.store_id]).to_pylist()]


def targets(contexts: pa.Table, split: str) -> list[Target]:
    """Targets of one split with at least one true product, by time.

    Raises:
        ChannelError: there is none.
    """
    # Household breaks ties: a join answers in any order, and the same data shall give the same model.
    order = [(_C.event_timestamp, "ascending"), (_C.household_id, "ascending")]
    rows = contexts.filter(pc.equal(contexts[_C.split], split)).sort_by(order)
    result = [_target(row) for batch in rows.to_batches(512) for row in batch.to_pylist() if row[_C.truth]]
    if not result:
        raise ChannelError(f"no `{split}` context has a product to predict")
    return result


def _target(row: dict[str, Any]) -> Target:
    context = Context(
        history=History.from_row(row),
        profile={name: row[name] for name in PROFILE},
        store_id=row[_C.store_id],
        time=row[_C.event_timestamp].timestamp(),
    )
    return Target(row[_C.household_id], context, frozenset(row[_C.truth]))


def write_details(channel: Path, products: pa.Table) -> None:
    """Write what the catalogue is told of products, rows of silver.products: the last counts."""
    told = products.sort_by([(_P.event_time, "ascending"), (_P.event_id, "ascending")])
    pq.write_table(told.select(_DETAILS), channel / file_name(PRODUCTS))


def write(channel: Path, table: pa.Table, contract: Table) -> None:
    """Write a table's file; catalogue tables get a row group per snapshot, so reading one reads only it."""
    ordered = table.sort_by(contract.c.event_timestamp)
    if contract not in CATALOGUE_TABLES:
        pq.write_table(ordered, channel / file_name(contract))
        return
    instants = ordered[contract.c.event_timestamp].to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], instants[1:] != instants[:-1]]))[: len(instants)]
    with pq.ParquetWriter(channel / file_name(contract), ordered.schema) as file:
        for start, end in itertools.pairwise([*starts.tolist(), len(instants)]):
            file.write_table(ordered.slice(start, end - start), row_group_size=end - start)


class Snapshots:
    """The catalogue as it was at any moment: of each table the newest snapshot not later than it.

    Of promotions, which a store begins and ends when it likes, it has each store's newest row.

    Args:
        channel: folder with the files of PRODUCTS and CATALOGUE_TABLES.
        stores: whose popularity and promotions are wanted; ALL_STORES always is.

    Raises:
        ChannelError: a file or column is missing, or no product is known.
        CheckError: a file is broken.
    """

    def __init__(self, channel: Path, stores: Iterable[int]) -> None:
        self._files = {table: _open(channel, table, table.arrow_schema.names) for table in CATALOGUE_TABLES}
        self._instants = {table: _instants(table, file) for table, file in self._files.items()}
        if len(self._instants[PRODUCT_STATS]) == 0:
            raise ChannelError(f"{channel / file_name(PRODUCT_STATS)} has no rows: no product is known")
        self._details = _open(channel, PRODUCTS, _DETAILS).to_table(columns=list(_DETAILS))
        self._stores = pa.array(sorted({*stores, ALL_STORES}), pa.int64())

    def beside(self, wanted: Iterable[Target]) -> Iterator[tuple[Target, Catalogue]]:
        """Each target with the catalogue as it was then, never one from later.

        For targets from before the first snapshot it lists the household's own products, and
        knows nothing of them. Targets should come by time, as one catalogue is held at a time.
        """
        weekly: list[int] = []
        daily = 0
        catalogue: Catalogue | None = None
        for target in wanted:
            assert target.context.time is not None
            *key, day = self._key(target.context.time)
            if key != weekly:
                weekly, daily = key, day
                catalogue = self._load(key, day, datetime.fromtimestamp(target.context.time, UTC))
            elif day != daily and catalogue is not None:
                daily, catalogue = day, catalogue.with_trends(self._read(PRODUCT_TRENDS, day))
            yield target, Catalogue.bare(target.context.history.products) if catalogue is None else catalogue

    def _key(self, time: float) -> list[int]:
        """Of each table, the number of its instants not later than `time`."""
        return [
            int(np.searchsorted(self._instants[table], int(time * 1e6), "right"))
            for table in CATALOGUE_TABLES
        ]

    def _load(self, key: list[int], day: int, at: datetime) -> Catalogue | None:
        snapshots = zip(CATALOGUE_TABLES, [*key, day], strict=True)
        tables = {table: self._read(table, snapshot) for table, snapshot in snapshots}
        if not tables[PRODUCT_STATS].num_rows:
            return None
        known = pc.less_equal(self._details[_P.event_time], pa.scalar(at, UTC_MICROS))
        return Catalogue.from_tables(tables | {PRODUCTS: self._details.filter(known)}, at)

    def _read(self, table: Table, snapshot: int) -> pa.Table:
        if snapshot == 0:
            return table.arrow_schema.empty_table()
        instant = pa.scalar(int(self._instants[table][snapshot - 1]), UTC_MICROS)
        if table is STORE_PROMOTIONS:
            return self._read_promotions(instant)
        wanted = ds.field(table.c.event_timestamp) == instant
        if _STORE in table.c:
            wanted &= ds.field(_STORE).isin(self._stores)
        return self._files[table].to_table(filter=wanted).cast(table.arrow_schema)

    def _read_promotions(self, instant: pa.Scalar) -> pa.Table:
        """Each store's newest row, as it is online: stores begin their promotions when they like."""
        file, time = self._files[STORE_PROMOTIONS], STORE_PROMOTIONS.c.event_timestamp
        wanted = (ds.field(time) <= instant) & ds.field(_STORE).isin(self._stores)
        known = file.to_table(columns=[_STORE, time], filter=wanted)
        newest = known.group_by(_STORE).aggregate([(time, "max")]).rename_columns([_STORE, time])
        # The lists are long: of most instants none is read.
        rows = file.to_table(filter=wanted & ds.field(time).isin(newest[time].unique()))
        own = rows.select([_STORE, time]).append_column(_ROW, pa.array(range(len(rows)), pa.int64()))
        kept = own.join(newest, [_STORE, time], join_type="inner")[_ROW].sort()
        return rows.take(kept).cast(STORE_PROMOTIONS.arrow_schema)


_ROW = "row"
_STORE = STORE_POPULAR.c.store_id


def _open(channel: Path, table: Table, columns: Iterable[str]) -> ds.Dataset:
    path = channel / file_name(table)
    if not path.is_file():
        raise ChannelError(f"{path} is missing")
    with readable(path, NAME):
        file = ds.dataset(path, format="parquet")
    if missing := [name for name in columns if name not in file.schema.names]:
        raise ChannelError(f"{path} lacks the columns {', '.join(missing)}")
    return file


def _instants(table: Table, file: ds.Dataset) -> NDArray[np.int64]:
    """Instants at which what a table tells changes, microseconds since 1970, ascending."""
    # A promotion that ends while no other runs has no row after it.
    ends = [STORE_PROMOTIONS.c.valid_to] if table is STORE_PROMOTIONS else []
    times = file.to_table(columns=[table.c.event_timestamp, *ends])
    found = [pc.cast(pc.cast(each, UTC_MICROS), pa.int64()).to_numpy() for each in times.itercolumns()]
    return np.unique(np.concatenate(found)).astype(np.int64)
