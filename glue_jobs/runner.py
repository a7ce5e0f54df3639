"""Run jobs: only what is new, safe to repeat, resumable at every step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Literal

from glue_jobs.jobs import GoldJob, Job, SilverJob
from glue_jobs.silver.decode import decode
from glue_jobs.silver.events import accepted, refused, taken
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.silver import QUARANTINE
from mercato.lake.changes import LogCleanedError
from mercato.lake.tables import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Mode = Literal["skipped", "incremental", "full"]


@dataclass(frozen=True)
class Run:
    """What one run of a job did.

    Attributes:
        job: name of its target.
        mode: `skipped` if nothing was new.
        rows_in: rows that were new in its sources.
        rows: rows of the target afterwards.
        refused: records it sent to the quarantine.
        seconds: how long it took.
    """

    job: str
    mode: Mode
    rows_in: int
    rows: int
    refused: int
    seconds: float


@dataclass(frozen=True)
class _News:
    """What a source, the Delta table `table_id`, holds (version `upto`) beyond what the target has seen."""

    source: Table
    table_id: str
    after: int | None
    upto: int


@dataclass(frozen=True)
class Runner:
    """Runs jobs on one session and one lake, one at a time.

    A job's data and its progress are two commits; a crash between them repeats the work, which
    changes nothing.
    """

    spark: SparkSession
    lake: Lake
    #: By source: the newest difference between two of its versions, which several jobs need.
    _differences: dict[str, tuple[_News, DataFrame]] = field(default_factory=dict)

    def run(self, job: Job, full: bool = False) -> Run:
        """Bring the job's target up to date.

        Args:
            full: go through all source rows even if nothing is new. A gold table is made anew;
                silver keeps its rows, and gets what it lacks.
        """
        started = time.monotonic()
        news = [*self._news(job)]
        held = [each for each in news if each.upto >= 0]
        new = [each for each in held if each.after != each.upto]
        refused_before, rows_in = self._refused(job), 0
        mode: Mode = "skipped"
        if new or (held and full):
            rows_in = sum(self._count_new(each) for each in new)
            mode = (
                self._silver(job, news[0], full)
                if isinstance(job, SilverJob)
                else self._gold(job, news, full)
            )
            self.lake.set_progress(job.target, [(each.source, each.table_id, each.upto) for each in held])
        return Run(
            job.target.name,
            mode,
            rows_in,
            self.lake.rows(job.target),
            self._refused(job) - refused_before,
            round(time.monotonic() - started, 3),
        )

    def _refused(self, job: Job) -> int:
        """Records in the quarantine, to which silver jobs alone send any."""
        return self.lake.rows(QUARANTINE) if isinstance(job, SilverJob) else 0

    def _news(self, job: Job) -> Iterator[_News]:
        for source in job.sources:
            table_id, version = self.lake.state(source) or ("", -1)
            # Of this very table: one that was dropped and made again may be at any version.
            after = self.lake.progress(job.target, source, table_id)
            # A table that was put back from a copy is at a lower version.
            yield _News(source, table_id, after if after is None or after <= version else None, version)

    def _count_new(self, news: _News) -> int:
        try:
            return sum(self.lake.changes(news.source, news.after, news.upto).added.values())
        except LogCleanedError:
            return self.lake.rows(news.source)

    # --- silver -----------------------------------------------------------------------------------

    def _silver(self, job: SilverJob, news: _News, full: bool) -> Mode:
        source, target, topic = news.source, job.target, job.topic
        mode: Mode = "full" if full or news.after is None else "incremental"
        if mode == "incremental":
            try:
                records = self.lake.read_changed(self.spark, source, news.after, news.upto)
            except LogCleanedError:
                mode = "full"
        if mode == "full":
            records = self.lake.read(self.spark, source, news.upto)
        existing = self.lake.read(self.spark, target)
        # Written once and read often, because decoding is dear.
        with self.lake.staged(decode(records, topic), f"decoded-{topic.short_name}") as decoded:
            with self.lake.staged(taken(decoded, existing, topic), f"taken-{topic.short_name}") as ids:
                self.lake.append(accepted(decoded, ids, topic), target)
            refusals = refused(decoded, records, self.lake.read(self.spark, target), topic)
            held = self.lake.read(self.spark, QUARANTINE).select(*QUARANTINE.key)
            fresh = refusals.join(held, list(QUARANTINE.key), "left_anti")
            if not fresh.isEmpty():
                self.lake.append(fresh, QUARANTINE)
        return mode

    # --- gold -------------------------------------------------------------------------------------

    def _gold(self, job: GoldJob, news: Sequence[_News], full: bool) -> Mode:
        inputs = [self._input(each) for each in news]
        touched = None if full else self._touched(job, news)
        if touched is None or job.refresh_by is None:
            self.lake.overwrite(job.transform(*inputs), job.target)
            return "full"
        by = job.refresh_by
        inputs = [frame.join(touched, by, "left_semi") if by in frame.columns else frame for frame in inputs]
        held = self.lake.read(self.spark, job.target).join(touched, by, "left_semi")
        self.lake.replace(job.transform(*inputs), held, job.target)
        return "incremental"

    def _input(self, news: _News) -> DataFrame:
        if news.upto < 0:
            return self.spark.createDataFrame([], news.source.spark_schema)
        return self.lake.read(self.spark, news.source, news.upto)

    def _touched(self, job: GoldJob, news: Sequence[_News]) -> DataFrame | None:
        """Values of `refresh_by` whose source rows changed; `None` if all of them may have."""
        new = [each for each in news if each.after != each.upto and each.upto >= 0]
        if job.refresh_by is None or any(
            each.after is None or job.refresh_by not in each.source.c for each in new
        ):
            return None
        try:
            keys = [self._changed_rows(job, each).select(job.refresh_by) for each in new]
        except LogCleanedError:
            return None
        return reduce(lambda one, other: one.union(other), keys).distinct()

    def _changed_rows(self, job: GoldJob, news: _News) -> DataFrame:
        """Rows by which the two versions of a source differ; found once for all jobs that read it."""
        known, rows = self._differences.get(news.source.name, (None, None))
        if known != news or rows is None:
            rows = self.lake.read_changed(self.spark, news.source, news.after, news.upto)
            # Of the job alone: on AWS several that read the source run at a time, each by itself.
            rows = self.lake.stage(rows, f"changed-{news.source.short_name}-for-{job.target.short_name}")
            self._differences[news.source.name] = (news, rows)
        return rows
