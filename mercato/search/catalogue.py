"""The catalogue as the lake has it, ready to be indexed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mercato.contracts.events import PRODUCTS, Product
from mercato.contracts.search import ProductDocument
from mercato.contracts.tables import silver
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import PRODUCT_STATS
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato.search.documents import document

_STATS = PRODUCT_STATS.c


class NoCatalogueError(MercatoError):
    """The lake has no products."""


def documents(lake: Lake) -> Iterator[ProductDocument]:
    """One document per product, of its newest event and its newest weekly figures.

    Raises:
        NoCatalogueError: silver has no products.
    """
    products = newest(
        lake.read_arrow(silver.PRODUCTS), PRODUCTS.key, PRODUCTS.c.event_time, PRODUCTS.c.event_id
    )
    if not products.num_rows:
        raise NoCatalogueError(
            f"{silver.PRODUCTS.name} in {lake.uri} is empty: `mercato replay`, `mercato ingest` and "
            "`mercato run` fill it."
        )
    popularity = _popularity(lake, PRODUCT_STATS)
    for row in products.select(list(PRODUCTS.c)).to_pylist():
        product = Product(**row)
        yield document(product, popularity.get(product.product_id, 0.0))


def newest(rows: pa.Table, key: str, *order: str) -> pa.Table:
    """Of the rows with the same key the last by these columns, the first of which is a time."""
    ordered = rows.sort_by([(name, "descending") for name in order])
    first = ordered.append_column(_ROW, pa.array(range(ordered.num_rows), pa.int64()))
    kept = first.group_by(key, use_threads=False).aggregate([(_ROW, "min")])
    return ordered.take(kept[f"{_ROW}_min"])


_ROW = "row"


def _popularity(lake: Lake, table: Table) -> dict[int, Any]:
    stats = newest(lake.read_arrow(table), _STATS.product_id, _STATS.event_timestamp)
    baskets = pc.cast(stats[_STATS.baskets_13w], pa.float64())
    return dict(zip(stats[_STATS.product_id].to_pylist(), baskets.to_pylist(), strict=True))
