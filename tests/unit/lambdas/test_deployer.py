"""Which step an endpoint needs, and the calls that an update is made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from lambdas.deployer.endpoints import Endpoints
from lambdas.deployer.plan import ASKED_FOR, Step, policy, step, target, update, wanted
from tests.unit.lambdas.serving import ACCOUNT, ALARMS, ARN, NAME, PACKAGE, REGION, SERVING


def endpoint(status: str = "InService", config: str = "old", count: int = 2) -> dict[str, Any]:
    return {
        "EndpointName": NAME,
        "EndpointArn": ARN,
        "EndpointConfigName": config,
        "EndpointStatus": status,
        "CreationTime": 0,
        "LastModifiedTime": 0,
        "ProductionVariants": [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
    }


@pytest.mark.parametrize(
    ("found", "asked_for", "by_person", "expected"),
    [
        (None, None, True, Step.CREATE),
        (None, None, False, Step.LEAVE),
        (endpoint("Creating"), "new", False, Step.WAIT),
        (endpoint("Updating"), "old", True, Step.WAIT),
        (endpoint("RollingBack"), "new", False, Step.WAIT),
        (endpoint(), "old", True, Step.UPDATE),
        (endpoint(), "old", False, Step.UPDATE),
        (endpoint(config="new"), "new", True, Step.SCALE),
        (endpoint(config="new"), "new", False, Step.SCALE),
        (endpoint(), "new", False, Step.UNDONE),
        (endpoint(), "new", True, Step.UPDATE),
        (endpoint("Failed", "new"), "new", True, Step.UNUSABLE),
        (endpoint("UpdateRollbackFailed"), "new", False, Step.UNUSABLE),
    ],
)
def test_the_next_step(
    found: dict[str, Any] | None, asked_for: str | None, by_person: bool, expected: Step
) -> None:
    assert step(found, "new", asked_for, by_person) is expected


def test_every_status_of_an_endpoint_has_a_step() -> None:
    shape = boto3.client("sagemaker", region_name=REGION).meta.service_model.shape_for("EndpointStatus")
    done = {status for status in shape.enum if step(endpoint(status), "new", None, True) is not Step.WAIT}
    assert done == {"InService", "Failed", "OutOfService", "UpdateRollbackFailed"}


def test_another_version_or_another_way_to_serve_it_has_another_name() -> None:
    seven = wanted(SERVING, "recommend", PACKAGE)
    assert wanted(SERVING, "recommend", PACKAGE) == seven
    assert seven.name.startswith(f"{NAME}-7-")
    larger = dataclasses.replace(SERVING, instance_type="ml.m5.xlarge")
    unwatched = dataclasses.replace(SERVING, capture_percent=0)
    names = {
        seven.name,
        wanted(larger, "recommend", PACKAGE).name,
        wanted(unwatched, "recommend", PACKAGE).name,
        wanted(SERVING, "recommend", PACKAGE.replace("/7", "/8")).name,
    }
    assert len(names) == 4
    assert "DataCaptureConfig" not in wanted(unwatched, "recommend", PACKAGE).config


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("sagemaker", "CreateModel", wanted(SERVING, "recommend", PACKAGE).model),
        ("sagemaker", "CreateEndpointConfig", wanted(SERVING, "recommend", PACKAGE).config),
        ("sagemaker", "UpdateEndpoint", update(endpoint(), "new", ALARMS)),
        ("sagemaker", "UpdateEndpoint", update(endpoint(count=1), "new", ALARMS)),
        ("application-autoscaling", "PutScalingPolicy", policy(NAME, 3000)),
    ],
)
def test_a_request_is_one_that_the_api_knows(service: str, operation: str, request_: dict[str, Any]) -> None:
    shape = boto3.client(service, region_name=REGION).meta.service_model.operation_model(operation)
    report = ParamValidator().validate(request_, shape.input_shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize(("count", "routing"), [(1, "ALL_AT_ONCE"), (2, "CANARY"), (9, "CANARY")])
def test_one_instance_of_several_gets_traffic_first_and_alarms_undo_it(count: int, routing: str) -> None:
    deployment = update(endpoint(count=count), "new", ALARMS)["DeploymentConfig"]
    policy_ = deployment["BlueGreenUpdatePolicy"]
    assert policy_["TrafficRoutingConfiguration"]["Type"] == routing
    baking = policy_["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    # The alarms look at two periods of five minutes before the old fleet goes.
    assert baking + policy_["TerminationWaitInSeconds"] >= 600
    assert [each["AlarmName"] for each in deployment["AutoRollbackConfiguration"]["Alarms"]] == ALARMS


@pytest.mark.parametrize("before", ["ml.c5.large", "ml.m5.large"])
def test_an_update_notes_what_it_asks_for_and_stops_scaling_only_for_another_instance_type(
    before: str,
) -> None:
    credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", region_name=REGION, **credentials)
    scaling = boto3.client("application-autoscaling", region_name=REGION, **credentials)
    variant = {"VariantName": "AllTraffic", "InstanceType": before}
    config = {
        "EndpointConfigName": "old",
        "EndpointConfigArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/old",
        "ProductionVariants": [variant],
        "CreationTime": 0,
    }
    told = {**SERVING.tags, ASKED_FOR: "new"}
    tags = {"ResourceArn": ARN, "Tags": [{"Key": key, "Value": value} for key, value in told.items()]}
    with Stubber(sagemaker) as calls, Stubber(scaling) as scalings:
        calls.add_response("describe_endpoint_config", config, {"EndpointConfigName": "old"})
        calls.add_response("add_tags", {}, tags)
        calls.add_response("update_endpoint", {"EndpointArn": ARN}, update(endpoint(), "new", ALARMS))
        if before != SERVING.instance_type:
            scalings.add_client_error(
                "deregister_scalable_target", "ObjectNotFoundException", "", 400, {}, target(NAME)
            )
        Endpoints(SERVING, sagemaker, scaling).update(endpoint(), "new", ALARMS)
        calls.assert_no_pending_responses()
        scalings.assert_no_pending_responses()
