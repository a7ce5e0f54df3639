"""Whatever the templates run is shipped and exercised, and finds what others leave for it."""

from __future__ import annotations

import json
import re
import zipfile

import pytest

from glue_jobs.gold.weeks import FIRST_END_SECONDS
from infra.artifacts.artifact import ROOT
from infra.artifacts.catalog import ARTIFACTS, artifact
from infra.cdk.contracts import contracts
from mercato.contracts.durations import DAY_SECONDS
from mercato.settings import Settings
from mercato_models.manifest import NAME
from tests.infra.templates import ENVIRONMENTS, folder, resources, text

pytestmark = [pytest.mark.timeout(900)]

#: Types that run something of ours.
RUNS = (
    "AWS::Glue::Job",
    "AWS::KinesisAnalyticsV2::Application",
    "AWS::Lambda::Function",
    "AWS::MWAA::Environment",
    "AWS::SageMaker::Pipeline",
)
METADATA = "mercato:artifacts"


def _exercised() -> set[str]:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return set(re.findall(r"mark\.exercises\(\"([\w-]+)\"\)", tests))


def test_a_test_runs_every_artifact_as_it_ships() -> None:
    assert set(ARTIFACTS) == _exercised()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_whatever_runs_names_artifacts_that_are_exercised(environment: str) -> None:
    for name, resource in resources(environment, *RUNS).items():
        # The functions that CDK itself brings to deploy with.
        if re.search(
            r"/(CustomCDKBucketDeployment|CustomS3AutoDelete|AWS679f53fac002430cb0da5b7982bd2287)", name
        ):
            continue
        named = resource.get("Metadata", {}).get(METADATA)
        assert named, name
        assert set(named) <= _exercised(), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_state_machine_starts_nothing_but_what_the_templates_make(environment: str) -> None:
    made = {
        "JobName": {each["Properties"]["Name"] for each in resources(environment, "AWS::Glue::Job").values()},
        "PipelineName": {
            each["Properties"]["PipelineName"]
            for each in resources(environment, "AWS::SageMaker::Pipeline").values()
        },
    }
    for machine in resources(environment, "AWS::StepFunctions::StateMachine").values():
        started = re.findall(
            r'"(JobName|PipelineName)": "([^"]+)"', text(machine["Properties"]["DefinitionString"])
        )
        assert started
        assert all(name in made[kind] for kind, name in started)


def test_the_nightly_run_starts_within_the_hour_after_a_day_of_the_figures_ended() -> None:
    """Earlier, what sold in the last day would be that of the day before."""
    rules = resources("dev", "AWS::Events::Rule").values()
    (told,) = (
        rule["Properties"]["ScheduleExpression"]
        for rule in rules
        if str(rule["Properties"].get("Name")).endswith("nightly")
    )
    by_airflow = re.search(r'schedule="(.*?)"', (ROOT / "dags" / "mercato_daily.py").read_text())
    assert by_airflow
    for schedule in (told.removeprefix("cron("), by_airflow[1]):
        minute, hour = map(int, schedule.split()[:2])
        assert 0 <= hour * 3_600 + minute * 60 - FIRST_END_SECONDS % DAY_SECONDS < 3_600


def test_every_file_that_a_glue_job_names_is_shipped_under_that_name() -> None:
    jobs = resources("prod", "AWS::Glue::Job")
    assert len(jobs) == len(contracts().jobs)
    for job in jobs.values():
        given = job["Properties"]["DefaultArguments"]
        files = [
            text(job["Properties"]["Command"]["ScriptLocation"]),
            text(given["--additional-python-modules"]),
            *(text(given["--extra-jars"]).split(",") if "--extra-jars" in given else ()),
        ]
        for file in files:
            name, path = re.fullmatch(r"s3://.*?/jobs/[^/]+/([^/]+)/(.+)", file).groups()  # type: ignore[union-attr]
            assert (artifact(name).build() / path).is_file(), file


def test_a_pipeline_reads_what_its_datasets_job_names_last() -> None:
    written = {
        job["Properties"]["DefaultArguments"]["--model"]: text(job["Properties"]["DefaultArguments"]["--to"])
        for job in resources("prod", "AWS::Glue::Job").values()
        if "--model" in job["Properties"]["DefaultArguments"]
    }
    read = {
        each["Properties"]["PipelineName"].removeprefix("mercato-prod-"): text(
            each["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        )
        for each in resources("prod", "AWS::SageMaker::Pipeline").values()
    }
    assert written.keys() == read.keys()
    for model, place in written.items():
        assert f'"{place}/{model}/{NAME}"' in read[model]


def test_requests_are_looked_at_where_endpoints_keep_them() -> None:
    (serving,) = {
        text(each["Properties"]["Environment"]["Variables"]["MERCATO_SERVING"])
        for each in resources("prod", "AWS::Lambda::Function").values()
        if "MERCATO_SERVING" in each["Properties"].get("Environment", {}).get("Variables", {})
    }
    (kept,) = re.findall(r'"capture_uri": *"([^"]+)"', serving)
    (looked_at,) = {
        text(job["Properties"]["DefaultArguments"]["--captures"])
        for job in resources("prod", "AWS::Glue::Job").values()
        if "/drift.py" in text(job["Properties"]["Command"]["ScriptLocation"])
    }
    assert looked_at == kept


def test_the_session_job_gets_its_jar_and_the_properties_it_reads() -> None:
    (application,) = resources("prod", "AWS::KinesisAnalyticsV2::Application").values()
    properties = application["Properties"]
    assert properties["RuntimeEnvironment"] == "FLINK-2_2"
    code = properties["ApplicationConfiguration"]["ApplicationCodeConfiguration"]["CodeContent"]
    key = code["S3ContentLocation"]["FileKey"]
    shipped = next((folder("prod")).glob(f"asset.{key}"))
    built = artifact("flink-sessions").build() / "sessions.jar"
    assert shipped.read_bytes() == built.read_bytes()
    (group,) = properties["ApplicationConfiguration"]["EnvironmentProperties"]["PropertyGroups"]
    with zipfile.ZipFile(built) as jar:
        launcher = jar.read("mercato/flink/SqlJob.class")
    assert group["PropertyGroupId"].encode() in launcher
    assert set(group["PropertyMap"]) == {"kafka.bootstrap.servers"}


@pytest.mark.parametrize(("environment", "follows"), [("dev", False), ("prod", True)])
def test_every_streaming_job_is_started_and_runs_on_only_where_that_is_paid_for(
    environment: str, follows: bool
) -> None:
    jobs = resources(environment, "AWS::Glue::Job").values()
    streaming = [job["Properties"] for job in jobs if job["Properties"]["Command"]["Name"] == "gluestreaming"]
    assert {"--follow" in job["DefaultArguments"] for job in streaming} == {follows}
    copied = {topic for job in streaming for topic in job["DefaultArguments"]["--stream"].split(",")}
    assert copied == {topic.name for topic in contracts().topics}
    starters = [each["Properties"] for each in resources(environment, "AWS::Scheduler::Schedule").values()]
    started = {json.loads(each["Target"]["Input"]).get("JobName"): each for each in starters}
    assert {job["Name"] for job in streaming} <= set(started)
    for job in streaming:
        minutes = started[job["Name"]]["ScheduleExpression"].removeprefix("cron(").split()[0]
        assert (minutes == "0/15") is follows


def test_functions_get_only_variables_that_the_settings_know() -> None:
    known = {f"MERCATO_{name.upper()}" for name in Settings.model_fields}
    for name, function in resources("prod", "AWS::Lambda::Function").items():
        if METADATA in function.get("Metadata", {}):
            given = set(function["Properties"].get("Environment", {}).get("Variables", {}))
            own = {"MERCATO_PAGERDUTY_SECRET_ARN", "MERCATO_PAGERDUTY_URL", "MERCATO_SERVING"}
            assert given <= known | own, name


def test_a_handler_is_a_function_of_its_bundle() -> None:
    for function in resources("prod", "AWS::Lambda::Function").values():
        for bundle in function.get("Metadata", {}).get(METADATA, []):
            module, _, attribute = function["Properties"]["Handler"].rpartition(".")
            source = (artifact(bundle).build() / f"{module.replace('.', '/')}.py").read_text()
            assert re.search(rf"^(def {attribute}\(|{attribute} = )", source, re.MULTILINE), bundle
            assert function["Properties"]["Runtime"] == "python3.13"
