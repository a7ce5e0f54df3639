"""The deployer as it ships, against moto: a model package that is approved answers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import boto3
import pytest

from tests.infra.lambda_runtime import Runtime
from tests.unit.lambdas.serving import NAME, SERVING

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(300)]

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def _version(sagemaker: Any, status: str) -> str:
    """ARN of a new version of the model, as a pipeline registers it."""
    arn: str = sagemaker.create_model_package(
        ModelPackageGroupName=NAME,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/runs/1/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    return arn


def _package(group: str) -> dict[str, Any]:
    detail = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved"}
    return {
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "detail": detail,
    }


def _changed(endpoint: str) -> dict[str, Any]:
    return _event("Endpoint", EndpointName=endpoint, EndpointStatus="IN_SERVICE")


def _event(of: str, **detail: str) -> dict[str, Any]:
    """As EventBridge gives it."""
    return {"source": "aws.sagemaker", "detail-type": f"SageMaker {of} State Change", "detail": detail}


@pytest.mark.exercises("function-deployer")
def test_an_approved_model_gets_an_endpoint_that_scales(runtime: Runtime, aws: str) -> None:
    sagemaker, scaling = boto3.client("sagemaker"), boto3.client("application-autoscaling")
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    _version(sagemaker, "PendingManualApproval")
    environment = {"AWS_ENDPOINT_URL": aws, "MERCATO_SERVING": json.dumps(dataclasses.asdict(SERVING))}

    pending, gone, other = runtime.invoke(
        "deployer", _package(NAME), _changed(NAME), _package("mercato-test-churn"), **environment
    ).answers
    assert ["ignored" in each for each in (pending, gone, other)] == [True] * 3
    assert sagemaker.list_endpoints()["Endpoints"] == []

    package = _version(sagemaker, "Approved")
    _version(sagemaker, "Rejected")
    made, again, settled = runtime.invoke(
        "deployer", _package(NAME), _package(NAME), _changed(NAME), **environment
    ).answers
    assert [each["step"] for each in (made, again, settled)] == ["create", "scale", "scale"]
    assert {each["package"] for each in (made, again, settled)} == {package}

    endpoint = sagemaker.describe_endpoint(EndpointName=NAME)
    tags = {
        each["Key"]: each["Value"]
        for each in sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
    }
    assert SERVING.tags.items() <= tags.items(), "the budget counts by them"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"]["ModelPackageName"] == package
    assert model["VpcConfig"]["Subnets"] == SERVING.subnets
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 2)
    assert config["KmsKeyId"] == SERVING.key
    assert config["DataCaptureConfig"]["DestinationS3Uri"] == "s3://models/capture/recommend"
    (scaled,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (scaled["MinCapacity"], scaled["MaxCapacity"]) == (2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == SERVING.per_minute
    assert len(sagemaker.list_models()["Models"]) == len(sagemaker.list_endpoints()["Endpoints"]) == 1
