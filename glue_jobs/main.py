"""The sole launcher of jobs, on one machine and as a Glue or EMR entry script.

python -m glue_jobs.main --job gold.customer_360 --lake-uri s3://bucket/lake --engine active
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from glue_jobs.bronze import stream
from glue_jobs.catalog import select
from glue_jobs.jobs import Job
from glue_jobs.runner import Run, Runner
from mercato.contracts.events import TOPICS, Topic
from mercato.lake.lock import exclusive
from mercato.lake.maintenance import Upkeep, maintain
from mercato.lake.quarantine import publish
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings, get_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run_jobs(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    jobs: Iterable[Job],
    *,
    full: bool = False,
    stop: threading.Event | None = None,
    on_start: Callable[[Job], None] = lambda _job: None,
    on_run: Callable[[Run], None] = lambda _run: None,
) -> list[Run]:
    """Run jobs one after another, then tell Kafka, where it has an address, what was refused.

    Only one process at a time runs jobs on a lake; another waits for its turn.

    Args:
        full: go through all rows even if nothing is new.
        stop: begin no other job once it is set.
        on_start: called as each job starts.
        on_run: called as each job ends.
    """
    with exclusive(lake):
        runner, runs = Runner(spark, lake), []
        for job in jobs:
            if stop and stop.is_set():
                break
            on_start(job)
            runs.append(runner.run(job, full))
            on_run(runs[-1])
        if settings.endpoint("kafka_bootstrap"):
            publish(settings, lake)
    return runs


def main(arguments: list[str] | None = None) -> None:
    """Entry point of a Glue or EMR job; unknown arguments, which these services add, are ignored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--job", action="append", default=[], help="target table; repeatable; all by default")
    parser.add_argument("--layer", action="append", default=[], help="jobs of this layer; repeatable")
    parser.add_argument("--lake-uri", help="root of the lake; MERCATO_LAKE_URI by default")
    parser.add_argument("--base-uri", help="lake to read what the first lacks")
    parser.add_argument(
        "--stream", type=_topics, metavar="TOPIC,...", help="copy these topics to bronze instead (Spark only)"
    )
    parser.add_argument("--follow", action="store_true", help="with --stream: go on until stopped")
    parser.add_argument("--kafka-bootstrap", help="address of Kafka; MERCATO_KAFKA_BOOTSTRAP by default")
    parser.add_argument("--kafka-iam", action="store_true", help="sign in to Kafka (MSK) with the job's role")
    parser.add_argument(
        "--maintain", type=int, metavar="HOURS", help="compact instead, and remove files older than this"
    )
    parser.add_argument("--engine", help="sail, spark, sc://host:port, or active for the session at hand")
    parser.add_argument("--full", action="store_true", help="go through all rows even if nothing is new")
    args, _ = parser.parse_known_args(arguments)
    given = {
        "lake_uri": args.lake_uri,
        "kafka_bootstrap": args.kafka_bootstrap,
        "kafka_auth": "iam" if args.kafka_iam else None,
    }
    settings = get_settings().model_copy(update={name: value for name, value in given.items() if value})
    lake = Lake(settings.lake_uri, Lake(args.base_uri) if args.base_uri else None)
    if args.maintain is not None:
        for upkeep in maintain(lake, args.maintain):
            _print(upkeep)
        return
    with connect(settings, args.engine) as spark:
        if args.stream:
            stream.copy(spark, settings, lake, args.stream, follow=args.follow)
            return
        run_jobs(
            spark,
            settings,
            lake,
            select(args.job, args.layer),
            full=args.full,
            on_run=_print,
        )


def _topics(names: str) -> list[Topic]:
    """One argument, because Glue knows each argument of a job by its name once."""
    unknown = [name for name in names.split(",") if name not in TOPICS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no such topic: {', '.join(unknown)}; there are {', '.join(TOPICS)}"
        )
    return [TOPICS[name] for name in names.split(",")]


def _print(done: Run | Upkeep) -> None:
    print(json.dumps(dataclasses.asdict(done)), flush=True)


if __name__ == "__main__":
    main()
