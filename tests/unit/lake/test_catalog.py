"""Which jobs run, and in which order."""

from __future__ import annotations

import pytest

from glue_jobs.catalog import CATALOG, UnknownJobError, select
from glue_jobs.jobs import GoldJob


def test_jobs_run_after_the_jobs_whose_tables_they_read() -> None:
    seen: set[str] = set()
    for job in select():
        assert {source.name for source in job.sources if source.name in CATALOG} <= seen
        seen.add(job.target.name)


def test_a_refreshed_column_is_in_the_target_and_a_source() -> None:
    for job in CATALOG.values():
        if isinstance(job, GoldJob) and job.refresh_by:
            assert job.refresh_by in set(job.target.c)
            assert any(job.refresh_by in set(source.c) for source in job.sources)


def test_selects_by_name_and_layer() -> None:
    assert [job.target.name for job in select(["customer_360"])] == ["gold.customer_360"]
    assert {job.target.layer for job in select(layers=["silver"])} == {"silver"}
    with pytest.raises(UnknownJobError, match=r"nothing"):
        select(["nothing"])
