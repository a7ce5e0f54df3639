"""Products, neighbours, popularity and promotions as people are told about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lambdas.api.popular import Described
from mercato.contracts.tables import features, silver
from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.evidence import Store
from mercato.decisions.fallback import Popular
from mercato.online import views

_DETAILS = silver.PRODUCTS.c
_STATS = features.PRODUCT_STATS.c
_NEIGHBOURS = features.PRODUCT_NEIGHBOURS.c
_POPULAR = features.STORE_POPULAR.c
_PROMOTIONS = features.STORE_PROMOTIONS.c


class Shop:
    """The catalogue views of one materialisation, ready to be looked up.

    Args:
        tables: `OnlineFeatures.catalogue()`: rows by view name.
        now: promotions that ended before it are left out.
    """

    def __init__(self, tables: Mapping[str, pa.Table], now: datetime) -> None:
        self.popular = {
            store: Popular(ids, scores)
            for store, ids, scores in _columns(
                tables[views.STORE_POPULAR.name], _POPULAR.store_id, _POPULAR.product_ids, _POPULAR.scores
            )
        }
        self._described = _described(tables)
        self._neighbours = _Lists(
            tables[views.PRODUCT_NEIGHBOURS.name],
            _NEIGHBOURS.product_id,
            _NEIGHBOURS.neighbour_ids,
            _NEIGHBOURS.scores,
        )
        self._promotions = {
            store: dict(zip(ids, zip(displays, mailers, strict=True), strict=True))
            for store, ends, ids, displays, mailers in _columns(
                tables[views.STORE_PROMOTIONS.name],
                _PROMOTIONS.store_id,
                _PROMOTIONS.valid_to,
                _PROMOTIONS.product_ids,
                _PROMOTIONS.displays,
                _PROMOTIONS.mailers,
            )
            if ends > now
        }
        self._stores = {
            store: Store(
                store if store != ALL_STORES else None,
                self._promotions.get(store, {}),
                {product_id: rank for rank, product_id in enumerate(popular.product_ids, 1)},
            )
            for store, popular in self.popular.items()
        }

    def describe(self, product_id: int) -> Described | None:
        """What the catalogue says of a product, `None` if it has no such."""
        return self._described.get(product_id)

    def neighbours(self, product_id: int) -> tuple[Sequence[int], Sequence[float]]:
        """Products bought together with it and how strongly, strongest first."""
        return self._neighbours.of(product_id)

    def store(self, store_id: int | None) -> Store:
        """What the store promotes and sells most; all stores for `None` or an unknown one."""
        found = self._stores.get(store_id or ALL_STORES) or self._stores.get(ALL_STORES)
        return found or Store(None, {}, {})


class _Lists:
    """Two list columns by key, held flat: thirty thousand Python lists would take fifty times the room."""

    def __init__(self, table: pa.Table, key: str, ids: str, scores: str) -> None:
        columns = table.combine_chunks()
        lists = columns[ids].combine_chunks()
        self._rows = {key: row for row, key in enumerate(columns[key].to_pylist())}
        self._offsets: NDArray[np.int64] = np.concatenate(
            [[0], np.cumsum(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))]
        ).astype(np.int64)
        self._ids = lists.flatten().to_numpy()
        self._scores = columns[scores].combine_chunks().flatten().to_numpy()

    def of(self, key: int) -> tuple[Sequence[int], Sequence[float]]:
        row = self._rows.get(key)
        if row is None:
            return (), ()
        start, end = self._offsets[row], self._offsets[row + 1]
        return self._ids[start:end].tolist(), self._scores[start:end].tolist()


def _described(tables: Mapping[str, pa.Table]) -> dict[int, Described]:
    """Every product that has details or was sold in the last year."""
    prices = dict(_columns(tables[views.PRODUCT_STATS.name], _STATS.product_id, _STATS.last_price))
    described = {
        product_id: Described(product_id, kind, category, department, brand, size, prices.get(product_id))
        for product_id, kind, category, department, brand, size in _columns(
            tables[views.PRODUCT_DETAILS.name],
            _DETAILS.product_id,
            _DETAILS.product_type,
            _DETAILS.category,
            _DETAILS.department,
            _DETAILS.brand,
            _DETAILS.package_size,
        )
    }
    bare = {product_id: Described(product_id, price=price) for product_id, price in prices.items()}
    return bare | described


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    """Rows of some columns as plain Python values."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)
