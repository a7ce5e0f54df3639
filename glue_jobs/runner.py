"""Run jobs: only what is new, safe to repeat, resumable at every step."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from glue_jobs.jobs import GoldJob, Job, SilverJob
from glue_jobs.silver.decode import decode
from glue_jobs.silver.events import accepted, refused
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.silver import QUARANTINE
from mercato.lake.tables import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Mode = Literal["skipped", "incremental", "full"]


@dataclass(frozen=True)
class Run:
    """What one run of a job did.

    Attributes:
        job: name of its target.
        mode: `skipped` if nothing was new.
        rows: rows of the target afterwards.
        refused: records it sent to the quarantine.
        seconds: how long it took.
    """

    job: str
    mode: Mode
    rows: int
    refused: int
    seconds: float


@dataclass(frozen=True)
class Runner:
    """Runs jobs of a catalog on one session and one lake.

    Attributes:
        catalog: every job by its target's name.
        on_refused: receives refused rows before they are written to the quarantine.
    """

    spark: SparkSession
    lake: Lake
    catalog: Mapping[str, Job]
    on_refused: Callable[[Iterable[Row]], None] = field(default=lambda _rows: None)

    def run(self, job: Job, full: bool = False) -> Run:
        """Bring the job's target up to date.

        Args:
            full: compute it anew even if nothing is new.
        """
        started = time.monotonic()
        refusals = 0
        if isinstance(job, SilverJob):
            mode, refusals = self._silver(job, full)
        else:
            mode = self._gold(job, full)
        delta = self.lake.own(job.target)
        rows = delta.count() if delta else 0
        return Run(job.target.name, mode, rows, refusals, round(time.monotonic() - started, 3))

    # --- silver -----------------------------------------------------------------------------------

    def _silver(self, job: SilverJob, full: bool) -> tuple[Mode, int]:
        source, target = job.sources[0], job.target
        upto, after = self.lake.version(source), None if full else self.lake.progress(target, source)
        if upto is None or upto == after:
            return "skipped", 0
        records = self.lake.read_added(self.spark, source, after, upto)
        with _staged(decode(records, job.topic), self.lake, job.topic.short_name) as decoded:
            existing = self.lake.read(self.spark, target)
            # Refused first: once accepted, a record is told from its own repetition by its place alone.
            refusals = self._quarantine(refused(decoded, records, existing, job.topic))
            self.lake.append(accepted(decoded, existing, job.topic), target)
        self.lake.set_progress(target, [(source, upto)])
        return ("full" if after is None else "incremental"), refusals

    def _quarantine(self, refusals: DataFrame) -> int:
        held = self.lake.read(self.spark, QUARANTINE).select(*QUARANTINE.key)
        rows = refusals.join(held, list(QUARANTINE.key), "left_anti").select(*QUARANTINE.c).collect()
        if rows:
            self.on_refused(rows)
            self.lake.append(self.spark.createDataFrame(rows, QUARANTINE.spark_schema), QUARANTINE)
        return len(rows)

    # --- gold -------------------------------------------------------------------------------------

    def _gold(self, job: GoldJob, full: bool) -> Mode:
        now = [(root, version) for root in self._roots(job) if (version := self.lake.version(root)) is not None]
        done = {root.name: self.lake.progress(job.target, root) for root, _ in now}
        changed = [(root, done[root.name], version) for root, version in now if done[root.name] != version]
        if not now or not (changed or full):
            return "skipped"
        inputs = [self.lake.read(self.spark, source) for source in job.sources]
        by = job.refresh_by
        if full or by is None or any(after is None or by not in root.c for root, after, _ in changed):
            self.lake.overwrite(job.transform(*inputs), job.target)
            mode: Mode = "full"
        else:
            added = [self.lake.read_added(self.spark, root, after, upto) for root, after, upto in changed]
            touched = reduce(lambda a, b: a.union(b), [rows.select(by) for rows in added]).distinct()
            inputs = [frame.join(touched, by, "left_semi") if by in frame.columns else frame for frame in inputs]
            self.lake.refresh(job.transform(*inputs), job.target, touched)
            mode = "incremental"
        self.lake.set_progress(job.target, now)
        return mode

    def _roots(self, job: Job) -> list[Table]:
        """The append-only tables from which the job's sources derive.

        What changed is read off these: a merged table's new files also hold old rows.
        """
        roots: dict[str, Table] = {}
        for source in job.sources:
            made_by = self.catalog.get(source.name)
            if isinstance(made_by, GoldJob):
                roots.update({root.name: root for root in self._roots(made_by)})
            else:
                roots[source.name] = source
        return list(roots.values())


class _staged:
    """Rows written once and read often, because decoding them again is dear; removed at the end."""

    def __init__(self, frame: DataFrame, lake: Lake, name: str) -> None:
        self._frame = frame
        self._path = f"{lake.uri}/staging/{name}"

    def __enter__(self) -> DataFrame:
        self._frame.write.mode("overwrite").parquet(self._path)
        return self._frame.sparkSession.read.schema(self._frame.schema).parquet(self._path)

    def __exit__(self, *_: object) -> None:
        if "://" not in self._path:
            shutil.rmtree(Path(self._path), ignore_errors=True)
