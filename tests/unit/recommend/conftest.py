"""A channel whose catalogue changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from mercato.contracts.tables.features import (
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato_models.recommend import channels
from tests.unit.recommend import world
from tests.unit.recommend.world import NOW, PRODUCTS

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    """Snapshots at NOW and a week later, whose popularity differs."""
    later = world.product_stats(NOW + WEEK)
    column = PRODUCT_STATS.c.baskets_4w
    place = later.schema.get_field_index(column)
    later = later.set_column(place, later.schema.field(column), pa.array([7] * len(PRODUCTS), pa.int32()))
    for contract, tables in (
        (PRODUCT_STATS, [later, world.product_stats()]),
        (PRODUCT_TRENDS, [world.product_trends(), world.product_trends(NOW + DAY).slice(1)]),
        (PRODUCT_OCCASIONS, [world.product_occasions()]),
        (PRODUCT_RETURNS, [world.product_returns()]),
        (PRODUCT_NEIGHBOURS, [world.product_neighbours()]),
        (STORE_POPULAR, [world.store_popular()]),
        (STORE_PROMOTIONS, [world.store_promotions()]),
    ):
        channels.write(tmp_path, pa.concat_tables(tables), contract)
    moved = world.product_details(NOW + WEEK, ["TYPE 8", *world.TYPES[1:]])
    channels.write_details(tmp_path, pa.concat_tables([moved, world.product_details()]))
    return tmp_path
