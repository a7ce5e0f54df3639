"""The DAGs as MWAA reads them: Airflow 3.0.6 on Python 3.12, from the shipped folder."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from infra.artifacts.catalog import artifact
from infra.artifacts.models import MODELS
from infra.catalog import render

pytestmark = [pytest.mark.timeout(600), pytest.mark.exercises("dags")]

#: Prints what Airflow makes of a folder of DAGs.
_READ = """
import json, sys
from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1], include_examples=False)
print("READ" + json.dumps({
    "errors": bag.import_errors,
    "hours": bag.dags["mercato_daily"].dagrun_timeout.total_seconds() / 3600,
    "dags": {
        dag.dag_id: {
            task.task_id: {
                "after": sorted(task.upstream_task_ids),
                "job": getattr(task, "job_name", None),
                "waits": any(getattr(task, name, False) for name in ("deferrable", "wait_for_completion")),
                "retries": task.retries,
                "rule": str(task.trigger_rule),
                "seconds": getattr(task, "waiter_delay", 0) * getattr(task, "waiter_max_attempts", 0),
            }
            for task in dag.tasks
        }
        for dag in bag.dags.values()
    },
}))
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    python = ROOT / ".venv" / "airflow" / "bin" / "python"
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__MERCATO__PREFIX": "mercato-test-",
        "AIRFLOW__MERCATO__PIPELINES": ",".join(MODELS),
        "PYTHONPATH": str(folder := artifact("dags").build()),
    }
    subprocess.run(
        [str(python), "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True
    )
    done = subprocess.run(
        [str(python), "-c", _READ, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("READ"))
    found: dict[str, Any] = json.loads(line.removeprefix("READ"))
    return found


def test_airflow_reads_every_dag_without_an_error(read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    assert set(read["dags"]) == {"mercato_daily", "mercato_training", "mercato_maintenance"}


def test_every_batch_job_of_the_catalog_is_a_task_after_what_it_reads(read: dict[str, Any]) -> None:
    jobs = [job for job in json.loads(render())["jobs"] if job["kind"] == "batch"]
    tasks = {name: task for dag in read["dags"].values() for name, task in dag.items()}
    for job in jobs:
        assert tasks[job["name"]]["job"] == f"mercato-test-{job['name']}"
    daily = read["dags"]["mercato_daily"]
    writer = {table: job["name"] for job in jobs if job["name"] in daily for table in job["writes"]}
    for job in jobs:
        if job["name"] in daily:
            needed = {writer[table] for table in job["reads"] if table in writer}
            assert needed <= set(daily[job["name"]]["after"])


def test_a_job_is_waited_for_as_long_as_glue_lets_it_run(read: dict[str, Any]) -> None:
    """A wait that ends before the job does would start it a second time."""
    jobs = {job["name"]: job for job in json.loads(render())["jobs"] if job["kind"] == "batch"}
    for name, task in (each for dag in read["dags"].values() for each in dag.items()):
        if name in jobs:
            assert task["seconds"] > 60 * jobs[name]["timeout_minutes"]


def test_a_night_and_what_it_started_end_before_sundays_upkeep(read: dict[str, Any]) -> None:
    longest = max(job["timeout_minutes"] for job in json.loads(render())["jobs"] if job["kind"] == "batch")
    assert 5.5 + read["hours"] + longest / 60 < 12


def test_jobs_that_write_one_table_follow_one_another(read: dict[str, Any]) -> None:
    silver = [job["name"] for job in json.loads(render())["jobs"] if job["layer"] == "silver"]
    daily = read["dags"]["mercato_daily"]
    for before, after in itertools.pairwise(silver):
        assert before in daily[after]["after"]


def test_a_job_that_fails_holds_up_those_that_read_what_it_writes_and_no_others(read: dict[str, Any]) -> None:
    """As in the state machine; and the run ends as failed, whichever it was."""
    daily = read["dags"]["mercato_daily"]
    jobs = [job for job in json.loads(render())["jobs"] if job["name"] in daily]
    writer = {table: job["name"] for job in jobs for table in job["writes"]}
    for job in jobs:
        reads = any(table in writer for table in job["reads"])
        follows = bool(daily[job["name"]]["after"])
        assert daily[job["name"]]["rule"] == ("all_done" if follows and not reads else "all_success")
    assert daily["all-is-well"]["rule"] == "all_success"
    assert {*daily["all-is-well"]["after"]} == {job["name"] for job in jobs}


def test_each_model_is_trained_after_its_dataset_and_waits_for_no_other(read: dict[str, Any]) -> None:
    """As in the state machine: neither a failed night nor another dataset holds up a training."""
    training = read["dags"]["mercato_training"]
    assert set(training) == {f"{task}-{model}" for task in ("datasets", "train") for model in MODELS}
    for model in MODELS:
        assert training[f"train-{model}"]["after"] == [f"datasets-{model}"]
        assert training[f"datasets-{model}"]["after"] == []


def test_a_model_that_its_gate_refuses_is_not_trained_again(read: dict[str, Any]) -> None:
    """Its pipeline ends as failed: a task that waited for that would start it anew."""
    training = read["dags"]["mercato_training"]
    starts = [task for name, task in training.items() if name.startswith("train-")]
    assert len(starts) == len(MODELS)
    assert not any(task["waits"] for task in starts)
    assert all(task["retries"] for task in starts), "a start may be throttled"
    assert training["datasets-recommend"]["waits"]
