"""Every job gives the same rows on Sail and on Spark, and each engine goes on with the other's tables."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from pyspark.sql import functions as F

from benchmarks import gold_duckdb
from benchmarks.gold_duckdb_as_of import AS_OF
from glue_jobs.catalog import CATALOG, select
from glue_jobs.jobs import GoldJob
from glue_jobs.runner import Runner
from mercato.contracts.events import PROMOTIONS, TOPICS, Placement, Promotion
from mercato.contracts.tables.features import STORE_PROMOTIONS
from mercato.contracts.tables.silver import PAYMENT_OUTCOMES, QUARANTINE
from mercato.contracts.tables.silver import PROMOTIONS as SILVER_PROMOTIONS
from mercato.lake.tables import Lake
from tests.integration import smallest
from tests.integration.records import write_bronze
from tests.parity.bronze import BROKEN
from tests.parity.conftest import ENGINES, Continued, Engines
from tests.parity.rows import assert_same_rows, rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = [pytest.mark.parity, pytest.mark.slow, pytest.mark.timeout(1200)]

JOBS = pytest.mark.parametrize("name", CATALOG)


@JOBS
def test_both_engines_give_the_same_rows(filled: Engines, name: str) -> None:
    sail, spark = (filled.lakes[engine] for engine in ENGINES)
    found = rows(sail, CATALOG[name].target)
    assert len(found) > 0
    assert_same_rows(found, rows(spark, CATALOG[name].target), CATALOG[name].target)


@JOBS
def test_each_engine_continues_the_others_table(continued: Continued, name: str) -> None:
    job = CATALOG[name]
    for first, lake in continued.crossed.items():
        run = continued.runs[first][name]
        # The catalogue of products changes too: what is made from it is made anew.
        merges = not isinstance(job, GoldJob) or all(job.refresh_by in source.c for source in job.sources)
        assert run.mode == ("incremental" if merges else "full")
        assert_same_rows(rows(lake, job.target), rows(continued.anew, job.target), job.target)


def test_promotions_that_overlap_are_the_same_on_both_engines(engines: Engines, tmp_path: Path) -> None:
    """Those of the year all begin and end with a week, and are told of before."""
    draw, events = random.Random(1), []
    for number in range(300):
        begins = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=draw.randrange(200))
        placements = [
            Placement(
                display=draw.choice("0A7"), mailer=draw.choice("0DH"), stores=draw.sample(range(1, 9), 3)
            )
            for _ in range(2)
        ]
        event = Promotion(
            event_id=str(number), event_time=begins + timedelta(days=draw.randint(-5, 5)),
            product_id=draw.randint(1, 30), week=1,
            valid_from=begins, valid_to=begins + timedelta(days=draw.randint(1, 20)), placements=placements,
        )  # fmt: skip
        events.append(PROMOTIONS.encode(event))
    base = Lake(str(tmp_path / "base"))
    write_bronze(base, PROMOTIONS, events)
    found = []
    for engine in ENGINES:
        lake, jobs = Lake(str(tmp_path / engine), base=base), ("silver.promotions", STORE_PROMOTIONS.name)
        for name in jobs:
            Runner(engines.sessions[engine], lake).run(CATALOG[name])
        found.append(rows(lake, STORE_PROMOTIONS))
    assert len(found[0]) > 500
    assert_same_rows(found[0], found[1], STORE_PROMOTIONS)
    by_hand = duckdb.connect()
    by_hand.execute("set TimeZone = 'UTC'")
    promotions = Lake(str(tmp_path / "sail")).read_arrow(SILVER_PROMOTIONS)
    by_hand.register("promotions", promotions)
    assert_same_rows(found[0], by_hand.sql(AS_OF["store_promotions"]).to_arrow_table(), STORE_PROMOTIONS)


def test_one_of_the_smallest_shops_is_the_same_on_both_engines(engines: Engines, tmp_path: Path) -> None:
    """One of them: Spark takes a minute for each. Sail, which failed on some, makes all (test_smallest)."""
    base = Lake(str(tmp_path / "base"))
    smallest.write(base, "one-product")
    lakes = {engine: Lake(str(tmp_path / engine), base=base) for engine in ENGINES}
    for job in select(smallest.JOBS, smallest.LAYERS):
        for engine, lake in lakes.items():
            Runner(engines.sessions[engine], lake).run(job)
        sail, spark = (rows(lake, job.target) for lake in lakes.values())
        assert_same_rows(sail, spark, job.target)


def test_both_engines_refuse_the_same_records(continued: Continued) -> None:
    sail, spark = (rows(continued.crossed[engine], QUARANTINE) for engine in ENGINES)
    assert len(sail) == len(TOPICS) * (len(BROKEN) + 1)
    assert_same_rows(sail, spark, QUARANTINE)


#: Every way in which rows come into a table.
WRITES: dict[str, Callable[[Lake, DataFrame], None]] = {
    "append": lambda lake, new: lake.append(new, PAYMENT_OUTCOMES),
    "replace": lambda lake, new: lake.replace(new, new, PAYMENT_OUTCOMES),
    "overwrite": lambda lake, new: lake.overwrite(new, PAYMENT_OUTCOMES),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_made_before_its_contract_gained_a_column_is_read_and_gains_it(
    filled: Engines, engine: str, write: str, tmp_path: Path
) -> None:
    session, lake, c = filled.sessions[engine], Lake(str(tmp_path)), PAYMENT_OUTCOMES.c
    held = rows(filled.lakes[engine], PAYMENT_OUTCOMES)
    write_deltalake(lake.path(PAYMENT_OUTCOMES), held.drop_columns(c.note))
    assert lake.read(session, PAYMENT_OUTCOMES).where(f"{c.note} IS NULL").count() == len(held)
    new = filled.lakes[engine].read(session, PAYMENT_OUTCOMES).limit(1).withColumn(c.note, F.lit("seen"))
    WRITES[write](lake, new)
    written = lake.read(session, PAYMENT_OUTCOMES)
    assert written.where(F.col(c.note) == "seen").count() == 1
    others = {"append": len(held), "replace": len(held) - 1, "overwrite": 0}
    assert written.count() == others[write] + 1


def test_a_script_written_by_hand_gives_the_same_gold(
    filled: Engines, continued: Continued, tmp_path: Path
) -> None:
    gold_duckdb.run(filled.bronze.lake.uri, tmp_path, "2GB", tmp_path / "spill")
    for job in CATALOG.values():
        if isinstance(job, GoldJob):
            by_hand = pq.read_table(tmp_path / f"{job.target.short_name}.parquet")
            assert_same_rows(rows(continued.anew, job.target), by_hand, job.target)
