"""A basket is its household's: another household may have one of the same id."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from glue_jobs.catalog import CATALOG
from glue_jobs.gold.basket_lines import basket_lines
from glue_jobs.jobs import GoldJob
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import PRODUCTS, TRANSACTIONS
from tests.unit.gold.conftest import MONDAY, WEEK, frame, rows, scanned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TRANSACTIONS.c
HOUSEHOLDS = 8
JOBS = [
    job
    for job in CATALOG.values()
    if isinstance(job, GoldJob) and not {BASKET_LINES, TRANSACTIONS}.isdisjoint(job.sources)
]


def shop() -> list[dict[str, Any]]:
    """Baskets of several products; no two households have one of the same id."""
    draw = random.Random(3)
    return [
        scanned(1 + basket % HOUSEHOLDS, 1 + basket, product, MONDAY + WEEK * draw.randrange(30))
        for basket in range(300)
        for product in draw.sample(range(1, 9), draw.randint(1, 4))
    ]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.target.short_name)
def test_ids_that_households_share_change_no_figure(spark: SparkSession, job: GoldJob) -> None:
    own = shop()
    shared = [{**scan, T.basket_id: 1 + (scan[T.basket_id] - 1) // HOUSEHOLDS} for scan in own]
    columns = [name for name in job.target.c if name != T.basket_id]
    one, other = (
        sorted(str([row[name] for name in columns]) for row in made(spark, job, scans))
        for scans in (own, shared)
    )
    assert len(one) > 0
    assert one == other


def made(spark: SparkSession, job: GoldJob, scans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table made from these scans and no catalogue."""
    transactions = frame(spark, TRANSACTIONS, scans)
    sources = {
        TRANSACTIONS: transactions,
        BASKET_LINES: basket_lines(transactions),
        PRODUCTS: frame(spark, PRODUCTS, []),
    }
    return rows(job.transform(*(sources[source] for source in job.sources)))
