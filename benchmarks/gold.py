"""Bronze -> gold: the jobs on Sail and on Spark, beside a hand-written DuckDB script.

    python -m benchmarks.gold                     # the whole year, then ten times its households
    python -m benchmarks.gold --times 1 --households 100 --engines sail duckdb

Every engine reads the same bronze tables and runs in a process of its own; seconds are from its
start to its end, memory is the peak of that process and all that it started.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
from deltalake import write_deltalake

from benchmarks import gold_duckdb
from benchmarks.machine import describe_machine, write_result
from mercato.contracts.events import PRODUCTS, PROMOTIONS, TRANSACTIONS
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.tables import Lake
from mercato.replay.clock import Clock
from mercato.replay.dataset import Dataset, Lines
from mercato.replay.feed import Feed
from mercato.replay.recorded import Products, Promotions, Transactions
from mercato.settings import get_settings

TOPICS = (TRANSACTIONS, PRODUCTS, PROMOTIONS)
ENGINES = ("sail", "duckdb", "spark")
#: What the seconds on Sail may be, as a multiple of the other engine's.
TARGETS = {("duckdb", 1): 2.0, ("duckdb", 10): 1.3, ("spark", 1): 0.2, ("spark", 10): 0.2}
_ROWS_PER_COMMIT = 500_000
_HOUSEHOLD_STEP, _BASKET_STEP = 10**7, 10**12
_POLL_SECONDS = 0.2


def write_bronze(lake: Lake, dataset: Dataset, times: int) -> None:
    """The year's transactions `times` over with shifted households and baskets, products, promotions."""
    start = int(dataset.lines.time[0])
    _write(lake, (Transactions(_shifted(dataset.lines, copy)) for copy in range(times)))
    _write(lake, [Products(dataset.catalogue, start)])
    _write(lake, [Promotions(dataset.placements, start)])


def _shifted(lines: Lines, copy: int) -> Lines:
    return dataclasses.replace(
        lines,
        household_id=lines.household_id + copy * _HOUSEHOLD_STEP,
        basket_id=lines.basket_id + copy * _BASKET_STEP,
    )


def _write(lake: Lake, feeds: Iterable[Feed]) -> None:
    offset = 0
    for feed in feeds:
        for low in range(0, len(feed.times), _ROWS_PER_COMMIT):
            batch = _records(feed, low, min(low + _ROWS_PER_COMMIT, len(feed.times)), offset)
            write_deltalake(lake.path(BRONZE[feed.topic.name]), batch, mode="append")
            offset += len(batch)


def _records(feed: Feed, low: int, high: int, offset: int) -> pa.Table:
    table, topic, clock = BRONZE[feed.topic.name], feed.topic, Clock()
    values = [topic.encode(event) for event in feed.events(low, high, clock)]
    now, count = time.time_ns() // 1000, len(values)
    columns = {
        table.c.key: [None] * count,
        table.c.value: values,
        table.c.topic: [topic.name] * count,
        table.c.partition: [0] * count,
        table.c.offset: range(offset, offset + count),
        table.c.kafka_time: [now] * count,
        table.c.ingest_time: [now] * count,
    }
    schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    return pa.table(columns, schema)


def run_jobs(engine: str, bronze: str, out: str) -> None:
    """Run every job over the three topics into a lake of its own."""
    from glue_jobs.catalog import CATALOG
    from glue_jobs.jobs import SilverJob
    from glue_jobs.runner import Runner
    from mercato.lake.session import connect

    with connect(get_settings(), engine) as spark:
        runner = Runner(spark, Lake(out, base=Lake(bronze)))
        for job in CATALOG.values():
            if not isinstance(job, SilverJob) or job.topic in TOPICS:
                run = runner.run(job)
                print(f"{engine:7s}{run.job:26s}{run.seconds:8.1f} s{run.rows:12,} rows", file=sys.stderr)


def measured(command: list[str]) -> dict[str, float]:
    """Seconds, processor seconds and peak memory of a command and its children.

    Raises:
        RuntimeError: it failed.
    """
    started, peak, used = time.monotonic(), 0, 0.0
    process = psutil.Popen(command)
    while process.poll() is None:
        family = list(_living(process))
        peak = max(peak, sum(memory for memory, _ in family))
        used = max(used, sum(seconds for _, seconds in family))
        time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}; its output is above.")
    seconds = time.monotonic() - started
    return {"seconds": round(seconds, 1), "cpu_seconds": round(used, 1), "peak_mb": round(peak / 1e6)}


def _living(process: psutil.Process) -> Iterator[tuple[int, float]]:
    try:
        members = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in members:
        try:
            times = member.cpu_times()
            yield member.memory_info().rss, times.user + times.system
        except psutil.NoSuchProcess:
            continue


def compare(times: int, engines: Iterable[str], households: int | None, root: Path) -> dict[str, Any]:
    """Every engine on the same bronze, one after another, and Sail's seconds over the others'."""
    bronze = root / "bronze-lake"
    print(f"writing bronze, {times} times the households", file=sys.stderr)
    write_bronze(Lake(str(bronze)), Dataset(households), times)
    this = [sys.executable, "-m", __spec__.name if __spec__ else "benchmarks.gold"]
    results = {}
    for engine in engines:
        command = [*this, "--run", engine, str(bronze), str(root / engine)]
        results[engine] = measured(command)
        print(f"{engine}: {results[engine]}", file=sys.stderr)
    return {
        "events": {topic.name: Lake(str(bronze)).rows(BRONZE[topic.name]) for topic in TOPICS},
        "engines": results,
        "sail_over": _ratios(results, times),
    }


def _ratios(results: dict[str, dict[str, float]], times: int) -> dict[str, Any]:
    return {
        other: {
            "seconds": round(results["sail"]["seconds"] / results[other]["seconds"], 3),
            "cpu_seconds": round(results["sail"]["cpu_seconds"] / results[other]["cpu_seconds"], 3),
            "target": TARGETS.get((other, times)),
        }
        for other in results
        if other != "sail" and "sail" in results
    }


def main() -> None:
    """Measure, print and write `gold.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10], help="multiples of the households")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--households", type=int, help="take only so many of the year's households")
    parser.add_argument("--run", nargs=3, metavar=("ENGINE", "BRONZE", "OUT"), help="one engine, unmeasured")
    arguments = parser.parse_args()
    if arguments.run:
        engine, bronze, out = arguments.run
        if engine == "duckdb":
            gold_duckdb.run(bronze, Path(out), "6GB", Path(out) / "spill")
        else:
            run_jobs(engine, bronze, out)
        return
    result: dict[str, Any] = {"machine": describe_machine(), "households": arguments.households}
    for times in arguments.times:
        with tempfile.TemporaryDirectory(prefix="mercato-bench-") as root:
            result[f"{times}x"] = compare(times, arguments.engines, arguments.households, Path(root))
    print(write_result("gold", result))


if __name__ == "__main__":
    main()
