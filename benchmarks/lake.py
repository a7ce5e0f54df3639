"""The lake: Kafka -> bronze, and bronze -> silver on Sail and on Spark.

python -m benchmarks.lake                   # on the Kafka that `mercato up kafka` started
python -m benchmarks.lake --households 300 --engines sail

Events are the replayed year under a topic prefix of its own, removed at the end with its lake.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from benchmarks.machine import describe_machine, write_result
from glue_jobs.bronze import stream
from glue_jobs.catalog import select
from glue_jobs.main import run_jobs
from mercato.contracts.events import TOPICS
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import TRANSACTIONS
from mercato.lake.ingest import Ingester
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.replay.run import Request, run
from mercato.settings import Settings, get_settings
from mercato.stream.topics import kafka_name


def rate(events: int, seconds: float) -> dict[str, float]:
    """Events, seconds and events per second."""
    figures = {"events": events, "seconds": round(seconds, 2), "events_per_second": round(events / seconds)}
    print(f"  {events:,} events in {seconds:.1f} s: {events / seconds:,.0f}/s", flush=True)
    return figures


def bronze(settings: Settings) -> dict[str, float]:
    """Copy all topics with the ingester, from nothing."""
    started = time.perf_counter()
    ingester = Ingester(settings, Lake(settings.lake_uri))
    try:
        return rate(ingester.run_once(), time.perf_counter() - started)
    finally:
        ingester.close()


def bronze_on_spark(settings: Settings, lake: Lake) -> dict[str, float]:
    """Copy all topics with Structured Streaming, from nothing, without the session's start."""
    with connect(settings, "spark") as spark:
        started = time.perf_counter()
        for topic in TOPICS.values():
            stream.start(spark, settings, lake, topic).awaitTermination()
        seconds = time.perf_counter() - started
    return rate(sum(lake.rows(table) for table in BRONZE.values()), seconds)


def silver(settings: Settings, engine: str) -> dict[str, Any]:
    """Decode the bronze tables into a silver layer of their own, without the session's start."""
    lake = Lake(f"{settings.lake_uri}-{engine}", Lake(settings.lake_uri))
    with connect(settings, engine) as spark:
        # Without Kafka's address nothing is told: there is nothing to tell.
        runs = run_jobs(spark, Settings(home=settings.home), lake, select(layers=["silver"]))
    events, seconds = sum(done.rows_in for done in runs), sum(done.seconds for done in runs)
    transactions = next(done for done in runs if done.job == TRANSACTIONS.name)
    return {
        **rate(events, seconds),
        "refused": sum(done.refused for done in runs),
        "transactions": rate(transactions.rows_in, transactions.seconds),
    }


def main() -> None:
    """Measure, and write `{home}/bench/lake.json`."""
    parser = argparse.ArgumentParser(description="Events per second into bronze and silver.")
    parser.add_argument("--households", type=int, help="all unless given")
    parser.add_argument("--engines", nargs="*", default=["sail", "spark"])
    args = parser.parse_args()
    common, machine = get_settings(), describe_machine()
    home = Path(tempfile.mkdtemp(prefix="bench-lake-", dir=common.home))
    settings = Settings(
        home=home,
        jars_dir=common.jars_dir,
        topic_prefix=f"bench{uuid.uuid4().hex[:8]}.",
        kafka_bootstrap=common.require("kafka_bootstrap"),
    )
    try:
        run(settings, Request(households=args.households))
        print("Kafka -> bronze, mercato ingest", flush=True)
        figures: dict[str, Any] = {
            "machine": machine,
            "households": args.households,
            "bronze": bronze(settings),
        }
        if "spark" in args.engines:
            print("Kafka -> bronze, Structured Streaming", flush=True)
            figures["bronze_on_spark"] = bronze_on_spark(settings, Lake(f"{settings.lake_uri}-stream"))
        for engine in args.engines:
            print(f"bronze -> silver, {engine}", flush=True)
            figures[f"silver_on_{engine}"] = silver(settings, engine)
        print(write_result("lake", figures))
    finally:
        names = [name for topic in TOPICS.values() for name in (topic.name, topic.quarantine)]
        admin = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")})
        for future in admin.delete_topics([kafka_name(settings, name) for name in names]).values():
            future.exception()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
