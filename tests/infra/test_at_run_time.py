"""What AWS asks for once the platform runs, and an emulator does not: rights, keys, limits, starts."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from infra.cdk.sections import Decisions
from lambdas.api.routers.recommendations import MAX_WAIT
from lambdas.embedded_metrics import NAMESPACE
from tests.infra.templates import ENVIRONMENTS, allowed, as_list, resources, text

pytestmark = [pytest.mark.timeout(900)]

JOB_ROLES = ("JobRole", "DatasetRole", "ScoreRole")


def quarantine_group() -> str:
    """Consumer group by which a job looks which refused records were told of before."""
    found = re.search(
        r"\{settings\.topic_prefix\}([\w-]+)", (ROOT / "mercato/lake/quarantine.py").read_text()
    )
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("processing/JobRole", "kafka-cluster:DescribeGroup", rf"/{quarantine_group()}$"),
        ("processing/JobRole", "kafka-cluster:AlterGroup", rf"/{quarantine_group()}$"),
        ("processing/EmrRole", "kafka-cluster:AlterGroup", rf"/{quarantine_group()}$"),
        ("processing/EmrRole", "s3:PutObject", r":mercato-prod-gold-"),
        # What endpoints keep of requests, and whose predictions the drift job writes beside.
        ("processing/ScoreRole", "s3:GetObject", r":mercato-prod-models-.*/capture/\*$"),
        *(
            (f"processing/{each}", "glue:GetConnection", r":connection/mercato-prod-vpc$")
            for each in JOB_ROLES
        ),
        ("airflow/Role", "sagemaker:StartPipelineExecution", r":pipeline/mercato-prod-fraud$"),
        ("models/Deployer", "sagemaker:UpdateEndpointWeightsAndCapacities", r":endpoint/mercato-prod-fraud$"),
        ("models/Deployer", "sagemaker:CreateModel", r":model-package/mercato-prod-fraud/\*$"),
        ("models/Deployer", "sagemaker:CreateModel", r":model/mercato-prod-fraud-\*$"),
        # Where it puts an event that cannot be merged.
        *(
            ("intake/FeaturesRole", "kafka-cluster:WriteData", rf"/{topic}\.quarantine$")
            for topic in ("clickstream.v1", "payment_outcomes.v1", "price_decisions.v1")
        ),
        # Without it a key that is gone is one that is forbidden.
        ("intake/LandingRole", "s3:ListBucket", r"^@$"),
    ],
)
def test_a_role_may_do_what_is_done_by_it(role: str, action: str, resource: str) -> None:
    granted = [text(each) for found in allowed("prod", role, action) for each in as_list(found["Resource"])]
    assert [each for each in granted if re.search(resource, each)], granted


@pytest.mark.parametrize("role", ["JobRole", "DatasetRole", "EmrRole"])
def test_where_spark_writes_it_may_take_back_the_parts_of_failed_tasks(role: str) -> None:
    """Spark finds the parts by listing the bucket's uploads when a job ends, whether or not any failed."""
    written = allowed("prod", f"processing/{role}", "s3:PutObject")
    assert written
    for action in ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"):
        assert allowed("prod", f"processing/{role}", action) == written
    (looks,) = allowed("prod", f"processing/{role}", "s3:ListBucketMultipartUploads")
    places = [path for each in written for path in as_list(each["Resource"])]
    assert len(as_list(looks["Resource"])) == len(places)


@pytest.mark.parametrize("role", JOB_ROLES)
def test_a_glue_job_may_count_what_it_does_under_glues_name_and_models_under_the_platforms(role: str) -> None:
    counts = allowed("prod", f"processing/{role}", "cloudwatch:PutMetricData")
    assert [each["Condition"] for each in counts] == [
        {"StringEquals": {"cloudwatch:namespace": name}}
        for name in ("Glue", *([NAMESPACE] if role == "ScoreRole" else []))
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_topic_limits_no_batch_of_a_producers(environment: str) -> None:
    """Of a topic `max.message.bytes` is for a whole batch, and a contract's limit for one event."""
    for topic in resources(environment, "AWS::MSK::Topic").values():
        settings = base64.b64decode(topic["Properties"]["Configs"]).decode()
        assert "max.message.bytes" not in settings, topic["Properties"]["TopicName"]


def test_delivery_reads_the_log_of_a_machine_whose_data_a_key_hides() -> None:
    (machine,) = resources("dev", "AWS::StepFunctions::StateMachine").values()
    assert machine["Properties"]["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    (key,) = (
        each for name, each in resources("dev", "AWS::KMS::Key").items() if name.startswith("schedule/")
    )
    allowing = [
        statement
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    ]
    assert [each["Action"] for each in allowing] == ["kms:Decrypt*"]
    (source,) = allowing[0]["Condition"]["StringLike"].values()
    assert re.fullmatch(r"arn:@:logs:[\w-]+:@:\*", text(source))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_glue_tries_no_job_again_that_its_caller_does(environment: str) -> None:
    """The caller's second start would be refused while Glue's own runs: a good job, a failed night."""
    jobs = resources(environment, "AWS::Glue::Job").values()
    assert {each["Properties"]["MaxRetries"] for each in jobs} == {0}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_streaming_job_is_asked_for_again_without_a_failed_run(environment: str) -> None:
    """A trigger of Glue's own starts a run that fails while there is another; a refused call starts none."""
    assert resources(environment, "AWS::Glue::Trigger") == {}
    jobs = {
        each["Properties"]["Name"]: each["Properties"]
        for each in resources(environment, "AWS::Glue::Job").values()
        if each["Properties"]["Command"]["Name"] == "gluestreaming"
    }
    starts = {
        json.loads(each["Properties"]["Target"]["Input"]).get("JobName"): each["Properties"]["Target"]
        for each in resources(environment, "AWS::Scheduler::Schedule").values()
    }
    assert set(jobs) <= set(starts)
    for name, job in jobs.items():
        assert text(starts[name]["Arn"]) == "arn:@:scheduler:::aws-sdk:glue:startJobRun"
        assert starts[name]["RetryPolicy"] == {"MaximumRetryAttempts": 0}
        assert (job["MaxRetries"], job["ExecutionProperty"]["MaxConcurrentRuns"]) == (0, 1)
        may = allowed(environment, "processing/Starter", "glue:StartJobRun")
        assert [text(each["Resource"]).rpartition(":job/")[2] for each in may] == [name]


def test_a_list_may_be_held_back_as_long_as_the_api_says() -> None:
    api = one("AWS::Lambda::Function", "FunctionName", "mercato-prod-api")
    assert MAX_WAIT + 5 < api["Timeout"] < 30, "API Gateway's own"


def test_what_goes_into_the_online_store_is_given_again_until_it_is_done() -> None:
    """With a destination Lambda passes over what failed eleven times: while a store is replaced, all."""
    sources = [
        each["Properties"]
        for each in resources("prod", "AWS::Lambda::EventSourceMapping").values()
        if each["Properties"]["AmazonManagedKafkaEventSourceConfig"]["ConsumerGroupId"].startswith("online-")
    ]
    assert len(sources) == 5
    assert [each for each in sources if "DestinationConfig" in each] == []


def test_the_firewall_refuses_nothing_that_the_api_allows() -> None:
    (acl,) = resources("prod", "AWS::WAFv2::WebACL").values()
    groups = [each["Statement"].get("ManagedRuleGroupStatement", {}) for each in acl["Properties"]["Rules"]]
    counted = {
        override["Name"]
        for group in groups
        for override in group.get("RuleActionOverrides", [])
        if override["ActionToUse"] == {"Count": {}}
    }
    # 8 KiB and 2 KiB: less than a batch of events, and than 200 products to leave out.
    assert {"SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING"} <= counted


def test_several_clients_may_come_from_one_address() -> None:
    """A retailer's backends leave through one: a client's limit would hold for all of them together."""
    (acl,) = resources("prod", "AWS::WAFv2::WebACL").values()
    limits = {
        each["Name"]: each["Statement"]["RateBasedStatement"]["Limit"]
        for each in acl["Properties"]["Rules"]
        if "RateBasedStatement" in each["Statement"]
    }
    assert limits["address"] >= 5 * limits["client"]


@pytest.mark.parametrize(
    ("client", "address", "most"), [(10**6, None, 10**7), (10**9, None, 2 * 10**9), (10, 20, 20)]
)
def test_an_address_may_send_more_where_a_client_may(client: int, address: int | None, most: int) -> None:
    limits = Decisions(client_requests_per_5_minutes=client, address_requests_per_5_minutes=address)
    assert limits.of_an_address == most


def one(kind: str, name: str, value: str) -> dict[str, Any]:
    """Properties of the resource of prod that is so called."""
    found: dict[str, Any]
    (found,) = (
        each["Properties"]
        for each in resources("prod", kind).values()
        if each["Properties"].get(name) == value
    )
    return found
