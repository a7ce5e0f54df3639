"""The nightly run as a state machine: every job once, none beside another that it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.cdk.constructs.nightly import definition
from infra.cdk.contracts import contracts

BATCH = {job.name: job for job in contracts().jobs if job.kind == "batch"}
MACHINE = definition([*BATCH.values()], "mercato-test-")


def steps(start: str) -> Iterator[list[str]]:
    """Jobs that run at a time, step after step, as Step Functions would go."""
    name: str | None = start
    while name:
        state: dict[str, Any] = MACHINE["States"][name]
        yield [each["StartAt"] for each in state["Branches"]] if state["Type"] == "Parallel" else [name]
        assert state.get("End", False) != ("Next" in state)
        name = state.get("Next")


def nightly() -> list[list[str]]:
    return [*steps(MACHINE["States"]["What"]["Default"])]


def test_every_job_runs_once_and_upkeep_only_when_it_is_asked_for() -> None:
    (choice,) = MACHINE["States"]["What"]["Choices"]
    assert [*steps(choice["Next"])] == [["lake-maintain"]]
    ran = [name for step in nightly() for name in step]
    assert sorted(ran) == sorted(BATCH.keys() - {"lake-maintain"})


def test_no_job_runs_before_or_beside_one_that_writes_what_it_reads_or_writes() -> None:
    done: set[str] = set()
    for step in nightly():
        for name in step:
            job = BATCH[name]
            needed = {
                other.name
                for other in BATCH.values()
                if other.name not in (name, "lake-maintain") and {*other.writes} & {*job.reads}
            }
            assert needed <= done
            beside = [BATCH[other] for other in step if other != name]
            assert not any({*other.writes} & {*job.writes} for other in beside)
        done |= {*step}


def test_a_task_starts_the_job_of_its_deployment_and_waits_for_its_end() -> None:
    for step in nightly():
        if len(step) == 1:
            task = MACHINE["States"][step[0]]
            assert task["Resource"] == "arn:aws:states:::glue:startJobRun.sync"
            assert task["Parameters"] == {"JobName": f"mercato-test-{step[0]}"}
