"""What should answer, and the next step towards it: pure functions, no AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Request = dict[str, Any]

#: The only variant of an endpoint.
VARIANT = "AllTraffic"
#: Tag of an endpoint: the configuration that it was last asked to take.
ASKED_FOR = "mercato:asked-for"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_ENCODED = ("text/csv",)
_IN_SERVICE, _UNUSABLE = "InService", ("Failed", "OutOfService", "UpdateRollbackFailed")
#: Seconds that the alarms look at a new fleet before it gets all traffic, and before the old one goes.
_BAKING, _KEEPING = 600, 300
_GIVEN_UP = 3600
#: Scaling out is quick, for shops wait; scaling in is slow, for it may have been a lull.
_OUT, _IN = 60, 600


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How models answer, the same for all of a deployment.

    Attributes:
        prefix: of every name, `mercato-ENV-`.
        tags: of every endpoint, by which its costs are told from others.
        alarms: by model that has an endpoint: those that undo an update.
        role: ARN under which the containers run.
        subnets: in which they run.
        security_groups: of theirs.
        key: ARN of the key of their disks and of what is captured.
        capture_uri: folder for requests and answers.
        capture_percent: of the requests; 0 for none.
        instance_type: such as `ml.c5.large`.
        min_instances: that there always are.
        max_instances: that there may be.
        per_minute: requests that an instance should get.
    """

    prefix: str
    tags: Mapping[str, str]
    alarms: Mapping[str, Sequence[str]]
    role: str
    subnets: Sequence[str]
    security_groups: Sequence[str]
    key: str
    capture_uri: str
    capture_percent: int
    instance_type: str
    min_instances: int
    max_instances: int
    per_minute: int


@dataclass(frozen=True)
class Wanted:
    """A version of a model as it should answer.

    Attributes:
        name: of its SageMaker model and of its endpoint configuration; another version, or another way to
            serve it, has another one.
        model: request that makes the model.
        config: request that makes the endpoint configuration.
    """

    name: str
    model: Request
    config: Request


class Step(StrEnum):
    """What to do with an endpoint."""

    CREATE = "create"
    UPDATE = "update"
    #: It answers with what it should; its scaling is set.
    SCALE = "scale"
    #: It changes; when it is done, SageMaker tells of it.
    WAIT = "wait"
    #: The alarms have undone the update: a person approves it again, or another one.
    UNDONE = "undone"
    #: Nobody asked for an endpoint that is gone.
    LEAVE = "leave"
    #: SageMaker only lets it be deleted.
    UNUSABLE = "unusable"


def wanted(serving: Serving, model: str, package: str) -> Wanted:
    """What should answer for a model.

    Args:
        package: ARN of the model package version, which ends in `/VERSION`.
    """
    made: Request = {
        "PrimaryContainer": {"ModelPackageName": package},
        "ExecutionRoleArn": serving.role,
        "VpcConfig": {"Subnets": [*serving.subnets], "SecurityGroupIds": [*serving.security_groups]},
        # The container's toolkit fetches its source from S3.
        "EnableNetworkIsolation": False,
    }
    variant: Request = {
        "VariantName": VARIANT,
        "InstanceType": serving.instance_type,
        "InitialInstanceCount": serving.min_instances,
        "InitialVariantWeight": 1.0,
    }
    config: Request = {"KmsKeyId": serving.key}
    if serving.capture_percent:
        config["DataCaptureConfig"] = _capture(serving, model)
    digest = hashlib.sha256(json.dumps([made, variant, config], sort_keys=True).encode()).hexdigest()
    name = f"{serving.prefix}{model}-{package.rpartition('/')[2]}-{digest[:8]}"
    return Wanted(
        name,
        {"ModelName": name, **made},
        {"EndpointConfigName": name, "ProductionVariants": [{**variant, "ModelName": name}], **config},
    )


def _capture(serving: Serving, model: str) -> Request:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": serving.capture_percent,
        "DestinationS3Uri": f"{serving.capture_uri}/{model}",
        "KmsKeyId": serving.key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": [*_ENCODED]},
    }


def step(endpoint: Mapping[str, Any] | None, name: str, asked_for: str | None, by_person: bool) -> Step:
    """The next step towards an endpoint that answers with the configuration `name`.

    Args:
        endpoint: as SageMaker describes it, `None` if there is none.
        asked_for: configuration that it was last asked to take.
        by_person: a person has just approved or refused a version; otherwise the endpoint has changed.
    """
    if endpoint is None:
        return Step.CREATE if by_person else Step.LEAVE
    status = endpoint["EndpointStatus"]
    if status in _UNUSABLE:
        return Step.UNUSABLE
    if status != _IN_SERVICE:
        return Step.WAIT
    if endpoint["EndpointConfigName"] == name:
        return Step.SCALE
    return Step.UNDONE if asked_for == name and not by_person else Step.UPDATE


def update(endpoint: Mapping[str, Any], name: str, alarms: Sequence[str]) -> Request:
    """The request that moves an endpoint to another configuration, and back if an alarm goes off.

    One instance of the new fleet gets traffic first. Of a fleet of one that would be more than the half
    that SageMaker allows: there the new one takes over at once, and the old one waits.
    """
    count = endpoint["ProductionVariants"][0]["DesiredInstanceCount"]
    routing: Request = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if count > 1:
        size = {"Type": "INSTANCE_COUNT", "Value": 1}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": _BAKING, "CanarySize": size}
    return {
        "EndpointName": endpoint["EndpointName"],
        "EndpointConfigName": name,
        # As many instances as scaling has found necessary; all else as the configuration says.
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ],
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": routing,
                "TerminationWaitInSeconds": _KEEPING if count > 1 else _BAKING,
                "MaximumExecutionTimeoutInSeconds": _GIVEN_UP,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]},
        },
    }


def target(endpoint: str) -> Request:
    """What is scaled, as Application Auto Scaling names it."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }


def policy(endpoint: str, per_minute: int) -> Request:
    """The request that has an endpoint follow its traffic."""
    return {
        **target(endpoint),
        "PolicyName": f"{endpoint}-requests",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(per_minute),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleOutCooldown": _OUT,
            "ScaleInCooldown": _IN,
        },
    }
