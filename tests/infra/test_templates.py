"""What the templates say, for every environment: rules, names that exist, sizes, retention."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import zipfile
from collections import Counter
from typing import Any

import pytest

from glue_jobs.gold.weeks import FIRST_END_SECONDS
from infra.artifacts.artifact import ROOT
from infra.artifacts.catalog import ARTIFACTS, artifact
from infra.cdk.contracts import contracts
from lambdas.scopes import ADMIN_ROUTES, PEOPLE, ROUTES
from mercato.contracts.durations import DAY_SECONDS
from mercato.settings import Settings
from mercato_models.manifest import NAME
from tests.infra.templates import (
    CDK,
    ENVIRONMENTS,
    INVENTORY,
    as_list,
    folder,
    resources,
    statements,
    templates,
    text,
)

pytestmark = [pytest.mark.timeout(900)]

#: Types that run something of ours.
RUNS = (
    "AWS::Glue::Job",
    "AWS::KinesisAnalyticsV2::Application",
    "AWS::Lambda::Function",
    "AWS::MWAA::Environment",
    "AWS::SageMaker::Pipeline",
)
#: Types whose data a retailer would miss.
STATEFUL = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::MSK::Cluster", "AWS::MSK::Topic", "AWS::Logs::LogGroup")
METADATA = "mercato:artifacts"
#: Types that are named within something else, which has the environment in its name.
WITHIN = (
    "AWS::APS::RuleGroupsNamespace",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::Glue::Schema",
    "AWS::IAM::Policy",
    "AWS::MSK::Topic",
)
#: Properties that say what is meant, and name nothing new.
MEANT = {
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    # Unique in its group; the user's id is in the account.
    ("AWS::ElastiCache::User", "UserName"),
}
#: Properties in which some types have their names.
INNER = ("Budget", "DatabaseInput")


def inventory() -> dict[str, dict[str, int]]:
    """How many resources of each type, by environment and stack."""
    return {
        f"{environment}/{stack}": dict(
            sorted(Counter(each["Type"] for each in template["Resources"].values()).items())
        )
        for environment in ENVIRONMENTS
        for stack, template in templates(environment).items()
    }


def physical_names(environment: str) -> set[tuple[str, str, str]]:
    """Type, property and value of everything by which a resource is told from others of the account."""
    found = set()
    for each in resources(environment).values():
        if each["Type"] not in WITHIN:
            properties = each.get("Properties", {})
            for given in (properties, *(properties.get(inner, {}) for inner in INNER)):
                found |= {
                    (each["Type"], key, text(value))
                    for key, value in given.items()
                    if re.search("(Name|Identifier|Id)$", key) and (each["Type"], key) not in MEANT
                }
    # What a template only refers to is known to AWS alone.
    return {name for name in found if name[2] != "@"}


def test_environments_of_one_account_share_no_name() -> None:
    """The second one's deploy would fail at it."""
    every = Counter(name for environment in ENVIRONMENTS for name in physical_names(environment))
    assert len(every) > 300
    assert [name for name, environments in every.items() if environments > 1] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_four_rule_packs_find_nothing_that_has_no_reason(environment: str) -> None:
    report = json.loads((folder(environment) / "validation-report.json").read_text())
    found = {each["pluginName"]: each["violations"] for each in report["pluginReports"]}
    assert {"AwsSolutions", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"} <= set(found)
    assert not any(found.values()), found
    reasons = {each["reason"] for entry in report["pluginReports"] for each in entry["suppressedViolations"]}
    assert all(reasons)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cfn_lint_finds_nothing(environment: str) -> None:
    files = sorted(folder(environment).glob("*.template.json"))
    done = subprocess.run(
        [str(CDK / "cfn-lint"), *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_inventory_is_the_reviewed_one() -> None:
    """Made anew with MERCATO_WRITE_INVENTORY=1; review the difference."""
    if os.environ.get("MERCATO_WRITE_INVENTORY"):
        INVENTORY.write_text(json.dumps(inventory(), indent=1) + "\n")
    assert inventory() == json.loads(INVENTORY.read_text())


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


def test_what_training_costs_counts_for_the_budget() -> None:
    (budget,) = resources("prod", "AWS::Budgets::Budget").values()
    (filtered,) = budget["Properties"]["Budget"]["CostFilters"]["TagKeyValue"]
    key, value = filtered.removeprefix("user:").split("$")
    tag = json.dumps({"Key": key, "Value": value}, separators=(",", ":"))
    pipelines = resources("prod", "AWS::SageMaker::Pipeline").values()
    for each in pipelines:
        body = text(each["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
        # Checks data, trains, evaluates, scores.
        assert body.count(tag) == 4
    assert pipelines


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


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_policy_allows_every_action_or_all_of_a_service(environment: str) -> None:
    for name, statement in statements(environment):
        actions = as_list(statement["Action"])
        assert not [action for action in actions if action == "*" or action.endswith(":*")], name


def _properties(topic: Any) -> dict[str, str]:
    """Settings of a topic, which MSK wants as the lines of a properties file in Base64."""
    lines = base64.b64decode(topic["Properties"]["Configs"], validate=True).decode().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_topic_and_table_of_the_contracts_is_deployed() -> None:
    topics = resources("prod", "AWS::MSK::Topic").values()
    assert {each["Properties"]["TopicName"] for each in topics} == {
        name for topic in contracts().topics for name in (topic.name, topic.quarantine)
    }
    configs = {each["Properties"]["TopicName"]: _properties(each) for each in topics}
    assert {name for name, each in configs.items() if each.get("cleanup.policy") == "compact"} == {
        topic.name for topic in contracts().topics if topic.compact
    }
    schemas = resources("prod", "AWS::Glue::Schema").values()
    assert {each["Properties"]["Name"] for each in schemas} == {topic.name for topic in contracts().topics}
    tables = Counter(
        each["Properties"]["TableInput"]["Name"] for each in resources("prod", "AWS::Glue::Table").values()
    )
    assert tables == Counter(table.name for table in contracts().tables)
    assert len(resources("prod", "AWS::Glue::DataQualityRuleset")) == len(contracts().tables)


def test_state_is_kept_unless_the_configuration_says_otherwise() -> None:
    kept = {name: each.get("DeletionPolicy") for name, each in resources("prod", *STATEFUL).items()}
    assert kept
    # A first deploy that failed leaves nothing: its names are fixed, and the next try would find them taken.
    assert set(kept.values()) == {"RetainExceptOnCreate"}
    assert {each.get("UpdateReplacePolicy") for each in resources("prod", *STATEFUL).values()} == {"Retain"}
    # A version of a schema has no name, and goes with the schema.
    every = resources("prod").values()
    assert {each["Type"] for each in every if each.get("DeletionPolicy") == "Retain"} == {
        "AWS::Glue::SchemaVersion"
    }
    given_up = {each.get("DeletionPolicy") for each in resources("dev", *STATEFUL).values()}
    assert given_up == {"Delete"}


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


def test_every_route_of_the_api_asks_for_its_scope_and_nothing_else_is_routed() -> None:
    routes = {
        each["Properties"]["RouteKey"]: each["Properties"]
        for each in resources("prod", "AWS::ApiGatewayV2::Route").values()
    }
    assert {key: (each.get("AuthorizationScopes") or [None])[0] for key, each in routes.items()} == {
        f"{method} {path}": None if scope == PEOPLE else scope
        for method, path, scope in (*ROUTES, *ADMIN_ROUTES)
    }
    for each in routes.values():
        assert (each["AuthorizationType"] == "JWT") == ("AuthorizationScopes" in each)


def test_the_firewalls_log_holds_nothing_to_sign_in_with() -> None:
    (logged,) = resources("prod", "AWS::WAFv2::LoggingConfiguration").values()
    redacted = {each["SingleHeader"]["Name"] for each in logged["Properties"]["RedactedFields"]}
    assert redacted == {"authorization", "cookie"}


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
