"""The nightly run as a state machine: every job once, none beside another that it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.cdk.constructs.nightly import definition
from infra.cdk.contracts import contracts

BATCH = {job.name: job for job in contracts().jobs if job.kind == "batch"}
MACHINE = definition([*BATCH.values()], "mercato-test-", ("churn", "recommend"))
#: Jobs that do not run each night.
SELDOM = {name for name, job in BATCH.items() if job.layer in ("maintenance", "datasets")}


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


def asked(key: str) -> list[list[str]]:
    (choice,) = [each for each in MACHINE["States"]["What"]["Choices"] if each["Variable"] == f"$.{key}"]
    return [*steps(choice["Next"])]


def test_every_job_runs_once_and_upkeep_and_training_only_when_they_are_asked_for() -> None:
    assert asked("maintain") == [["lake-maintain"]]
    assert asked("train") == [["datasets-churn", "datasets-recommend"]]
    ran = [name for step in nightly() for name in step]
    assert sorted(ran) == sorted(BATCH.keys() - SELDOM)


def test_nobody_trains_where_no_pipeline_is_to_run() -> None:
    (choice,) = definition([*BATCH.values()], "mercato-test-")["States"]["What"]["Choices"]
    assert choice["Variable"] == "$.maintain"


def test_a_model_learns_once_its_dataset_is_there_and_one_without_holds_up_no_other() -> None:
    churn, _ = MACHINE["States"]["Train every model"]["Branches"]
    states = churn["States"]
    assert churn["StartAt"] == "datasets-churn"
    assert states["datasets-churn"]["Parameters"] == {"JobName": "mercato-test-datasets-churn"}
    train = states[states["datasets-churn"]["Next"]]
    assert train["Parameters"]["PipelineName"] == "mercato-test-churn"
    assert train["Retry"], "a start may be throttled"
    (caught,) = states["datasets-churn"]["Catch"]
    assert states[caught["Next"]] == {"Type": "Pass", "End": True}


def test_no_job_runs_before_or_beside_one_that_writes_what_it_reads_or_writes() -> None:
    done: set[str] = set()
    for step in nightly():
        for name in step:
            job = BATCH[name]
            needed = {
                other.name
                for other in BATCH.values()
                if other.name != name and other.name not in SELDOM and {*other.writes} & {*job.reads}
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


def test_a_score_that_fails_holds_up_no_other_job() -> None:
    branches = [each for state in MACHINE["States"].values() for each in state.get("Branches", ())]
    by_job = {each["StartAt"]: each["States"] for each in branches}
    for name in (name for name, job in BATCH.items() if job.layer == "scores"):
        (caught,) = by_job[name][name]["Catch"]
        assert by_job[name][caught["Next"]] == {"Type": "Pass", "End": True}
    assert "Catch" not in by_job["gold-household-history"]["gold-household-history"]
