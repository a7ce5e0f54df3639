"""A Sail session and a small shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import TRANSACTIONS
from mercato.lake.session import connect
from mercato.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T, L = TRANSACTIONS.c, BASKET_LINES.c
#: The end of a week: Monday 05:00 UTC.
MONDAY = datetime(2024, 1, 8, 5, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    with connect(Settings(), "sail") as session:
        yield session


def frame(spark: SparkSession, table: Table, rows: list[dict[str, Any]]) -> DataFrame:
    """Rows of a contract; columns that a row leaves out are null."""
    if not rows:
        return spark.createDataFrame([], table.spark_schema)
    schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema))


def rows(result: DataFrame) -> list[dict[str, Any]]:
    """What a job made, by column."""
    found: list[dict[str, Any]] = result.toArrow().to_pylist()
    return found


def scanned(household: int, basket: int, product: int, at: datetime, **more: Any) -> dict[str, Any]:
    """One line of a checkout: one unit for a dollar in store 1 unless said otherwise."""
    return {
        T.event_id: f"{basket}-{product}-{at.timestamp()}",
        T.event_time: at,
        T.household_id: household,
        T.basket_id: basket,
        T.product_id: product,
        T.store_id: 1,
        T.quantity: 1,
        T.sales_value: 1.0,
        T.retail_disc: 0.0,
        T.coupon_disc: 0.0,
        T.coupon_match_disc: 0.0,
        T.week: 1,
        **more,
    }


def bought(
    household: int, basket: int, product: int, at: datetime, seq: int = 1, **more: Any
) -> dict[str, Any]:
    """One row of basket_lines, as of `scanned`."""
    row = scanned(household, basket, product, at, **more)
    return {L.basket_time: at, L.basket_seq: seq, **{name: row[name] for name in L if name in row}}
