"""What is known of products and stores at one moment, held for lookups in microseconds."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import (
    ALL_STORES,
    NEIGHBOURS,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato.contracts.tables.silver import PRODUCTS
from mercato_models.recommend.returns import Returns
from mercato_models.recommend.trends import Occasions, trends

_DETAILS = PRODUCTS.c
_STATS = PRODUCT_STATS.c
_NEAR = PRODUCT_NEIGHBOURS.c
_POPULAR = STORE_POPULAR.c
_PROMOTED = STORE_PROMOTIONS.c

#: Tables that are taken whole at an instant: who is not in the newest snapshot was not sold, or too seldom.
SNAPSHOTS: tuple[Table, ...] = (
    PRODUCT_STATS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_NEIGHBOURS,
    STORE_POPULAR,
    PRODUCT_TRENDS,
)
#: Columns of `Catalogue.stats`.
STATS: tuple[str, ...] = (
    _STATS.baskets_1w, _STATS.baskets_4w, _STATS.baskets_13w, _STATS.baskets_52w,
    _STATS.households_52w, _STATS.repeat_households_52w,
    _STATS.mean_price_13w, _STATS.last_price, _STATS.discount_share_4w,
)  # fmt: skip
#: Complete Journey's codes; a product's code becomes its position here, 0 for none.
DISPLAYS = "0123456789A"
MAILERS = "0ACDFHJLPXZ"

_EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Popular:
    """A store's most bought products: catalogue rows, and scores beside them, best first."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Promoted:
    """A store's promotions: catalogue rows, and positions in DISPLAYS and MAILERS beside them."""

    rows: NDArray[np.int64]
    displays: NDArray[np.int8]
    mailers: NDArray[np.int8]


class Catalogue:
    """Products and stores as of one moment. A product's row is its position in `product_ids`.

    Attributes:
        product_ids: ascending.
        stats: products x STATS, NaN where unknown.
        trends: products x TRENDS.
        occasions: when and in what baskets products are bought.
        returns: how soon products are bought again.
        neighbours: products x NEIGHBOURS rows, `len(catalogue)` where there are fewer.
        neighbour_scores: cosine beside each of them, 0 where there are fewer.
        popular, promoted: by store; ALL_STORES stands for all of them.
        until: when the first of the promotions ends, `None` without any.
    """

    def __init__(
        self,
        product_ids: NDArray[np.int64],
        types: NDArray[np.int64],
        stats: NDArray[np.float32],
        trends: NDArray[np.float32],
        occasions: Occasions,
        returns: Returns,
        neighbours: NDArray[np.int32],
        neighbour_scores: NDArray[np.float32],
        popular: Mapping[int, Popular],
        promoted: Mapping[int, Promoted],
    ) -> None:
        self.product_ids = product_ids
        self._types = np.append(types, -1)  # the row of an unlisted product, -1, is that of the last
        self.stats = stats
        self.trends = trends
        self.occasions = occasions
        self.returns = returns
        self.neighbours = neighbours
        self.neighbour_scores = neighbour_scores
        self.popular = popular
        self.promoted = promoted
        self.until: datetime | None = None

    def __len__(self) -> int:
        return len(self.product_ids)

    @classmethod
    def from_tables(cls, tables: Mapping[Table, pa.Table], at: datetime | None = None) -> Catalogue:
        """From rows as of one moment, one per product or store.

        Args:
            tables: those of CATALOGUE_TABLES and PRODUCTS, where a product's last row wins. Of each snapshot
                table only the newest snapshot counts.
            at: promotions that ended at or before it are left out.
        """
        # Training reads no other; a product that is not in it any more is online with its last row.
        tables = {**tables, **{table: _newest(table, tables[table]) for table in SNAPSHOTS}}
        product_stats = tables[PRODUCT_STATS]
        ids = _numbers(product_stats, _STATS.product_id).astype(np.int64)
        order = np.argsort(ids)
        ids = ids[order]
        stats = np.stack([_numbers(product_stats, name)[order] for name in STATS], axis=1)
        types = _types(ids, tables[PRODUCTS])
        occasions, returns = tables[PRODUCT_OCCASIONS], tables[PRODUCT_RETURNS]
        promotions = tables[STORE_PROMOTIONS]
        if at is not None:
            ends = promotions[_PROMOTED.valid_to]
            promotions = promotions.filter(pc.greater(ends, pa.scalar(at, ends.type)))
        made = cls(
            ids,
            types,
            stats.astype(np.float32),
            _trends(ids, tables[PRODUCT_TRENDS], stats),
            Occasions.of(types, _listed(ids, occasions, PRODUCT_OCCASIONS.c.product_id), occasions),
            Returns.of(types, _listed(ids, returns, PRODUCT_RETURNS.c.product_id), returns),
            *_neighbours(ids, tables[PRODUCT_NEIGHBOURS]),
            dict(_popular(ids, tables[STORE_POPULAR])),
            dict(_promoted(ids, promotions)),
        )
        made.until = pc.min(promotions[_PROMOTED.valid_to]).as_py()
        return made

    @classmethod
    def bare(cls, product_ids: Sequence[int] | NDArray[np.int64]) -> Catalogue:
        """One that lists products and knows nothing else."""
        ids = np.unique(np.asarray(product_ids, dtype=np.int64))
        near = np.full((len(ids), NEIGHBOURS), len(ids), np.int32)
        stats = np.full((len(ids), len(STATS)), np.nan, np.float32)
        types = np.full(len(ids), -1)
        no_occasions = Occasions.of(types, _EMPTY, PRODUCT_OCCASIONS.arrow_schema.empty_table())
        no_returns = Returns.of(types, _EMPTY, PRODUCT_RETURNS.arrow_schema.empty_table())
        sold = _trends(ids, PRODUCT_TRENDS.arrow_schema.empty_table(), stats)
        no_scores = np.zeros_like(near, np.float32)
        return cls(ids, types, stats, sold, no_occasions, no_returns, near, no_scores, {}, {})

    def with_trends(self, product_trends: pa.Table) -> Catalogue:
        """The same catalogue on another day."""
        other = copy.copy(self)
        other.trends = _trends(self.product_ids, product_trends, self.stats)
        return other

    def rows(self, product_ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each product, -1 for those not listed."""
        return rows_of(self.product_ids, np.asarray(product_ids, dtype=np.int64))

    def types(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of each product's type, equal for products of one type, -1 where none is known."""
        return self._types[rows]

    def popular_in(self, store_id: int | None) -> Popular:
        """The store's popular products, those of all stores where it is unknown."""
        popular = self.popular.get(store_id or ALL_STORES) or self.popular.get(ALL_STORES)
        return popular or Popular(_EMPTY, np.empty(0, np.float32))

    def affinity(self, rows: NDArray[np.int64], weights: NDArray[Any]) -> NDArray[np.float64]:
        """Weighted sum, for every product, of how often it is bought with these (dense, by row)."""
        scores = self.neighbour_scores[rows] * weights[:, None]
        dense: NDArray[np.float64] = np.bincount(
            self.neighbours[rows].ravel(), scores.ravel(), len(self) + 1
        ).astype(np.float64)
        return dense[: len(self)]

    def strongest(self, rows: Iterable[int]) -> NDArray[np.float32]:
        """For every product, how often it is bought with that of these which it goes with best."""
        best = np.zeros(len(self) + 1, np.float32)
        for row in rows:
            near = self.neighbours[row]
            best[near] = np.maximum(best[near], self.neighbour_scores[row])
        return best[: len(self)]


def rows_of(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of the wanted stands in ascending ids, -1 for those that are not there."""
    if len(ids) == 0:
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[places] == wanted, places, -1)


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    return np.asarray(table[name].to_numpy())


def _flat(table: pa.Table, name: str) -> tuple[NDArray[np.int64], pa.Array]:
    """Lengths and elements of a list column."""
    lists = table[name].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], lists.type)
    return lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten()


def _listed(ids: NDArray[np.int64], table: pa.Table, name: str) -> NDArray[np.int64]:
    return rows_of(ids, _numbers(table, name).astype(np.int64))


def _newest(contract: Table, table: pa.Table) -> pa.Table:
    """Rows of the newest snapshot."""
    times = table[contract.c.event_timestamp]
    return table.filter(pc.equal(times, pc.max(times)))


def _trends(ids: NDArray[np.int64], table: pa.Table, stats: NDArray[Any]) -> NDArray[np.float32]:
    usual, price = (stats[:, STATS.index(name)] for name in (_STATS.baskets_4w, _STATS.mean_price_13w))
    return trends(_listed(ids, table, PRODUCT_TRENDS.c.product_id), table, usual, price)


def _types(ids: NDArray[np.int64], table: pa.Table) -> NDArray[np.int64]:
    rows = _listed(ids, table, _DETAILS.product_id)
    named = table[_DETAILS.product_type].combine_chunks().dictionary_encode()
    if isinstance(named, pa.ChunkedArray):
        named = named.combine_chunks()
    types = np.full(len(ids), -1)
    types[rows[rows >= 0]] = named.indices.fill_null(-1).to_numpy(zero_copy_only=False)[rows >= 0]
    return types


def _neighbours(ids: NDArray[np.int64], table: pa.Table) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    near = np.full((len(ids), NEIGHBOURS), len(ids), np.int32)
    scores = np.zeros((len(ids), NEIGHBOURS), np.float32)
    lengths, elements = _flat(table, _NEAR.neighbour_ids)
    products = np.repeat(_listed(ids, table, _NEAR.product_id), lengths)
    others = rows_of(ids, elements.to_numpy())
    rank = np.arange(len(others)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    usable = (products >= 0) & (others >= 0) & (rank < NEIGHBOURS)
    place = products[usable], rank[usable]
    near[place] = others[usable]
    scores[place] = _flat(table, _NEAR.scores)[1].to_numpy()[usable]
    return near, scores


def _popular(ids: NDArray[np.int64], table: pa.Table) -> Iterable[tuple[int, Popular]]:
    lengths, elements = _flat(table, _POPULAR.product_ids)
    rows, scores = rows_of(ids, elements.to_numpy()), _flat(table, _POPULAR.scores)[1].to_numpy()
    for store, part in _parts(_numbers(table, _POPULAR.store_id), lengths):
        known = rows[part] >= 0
        yield store, Popular(rows[part][known], scores[part][known])


def _promoted(ids: NDArray[np.int64], table: pa.Table) -> Iterable[tuple[int, Promoted]]:
    lengths, elements = _flat(table, _PROMOTED.product_ids)
    rows = rows_of(ids, elements.to_numpy())
    displays = _codes(_flat(table, _PROMOTED.displays)[1], DISPLAYS)
    mailers = _codes(_flat(table, _PROMOTED.mailers)[1], MAILERS)
    for store, part in _parts(_numbers(table, _PROMOTED.store_id), lengths):
        known = rows[part] >= 0
        yield store, Promoted(rows[part][known], displays[part][known], mailers[part][known])


def _parts(stores: NDArray[Any], lengths: NDArray[np.int64]) -> Iterable[tuple[int, slice]]:
    ends = np.cumsum(lengths)
    for store, start, end in zip(stores.tolist(), ends - lengths, ends, strict=True):
        yield int(store), slice(start, end)


def _codes(values: pa.Array, codes: str) -> NDArray[np.int8]:
    found = pc.index_in(values, value_set=pa.array(list(codes))).fill_null(0)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int8)
