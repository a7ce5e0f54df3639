"""Running after each slice of events gives the same tables as one run over all of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from glue_jobs.catalog import CATALOG, select
from glue_jobs.jobs import GoldJob
from glue_jobs.main import run_jobs
from glue_jobs.runner import Run, Runner
from mercato.contracts.events import (
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    Placement,
    Product,
    Promotion,
    Topic,
    Transaction,
)
from mercato.contracts.tables.base import Table
from mercato.lake.maintenance import maintain
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from tests.integration.records import write_bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUSEHOLDS = 12
Slice = dict[Topic, list[bytes]]


def slices(seed: int) -> list[Slice]:
    """Four slices of a small shop; lines of one basket, and old baskets, come late at times.

    Households have the same basket ids, in whatever slices.
    """
    chance = random.Random(seed)
    parts: list[Slice] = [{TRANSACTIONS: [], PRODUCTS: [], PROMOTIONS: []} for _ in range(4)]
    for number in range(30):
        product = Product(
            event_id=f"product{number}",
            event_time=START,
            product_id=1 + number,
            manufacturer_id=1,
            department=f"department {number % 4}",
            brand="own",
        )
        parts[0][PRODUCTS].append(PRODUCTS.encode(product))
    for number in range(400):
        day = chance.randrange(120)
        part = min(day // 30 + (chance.random() < 0.1), 3)
        for line in range(chance.randrange(1, 6)):
            event = _line(chance, number, line, START + timedelta(days=day, minutes=number, seconds=line))
            late = chance.random() < 0.05
            parts[min(part + late, 3)][TRANSACTIONS].append(TRANSACTIONS.encode(event))
    for week in range(17):
        begin = START + timedelta(weeks=week)
        promotion = Promotion(
            event_id=f"promotion{week}",
            event_time=begin,
            product_id=1 + week % 30,
            week=1 + week,
            valid_from=begin,
            valid_to=begin + timedelta(weeks=1),
            placements=[Placement(display="1", mailer="A", stores=[1, 2 + week % 2])],
        )
        weekend = msgspec.structs.replace(
            promotion,
            event_id=f"weekend{week}",
            product_id=2 + week % 30,
            valid_from=begin + timedelta(days=4),
            valid_to=begin + timedelta(days=6 + week % 3),
        )
        parts[min(week // 4, 3)][PROMOTIONS] += map(PROMOTIONS.encode, (promotion, weekend))
    # Only one household buys in the last slice: all others must stay as they are.
    event = _line(chance, 1000, 0, START + timedelta(days=121))
    return [*parts, {TRANSACTIONS: [TRANSACTIONS.encode(event)]}]


def _line(chance: random.Random, basket: int, line: int, when: datetime) -> Transaction:
    return Transaction(
        event_id=f"{basket}-{line}",
        event_time=when,
        household_id=1 + basket % HOUSEHOLDS,
        store_id=1 + basket % 3,
        basket_id=1 + basket // HOUSEHOLDS,
        product_id=1 + min(int(chance.expovariate(0.15)), 29),
        quantity=chance.randrange(0, 4),
        sales_value=chance.randrange(1000) / 100,
        retail_disc=chance.randrange(100) / 100,
        coupon_disc=0.0,
        coupon_match_disc=0.0,
        week=1 + (when - START).days // 7,
    )


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    with connect(Settings(home=tmp_path_factory.mktemp("sail")), "sail") as spark:
        yield spark


def run_all(spark: SparkSession, lake: Lake) -> dict[str, Run]:
    return {run.job: run for run in run_jobs(spark, Settings(home=Path(lake.uri)), lake, select())}


def ordered(lake: Lake, table: Table) -> pa.Table:
    rows = lake.read_arrow(table).select([n for n in table.c if n != "ingest_time"])
    return rows.sort_by([(name, "ascending") for name in table.key])


def test_slices_give_what_one_run_gives(tmp_path: Path, sail: SparkSession) -> None:
    sliced, whole = Lake(str(tmp_path / "sliced")), Lake(str(tmp_path / "whole"))
    parts = slices(1)
    runs: dict[str, Run] = {}
    for number, part in enumerate(parts):
        for topic, values in part.items():
            write_bronze(sliced, topic, values)
            write_bronze(whole, topic, values)
        runs = run_all(sail, sliced)
        if number == 2:
            list(maintain(sliced, retain_hours=1))
    run_all(sail, whole)
    for job in CATALOG.values():
        assert ordered(sliced, job.target).equals(ordered(whole, job.target)), job.target.name
        if isinstance(job, GoldJob) and job.refresh_by:
            assert runs[job.target.name].mode == "incremental"
    assert sliced.rows(CATALOG["gold.basket_lines"].target) > 0
    assert {run.mode for run in run_all(sail, sliced).values()} == {"skipped"}


def test_jobs_that_run_at_a_time_keep_what_each_has_staged(tmp_path: Path, sail: SparkSession) -> None:
    """On AWS each job of a level is a process; one removed the changes that another was to read."""
    lake, alone = Lake(str(tmp_path / "lake")), Lake(str(tmp_path / "alone"))
    first, second = CATALOG["gold.product_daily"], CATALOG["gold.price_history"]
    for number, part in enumerate(slices(5)[:2]):
        for topic, values in part.items():
            write_bronze(lake, topic, values)
            write_bronze(alone, topic, values)
        for each in (lake, alone):
            jobs = [*CATALOG] if number == 0 else ["silver.transactions", "silver.products"]
            run_jobs(sail, Settings(home=tmp_path), each, select(jobs))
    assert isinstance(first, GoldJob)
    transform = first.transform

    def meanwhile(*inputs: DataFrame) -> DataFrame:
        assert Runner(sail, lake).run(second).mode == "incremental"
        return transform(*inputs)

    assert Runner(sail, lake).run(replace(first, transform=meanwhile)).mode == "incremental"
    run_jobs(sail, Settings(home=tmp_path), alone, [first, second])
    for job in (first, second):
        assert ordered(lake, job.target).equals(ordered(alone, job.target)), job.target.name


def test_a_table_that_is_made_anew_makes_anew_what_reads_it(tmp_path: Path, sail: SparkSession) -> None:
    lake = Lake(str(tmp_path / "lake"))
    for topic, values in slices(3)[0].items():
        write_bronze(lake, topic, values)
    run_all(sail, lake)
    before = ordered(lake, CATALOG["gold.customer_360"].target)
    (run,) = run_jobs(sail, Settings(home=tmp_path), lake, select(["gold.basket_lines"]), full=True)
    assert run.mode == "full"
    runs = run_all(sail, lake)
    # The same rows in new files: every reader looks, and finds nothing to change.
    assert runs["gold.customer_360"].mode == "incremental"
    assert ordered(lake, CATALOG["gold.customer_360"].target).equals(before)


@pytest.mark.parametrize("commits", [0, 3])
def test_a_source_that_was_dropped_and_made_again_is_read_whole(
    tmp_path: Path, sail: SparkSession, commits: int
) -> None:
    """At the version that was seen it was taken for the same table, at a later one for more of it."""
    lake, whole = Lake(str(tmp_path / "lake")), Lake(str(tmp_path / "whole"))
    write_slice(lake, slices(6)[0])
    run_all(sail, lake)
    lines = CATALOG["gold.basket_lines"]
    (source,) = lines.sources
    seen = lake.version(source)
    assert seen is not None
    shutil.rmtree(lake.path(source))
    write_slice(whole, slices(7)[0])
    run_all(sail, whole)
    lake.append(whole.read(sail, source), source)
    while (lake.version(source) or 0) < seen + commits:
        lake.set_marks(source, {"test": 1})
    assert lake.version(source) == seen + commits
    (run,) = run_jobs(sail, Settings(home=tmp_path), lake, [lines])
    assert run.mode == "full"
    assert ordered(lake, lines.target).equals(ordered(whole, lines.target))
    (run,) = run_jobs(sail, Settings(home=tmp_path), lake, [lines])
    assert run.mode == "skipped"


def test_a_mark_of_the_release_before_gives_one_full_run(tmp_path: Path, sail: SparkSession) -> None:
    lake = Lake(str(tmp_path / "lake"))
    write_slice(lake, slices(6)[0])
    run_all(sail, lake)
    lines = CATALOG["gold.basket_lines"]
    (source,) = lines.sources
    rows = lake.read_arrow(lines.target)
    shutil.rmtree(lake.path(lines.target))
    write_deltalake(lake.create(lines.target), rows, mode="append")
    lake.set_marks(lines.target, {f"{lines.target.name}<-{source.name}": lake.version(source) or 0})
    for mode in ("full", "skipped"):
        (run,) = run_jobs(sail, Settings(home=tmp_path), lake, [lines])
        assert run.mode == mode
    assert ordered(lake, lines.target).equals(rows.sort_by([(n, "ascending") for n in lines.target.key]))


def write_slice(lake: Lake, part: Slice) -> None:
    for topic, values in part.items():
        write_bronze(lake, topic, values)


def test_an_overlay_reads_its_base_and_writes_beside_it(tmp_path: Path, sail: SparkSession) -> None:
    base = Lake(str(tmp_path / "base"))
    for topic, values in slices(4)[0].items():
        write_bronze(base, topic, values)
    run_all(sail, base)
    lines = CATALOG["gold.basket_lines"].target
    held = {table.name: base.version(table) for table in (job.target for job in CATALOG.values())}
    overlay = Lake(str(tmp_path / "overlay"), base)
    fewer = base.read(sail, lines).where("household_id != 1")
    overlay.overwrite(fewer, lines)
    run_jobs(sail, Settings(home=tmp_path), overlay, select(["gold.customer_360"]))
    customers = CATALOG["gold.customer_360"].target
    assert overlay.rows(customers) == base.rows(customers) - 1
    assert {name: base.version(CATALOG[name].target) for name in held} == held
