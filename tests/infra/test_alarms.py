"""What is watched: names that exist, metrics that AWS has, severities, runbooks, and who is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from lambdas.deployer.plan import VARIANT
from lambdas.embedded_metrics import NAMESPACE
from mercato.contracts.durations import DAY_SECONDS
from mercato_models.drift.comparison import SIGNIFICANT
from mercato_models.drift.report import MODELS
from tests.infra.templates import resources, templates

pytestmark = [pytest.mark.timeout(900)]


def alarms(environment: str) -> dict[str, dict[str, Any]]:
    """Properties of every alarm by its name, without the deployment's prefix."""
    return {
        each["Properties"]["AlarmName"].removeprefix(f"mercato-{environment}-"): each["Properties"]
        for each in resources(environment, "AWS::CloudWatch::Alarm").values()
    }


def test_every_alarm_has_a_severity_and_a_runbook_and_only_planes_tell_people() -> None:
    headings = set(
        re.findall(r"^## (.+)$", (ROOT / "docs/how-to/watch-production.md").read_text(), re.MULTILINE)
    )
    alarms = resources("prod", "AWS::CloudWatch::Alarm").values()
    linked = {each["Properties"]["AlarmDescription"].rpartition("#")[2] for each in alarms}
    assert linked == headings
    for each in alarms:
        assert re.match("(critical|error|warning): ", each["Properties"]["AlarmDescription"])
        assert "AlarmActions" not in each["Properties"]
    for each in resources("prod", "AWS::CloudWatch::CompositeAlarm").values():
        assert each["Properties"]["AlarmActions"] == each["Properties"]["OKActions"] != []


def test_what_is_watched_is_what_is_deployed() -> None:
    """A panel or alarm of a name that nothing has shows nothing, for ever."""
    everything = templates("prod")
    named = {
        value
        for template in everything.values()
        for each in template["Resources"].values()
        for key, value in each.get("Properties", {}).items()
        if isinstance(value, str) and key.endswith(("Name", "Id", "GroupId"))
    }
    watched: set[str] = set()
    for alarm in resources("prod", "AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        metrics = [
            properties,
            *(each.get("MetricStat", {}).get("Metric", {}) for each in properties.get("Metrics", [])),
        ]
        watched |= {
            each["Value"]
            for found in metrics
            for each in found.get("Dimensions", [])
            if isinstance(each["Value"], str)
        }
    nodes = {name for name in watched if re.search(r"-features-\d{3}$", name)}
    assert nodes
    rules = {each["Properties"]["Name"] for each in resources("prod", "AWS::Events::Rule").values()}
    clusters = {each["Properties"]["ClusterName"] for each in resources("prod", "AWS::MSK::Cluster").values()}
    # Endpoints are made by the deployer: each has its group's name, and one variant.
    assert watched - nodes - {VARIANT} <= named | rules | clusters


def test_a_session_job_that_reports_nothing_is_down() -> None:
    """Managed Flink counts nothing of an application that does not run."""
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms("dev").items()}
    assert missing.pop("sessions-down") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


#: What MSK counts of one kind of brokers alone.
ONLY = {"express": {"StorageUsed"}, "provisioned": {"OfflinePartitionsCount", "KafkaDataLogsDiskUsed"}}


@pytest.mark.parametrize(("environment", "kind", "other"), [
    ("dev", "provisioned", "express"), ("prod", "express", "provisioned"),
])  # fmt: skip
def test_brokers_are_watched_by_what_their_kind_counts(environment: str, kind: str, other: str) -> None:
    (dashboard,) = resources(environment, "AWS::CloudWatch::Dashboard").values()
    shown = json.dumps([dashboard["Properties"], alarms(environment)])
    assert {name for name in ONLY[kind] | ONLY[other] if name in shown} == ONLY[kind]
    watched = {"express": "ActiveControllerCount", "provisioned": "OfflinePartitionsCount"}[kind]
    assert watched in json.dumps(alarms(environment)["brokers-failing"])


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_training_pipeline_that_fails_is_told_of(environment: str) -> None:
    alarm = alarms(environment)["training-failed"]
    assert alarm["AlarmDescription"].startswith("warning: ")
    (counted,) = alarm["Metrics"]
    (watched,) = (each["Value"] for each in counted["MetricStat"]["Metric"]["Dimensions"])
    (rule,) = (
        each["Properties"]
        for each in resources(environment, "AWS::Events::Rule").values()
        if each["Properties"]["Name"] == watched
    )
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.sagemaker"]
    assert pattern["detail-type"] == ["SageMaker Model Building Pipeline Execution Status Change"]
    assert pattern["detail"]["currentPipelineExecutionStatus"] == ["Failed"]
    pipelines = resources(environment, "AWS::SageMaker::Pipeline").values()
    assert {each["suffix"] for each in pattern["detail"]["pipelineArn"]} == {
        f":pipeline/{each['Properties']['PipelineName']}" for each in pipelines
    }


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_model_has_an_alarm_that_lasts_from_one_night_to_the_next(environment: str) -> None:
    drifted = {
        name.removesuffix("-drifted"): alarm
        for name, alarm in alarms(environment).items()
        if name.endswith("-drifted")
    }
    groups = {
        each["Properties"]["ModelPackageGroupName"].removeprefix(f"mercato-{environment}-")
        for each in resources(environment, "AWS::SageMaker::ModelPackageGroup").values()
    }
    assert set(drifted) == set(MODELS) == groups
    for model, alarm in drifted.items():
        (counted,) = (each["MetricStat"] for each in alarm["Metrics"])
        assert counted["Metric"] == {
            "Namespace": NAMESPACE,
            "MetricName": "Drifted",
            "Dimensions": [{"Name": "Model", "Value": f"mercato-{environment}-{model}"}],
        }
        assert alarm["Threshold"] == 0
        assert counted["Period"] * alarm["EvaluationPeriods"] == DAY_SECONDS


def test_the_dashboard_draws_the_limit_of_drift() -> None:
    drawn = json.dumps(resources("prod", "AWS::CloudWatch::Dashboard"))
    assert {float(value) for value in re.findall(r"value\W+([\d.]+)\W+label\W+alarm", drawn)} == {SIGNIFICANT}


def test_what_is_on_for_days_hides_no_other_alarm_and_wakes_nobody() -> None:
    """A plane tells people once, when its first alarm goes on."""
    names = {
        logical.partition("/")[2]: each["Properties"]["AlarmName"].removeprefix("mercato-prod-")
        for logical, each in resources("prod", "AWS::CloudWatch::Alarm").items()
    }
    planes = {
        each["Properties"]["AlarmName"].removeprefix("mercato-prod-plane-"): each["Properties"]
        for each in resources("prod", "AWS::CloudWatch::CompositeAlarm").values()
    }
    told = {
        plane: {
            names[logical]
            for logical in re.findall(r'"Fn::GetAtt": \["(\w+)"', json.dumps(each["AlarmRule"]))
        }
        for plane, each in planes.items()
    }
    assert told["models"] == {"training-failed", *(f"{model}-drifted" for model in MODELS)}
    assert sorted(name for each in told.values() for name in each) == sorted(names.values())
    severities = {plane: each["AlarmDescription"].partition(":")[0] for plane, each in planes.items()}
    assert severities == {
        "decisions": "critical", "events": "critical", "data": "error", "models": "warning",
    }  # fmt: skip


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_queue_of_what_failed_has_an_alarm(environment: str) -> None:
    queues = {each["Properties"]["QueueName"] for each in resources(environment, "AWS::SQS::Queue").values()}
    watched = {
        dimension["Value"]
        for alarm in alarms(environment).values()
        for metric in alarm.get("Metrics", [])
        for dimension in metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }
    assert watched == queues
