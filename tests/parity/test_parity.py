"""Every job gives the same rows on Sail and on Spark, and each engine goes on with the other's tables."""

from __future__ import annotations

import pytest

from glue_jobs.catalog import CATALOG
from glue_jobs.jobs import GoldJob
from mercato.contracts.events import TOPICS
from mercato.contracts.tables.silver import QUARANTINE
from tests.parity.bronze import BROKEN
from tests.parity.conftest import ENGINES, Continued, Engines
from tests.parity.rows import assert_same_rows

pytestmark = [pytest.mark.parity, pytest.mark.timeout(1200)]

JOBS = pytest.mark.parametrize("name", CATALOG)


@JOBS
def test_both_engines_give_the_same_rows(filled: Engines, name: str) -> None:
    sail, spark = (filled.lakes[engine] for engine in ENGINES)
    assert len(assert_same_rows(sail, spark, CATALOG[name].target)) > 0


@JOBS
def test_each_engine_continues_the_others_table(continued: Continued, name: str) -> None:
    job = CATALOG[name]
    for first, lake in continued.crossed.items():
        run = continued.runs[first][name]
        # The catalogue of products changes too: what is made from it is made anew.
        merges = not isinstance(job, GoldJob) or all(job.refresh_by in source.c for source in job.sources)
        assert run.mode == ("incremental" if merges else "full")
        assert_same_rows(lake, continued.anew, job.target)


def test_both_engines_refuse_the_same_records(continued: Continued) -> None:
    sail, spark = (continued.crossed[engine] for engine in ENGINES)
    refused = assert_same_rows(sail, spark, QUARANTINE)
    assert len(refused) == len(TOPICS) * (len(BROKEN) + 1)
