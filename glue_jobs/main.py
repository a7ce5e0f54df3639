"""The sole launcher of jobs, on one machine and as a Glue or EMR entry script.

    python -m glue_jobs.main --job gold.customer_360 --lake-uri s3://bucket/lake
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glue_jobs.catalog import CATALOG, select
from glue_jobs.jobs import Job
from glue_jobs.runner import Run, Runner
from mercato.lake.quarantine import publisher
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings, get_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def runner(settings: Settings, lake: Lake, engine: str | None = None) -> Iterator[Runner]:
    """A runner on a session of its own; refused records are published where Kafka has an address."""
    with connect(settings, engine) as spark:
        yield runner_on(spark, settings, lake)


def runner_on(spark: SparkSession, settings: Settings, lake: Lake) -> Runner:
    """A runner on a session that somebody else made, such as Glue's."""
    return Runner(spark, lake, CATALOG, publisher(settings))


def run_jobs(
    run: Runner, jobs: Iterable[Job], full: bool = False, on_run: Callable[[Run], None] = lambda _run: None
) -> list[Run]:
    """Run jobs one after another, reporting each as it ends."""
    runs = []
    for job in jobs:
        runs.append(run.run(job, full))
        on_run(runs[-1])
    return runs


def main(arguments: list[str] | None = None) -> None:
    """Entry point of a Glue or EMR job; unknown arguments, which these services add, are ignored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", action="append", default=[], help="target table; repeatable; all by default")
    parser.add_argument("--lake-uri", default=None, help="root of the lake; MERCATO_LAKE_URI by default")
    parser.add_argument("--engine", default=None, help="sail, spark or sc://host:port")
    parser.add_argument("--full", action="store_true", help="compute anew even if nothing is new")
    args, _ = parser.parse_known_args(arguments)
    settings = get_settings()
    with runner(settings, Lake(args.lake_uri or settings.lake_uri), args.engine) as run:
        for done in run_jobs(run, select(args.job), args.full):
            print(json.dumps(dataclasses.asdict(done)), file=sys.stdout)


if __name__ == "__main__":
    main()
