"""The nightly run as a state machine: every job once and in order, and what one that fails holds up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.cdk.constructs.nightly import definition
from infra.cdk.contracts import contracts

BATCH = {job.name: job for job in contracts().jobs if job.kind == "batch"}
MACHINE = definition([*BATCH.values()], "mercato-test-", ("churn", "recommend"))
#: Jobs that do not run each night.
SELDOM = {name for name, job in BATCH.items() if job.layer in ("maintenance", "datasets")}


@dataclass
class Walk:
    """A run as Step Functions would go, in which some tasks fail for good."""

    failing: frozenset[str] = frozenset()
    ran: list[str] = field(default_factory=list)

    def end(self, given: dict[str, Any]) -> str:
        """How the whole ends: `Succeed` or `Fail`."""
        return self._through(MACHINE, given)[0]

    def _through(self, scope: dict[str, Any], data: Any) -> tuple[str, Any]:
        name: str | None = scope["StartAt"]
        while name:
            state = scope["States"][name]
            if state["Type"] in {"Succeed", "Fail"}:
                return state["Type"], data
            if state["Type"] == "Choice":
                chosen = (each["Next"] for each in state["Choices"] if holds(each, data))
                name = next(chosen, state["Default"])
                continue
            failed = False
            if state["Type"] == "Task":
                self.ran.append(name)
                failed = name in self.failing
                result: Any = {}
            elif state["Type"] == "Parallel":
                ends = [self._through(branch, data) for branch in state["Branches"]]
                failed = any(how == "Fail" for how, _ in ends)
                result = [end for _, end in ends]
            else:
                result = state["Result"]
            if failed:
                if "Catch" not in state:
                    return "Fail", None
                (caught,) = state["Catch"]
                name, data = caught["Next"], "an error"
                continue
            if "ResultSelector" in state:
                result = selected(state["ResultSelector"], result)
            path = state.get("ResultPath", "$")
            data = data if path is None else result if path == "$" else {**data, path[2:]: result}
            assert state.get("End", False) != ("Next" in state)
            name = state.get("Next")
        return "Succeed", data


def holds(choice: dict[str, Any], data: Any) -> bool:
    if "Or" in choice:
        return any(holds(each, data) for each in choice["Or"])
    if "IsPresent" in choice:
        return choice["Variable"][2:] in data
    return bool(found(choice["Variable"], data) is choice["BooleanEquals"])


def found(path: str, data: Any) -> Any:
    for each in re.findall(r"[\w-]+", path):
        data = data[int(each)] if isinstance(data, list) else data[each]
    return data


def selected(selector: dict[str, Any], result: Any) -> dict[str, Any]:
    return {
        key.removesuffix(".$"): found(value, result) if key.endswith(".$") else value
        for key, value in selector.items()
    }


def tasks(scope: Any = MACHINE) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task by its name, however deep."""
    for name, state in scope["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for branch in state.get("Branches", ()):
            yield from tasks(branch)


def levels() -> list[list[str]]:
    """Jobs of a night that run at a time, level after level."""
    of_level = [state for name, state in MACHINE["States"].items() if name.startswith("Level ")]
    return [[name for branch in state["Branches"] for name, _ in tasks(branch)] for state in of_level]


def readers(name: str) -> set[str]:
    """Jobs of the night that read what this one writes, or what those write."""
    direct = {
        other.name
        for other in BATCH.values()
        if other.name not in SELDOM and {*other.reads} & {*BATCH[name].writes}
    }
    return direct.union(*(readers(each) for each in direct))


def test_every_job_runs_once_and_upkeep_and_training_only_when_they_are_asked_for() -> None:
    for given, expected in (
        ({}, BATCH.keys() - SELDOM),
        ({"maintain": True}, {"lake-maintain"}),
        ({"train": True}, {"datasets-churn", "train-churn", "datasets-recommend", "train-recommend"}),
    ):
        walk = Walk()
        assert walk.end(given) == "Succeed"
        assert sorted(walk.ran) == sorted(expected)


def test_a_night_ends_before_sundays_upkeep() -> None:
    assert 5.5 + MACHINE["TimeoutSeconds"] / 3600 < 12


def test_names_of_states_are_there_once_in_the_whole_machine() -> None:
    def names(scope: Any) -> Iterator[str]:
        for name, state in scope["States"].items():
            yield name
            for branch in state.get("Branches", ()):
                yield from names(branch)

    every = [*names(MACHINE)]
    assert len(every) == len({*every})


def test_nobody_trains_where_no_pipeline_is_to_run() -> None:
    (choice,) = definition([*BATCH.values()], "mercato-test-")["States"]["What"]["Choices"]
    assert choice["Variable"] == "$.maintain"


def test_a_model_learns_once_its_dataset_is_there() -> None:
    walk, by_name = Walk(), dict(tasks())
    walk.end({"train": True})
    assert walk.ran.index("datasets-churn") < walk.ran.index("train-churn")
    assert by_name["datasets-churn"]["Parameters"] == {"JobName": "mercato-test-datasets-churn"}
    assert by_name["train-churn"]["Parameters"]["PipelineName"] == "mercato-test-churn"
    assert by_name["train-churn"]["Retry"], "a start may be throttled"


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        ("datasets-churn", ["datasets-churn", "datasets-recommend", "train-recommend"]),
        ("train-churn", ["datasets-churn", "train-churn", "datasets-recommend", "train-recommend"]),
    ],
)
def test_a_model_that_does_not_learn_holds_up_no_other_and_the_run_ends_as_failed(
    failing: str, ran: list[str]
) -> None:
    walk = Walk(frozenset({failing}))
    assert walk.end({"train": True}) == "Fail"
    assert walk.ran == ran


@pytest.mark.parametrize("failing", sorted(BATCH.keys() - SELDOM))
def test_a_job_that_fails_holds_up_those_that_read_what_it_writes_and_no_others(failing: str) -> None:
    walk = Walk(frozenset({failing}))
    assert walk.end({}) == "Fail", "the alarm counts runs that failed"
    assert {*walk.ran} == BATCH.keys() - SELDOM - readers(failing)


def test_upkeep_that_fails_ends_as_failed() -> None:
    assert Walk(frozenset({"lake-maintain"})).end({"maintain": True}) == "Fail"


def test_no_job_runs_before_or_beside_one_that_writes_what_it_reads_or_writes() -> None:
    done: set[str] = set()
    for level in levels():
        for name in level:
            job = BATCH[name]
            needed = {
                other.name
                for other in BATCH.values()
                if other.name != name and other.name not in SELDOM and {*other.writes} & {*job.reads}
            }
            assert needed <= done
            beside = [BATCH[other] for other in level if other != name]
            assert not any({*other.writes} & {*job.writes} for other in beside)
        done |= {*level}


def test_a_task_starts_the_job_of_its_deployment_and_waits_for_its_end() -> None:
    by_name = dict(tasks())
    for name in BATCH.keys() - {"datasets-fraud", "datasets-price"}:
        assert by_name[name]["Resource"] == "arn:aws:states:::glue:startJobRun.sync"
        assert by_name[name]["Parameters"] == {"JobName": f"mercato-test-{name}"}


def test_a_start_whose_answer_was_lost_is_asked_for_again_as_the_same_one() -> None:
    """SageMaker knows a start by its token: a new one at each try would train a second time."""
    tokens = [
        task["Parameters"]["ClientRequestToken.$"] for name, task in tasks() if name.startswith("train-")
    ]
    assert len({*tokens}) == 2
    for token in tokens:
        # 64 letters of a hash, of 32 to 128.
        assert re.fullmatch(
            r"States\.Hash\(States\.Format\('\{\} \w+', \$\$\.Execution\.Id\), 'SHA-256'\)", token
        )
