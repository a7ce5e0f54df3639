"""Gold tables: known answers for small inputs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from glue_jobs.catalog import CATALOG
from glue_jobs.gold.basket_lines import basket_lines
from glue_jobs.gold.customer_360 import customer_360
from glue_jobs.gold.household_product import household_product
from glue_jobs.gold.price_history import price_history
from glue_jobs.gold.product_daily import product_daily
from glue_jobs.gold.product_pairs import product_pairs
from glue_jobs.jobs import GoldJob
from mercato.contracts.arrow import arrow_fields
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import PRODUCTS, TRANSACTIONS
from tests.unit.gold.conftest import DAY, MONDAY, bought, frame, rows, scanned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MINUTE = timedelta(minutes=1)
GOLD = [job for job in CATALOG.values() if isinstance(job, GoldJob)]


@pytest.mark.parametrize("job", GOLD, ids=lambda job: job.target.name)
def test_a_job_gives_its_contract_even_without_rows(spark: SparkSession, job: GoldJob) -> None:
    result = job.transform(*(frame(spark, source, []) for source in job.sources)).toArrow()
    assert [(f.name, f.type) for f in result.schema] == [
        (f.name, f.type) for f in arrow_fields(job.target.row)
    ]
    assert len(result) == 0


def test_a_basket_has_one_time_and_one_line_per_product(spark: SparkSession) -> None:
    scans = [
        scanned(1, 10, 5, MONDAY, quantity=2, sales_value=0.1),
        scanned(1, 10, 5, MONDAY + MINUTE, quantity=1, sales_value=0.2),
        scanned(1, 9, 6, MONDAY + MINUTE),
        scanned(2, 8, 6, MONDAY),
    ]
    found = {
        (row["basket_id"], row["product_id"]): row
        for row in rows(basket_lines(frame(spark, TRANSACTIONS, scans)))
    }
    line = found[10, 5]
    assert (line["quantity"], line["sales_value"], line["basket_time"]) == (3, 0.3, MONDAY + MINUTE)
    # At the same instant the smaller basket id is first.
    assert [found[key]["basket_seq"] for key in ((9, 6), (10, 5), (8, 6))] == [1, 2, 1]


def test_a_household_in_one_row(spark: SparkSession) -> None:
    lines = [
        bought(1, 1, 5, MONDAY, 1, sales_value=3.0, retail_disc=1.0),
        bought(1, 2, 5, MONDAY + DAY, 2, store_id=7),
        bought(1, 2, 6, MONDAY + DAY, 2, store_id=7),
        bought(1, 3, 7, MONDAY + 4 * DAY, 3, store_id=7, coupon_disc=0.5),
    ]
    products = [
        {
            "product_id": product,
            "event_id": str(event),
            "event_time": MONDAY + event * DAY,
            "department": department,
        }
        for product, event, department in (
            (5, 1, "OLD"),
            (5, 2, "GROCERY"),
            (6, 1, "PRODUCE"),
            (7, 1, "PRODUCE"),
        )
    ]
    (row,) = rows(customer_360(frame(spark, BASKET_LINES, lines), frame(spark, PRODUCTS, products)))
    assert (row["baskets"], row["lines"], row["products"], row["spend"]) == (3, 4, 3, 6.0)
    assert (row["mean_basket_value"], row["mean_gap_days"]) == (2.0, 2.0)
    assert (row["favourite_store_id"], row["stores"], row["favourite_store_share"]) == (
        7,
        2,
        pytest.approx(2 / 3),
    )
    assert row["top_department"] == "GROCERY"  # two lines each: the first by name
    assert (row["repeat_share"], row["retail_discount_share"]) == (0.25, pytest.approx(1 / 7))
    assert row["coupon_share"] == pytest.approx(0.5 / 7)


def test_days_count_baskets_and_households_once(spark: SparkSession) -> None:
    scans = [
        scanned(1, 1, 5, MONDAY, quantity=2),
        scanned(1, 1, 5, MONDAY + MINUTE),
        scanned(1, 2, 5, MONDAY),
        scanned(2, 3, 5, MONDAY),
        scanned(2, 4, 5, MONDAY + DAY),
    ]
    first, second = sorted(rows(product_daily(frame(spark, TRANSACTIONS, scans))), key=lambda row: row["day"])
    assert (first["day"], first["units"], first["baskets"], first["households"]) == (
        date(2024, 1, 8),
        5,
        3,
        2,
    )
    assert (second["units"], second["baskets"], second["households"]) == (1, 1, 1)


def test_prices_of_a_unit(spark: SparkSession) -> None:
    prices = {"sales_value": 6.0, "retail_disc": 3.0, "coupon_disc": 1.0, "coupon_match_disc": 1.0}
    scans = [
        scanned(1, 1, 5, MONDAY, quantity=2, **prices),
        scanned(1, 1, 6, MONDAY, quantity=0),
        scanned(1, 1, 7, MONDAY, sales_value=0.0),
    ]
    (row,) = rows(price_history(frame(spark, TRANSACTIONS, scans)))
    assert (row["regular_price"], row["loyalty_price"], row["net_price"]) == (5.0, 3.5, 2.5)
    assert row["discount_share"] == pytest.approx(0.3)


def test_what_a_household_buys(spark: SparkSession) -> None:
    lines = [bought(1, seq, 5, MONDAY + 3 * seq * DAY, seq) for seq in (1, 2, 4)] + [
        bought(1, 4, 6, MONDAY, 4)
    ]
    by_product = {
        row["product_id"]: row for row in rows(household_product(frame(spark, BASKET_LINES, lines)))
    }
    assert (by_product[5]["baskets"], by_product[5]["mean_gap_days"]) == (3, 4.5)
    assert by_product[6]["mean_gap_days"] is None


def test_pairs_need_three_joint_baskets(spark: SparkSession) -> None:
    baskets = [(1, 2)] * 3 + [(1, 3)] * 2 + [(2,), (2,), (3,), (3,), (3,)]
    lines = [
        bought(1, basket, product, MONDAY, basket)
        for basket, products in enumerate(baskets, start=1)
        for product in products
    ]
    found = {
        (row["product_id"], row["neighbour_id"]): row
        for row in rows(product_pairs(frame(spark, BASKET_LINES, lines)))
    }
    assert found.keys() == {(1, 2), (2, 1)}
    assert (found[1, 2]["rank"], found[1, 2]["baskets_together"]) == (1, 3)
    assert found[1, 2]["lift"] == pytest.approx(3 * 10 / (5 * 5))
    assert found[1, 2]["cosine"] == pytest.approx(3 / 5)
