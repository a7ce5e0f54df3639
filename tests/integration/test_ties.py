"""Events of a product that happen at one instant are one row, that of the last by id, wherever it is read."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from features.materialize import materialize
from features.offline import TIME, historical
from features.snapshot import catalogue
from features.store import apply
from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables.silver import PRODUCTS
from mercato.lake.tables import Lake
from mercato.online.reader import OnlineFeatures
from mercato.online.views import PRODUCT_DETAILS
from mercato.settings import Settings
from tests.integration.feature_rows import random_row

pytestmark = pytest.mark.integration

C = PRODUCTS.c
NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two products; one was told of three times, twice at one instant."""
    lake = Lake(str(tmp_path / "lake"))
    told = [(1, "c", NOW - timedelta(days=1)), (1, "a", NOW), (1, "b", NOW), (2, "d", NOW)]
    chance = random.Random(7)
    rows = [
        dict.fromkeys(C)
        | random_row(PRODUCT_DETAILS, product, time, chance)
        | {C.event_id: event, C.brand: f"brand {event}"}
        for product, event, time in told
    ]
    delta = lake.create(PRODUCTS)
    schema = pa.schema([field.with_nullable(True) for field in PRODUCTS.arrow_schema])
    write_deltalake(delta, pa.Table.from_pylist(rows, schema), mode="append")
    return lake


def brands(rows: pa.Table) -> list[tuple[int, str]]:
    return sorted(zip(rows[C.product_id].to_pylist(), rows[C.brand].to_pylist(), strict=True))


def test_the_last_by_id_counts(
    spark: SparkSession, lake: Lake, own: Settings, online: OnlineFeatures
) -> None:
    known = [(1, "brand b"), (2, "brand d")]
    assert brands(catalogue(spark, lake, NOW)[PRODUCT_DETAILS.name]) == known
    materialize(spark, lake, own, at=NOW)
    assert brands(online.catalogue()[PRODUCT_DETAILS.name]) == known
    asked = pa.table({C.product_id: [1, 2], TIME: pa.array([NOW, NOW], UTC_MICROS)})
    assert brands(historical(spark, lake, apply(own), asked, [PRODUCT_DETAILS])) == known
