"""What starts only after a deploy: endpoints of approved models, jobs of their pipelines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from mercato.cloud.preflight.finding import State
from mercato.cloud.preflight.quotas import endpoint_instances, endpoints, job_quotas, jobs
from mercato.cloud.template import ANSWERS_ON, Resource


def _versions(answers_on: str | None) -> Resource:
    tags = [] if answers_on is None else [{"Key": ANSWERS_ON, "Value": answers_on}]
    return Resource("models", "Versions", "AWS::SageMaker::ModelPackageGroup", {"Tags": tags})


MODELS = [_versions("2 ml.m5.large"), _versions("1 ml.m5.large"), _versions("1 ml.c5.large"), _versions(None)]


class Quotas:
    """A session that tells the quotas of SageMaker, some only among AWS's defaults."""

    def __init__(self, **values: dict[str, float]) -> None:
        self._values = values

    def client(self, service: str, **_options: object) -> Any:
        assert service == "service-quotas"
        return self

    def get_paginator(self, operation: str) -> Any:
        self._quotas = [
            {"QuotaName": name, "Value": value} for name, value in self._values.get(operation, {}).items()
        ]
        return self

    def paginate(self, **parameters: str) -> Any:
        assert parameters == {"ServiceCode": "sagemaker"}
        return [{"Quotas": self._quotas}]


def test_instances_of_all_models_endpoints_are_counted_by_type() -> None:
    assert {name: sorted(counts) for name, counts in endpoint_instances(MODELS).items()} == {
        "ml.m5.large": [1, 2],
        "ml.c5.large": [1],
    }
    assert endpoint_instances([_versions(None)]) == {}


def test_too_few_instances_for_endpoints_are_a_warning_as_the_deploy_itself_starts_none() -> None:
    """A quota that nobody has raised is found among AWS's defaults."""
    session = Quotas(
        list_service_quotas={"ml.m5.large for endpoint usage": 4},
        list_aws_default_service_quotas={"ml.c5.large for endpoint usage": 2},
    )
    compute, general = endpoints(session, "us-east-1", MODELS)
    assert (compute.check, compute.state) == ("quota: ml.c5.large for endpoint usage", State.OK)
    # Three that answer, and two more while the larger fleet is replaced.
    assert general.state is State.WARNING
    assert general.says == "5 needed by approved models, one of which is being updated, 4 allowed"
    assert "Service Quotas for 5 or more (sagemaker, ml.m5.large for endpoint usage)" in general.fix


def test_a_quota_for_endpoints_that_nobody_tells_is_a_warning() -> None:
    (found,) = endpoints(Quotas(), "us-east-1", [_versions("1 ml.c5.large")])
    assert found.state is State.WARNING
    assert "does not say" in found.says


def _pipeline(model: str, training: str) -> Resource:
    """A model's pipeline as a template has it, with values that only the deploy knows."""
    definition = json.loads((ROOT / f"infra/cdk/generated/pipeline-{model}.json").read_text())
    for each in definition["Parameters"]:
        if each["Name"] == "TrainingInstanceType":
            each["DefaultValue"] = training
        elif each["Name"] == "RoleArn":
            each["DefaultValue"] = "SPLIT"
    before, after = json.dumps(definition).split("SPLIT")
    body = {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Role", "Arn"]}, after]]}
    properties = {"PipelineDefinition": {"PipelineDefinitionBody": body}}
    return Resource("models", model, "AWS::SageMaker::Pipeline", properties)


@pytest.mark.parametrize("model", ["churn", "fraud", "price", "recommend"])
def test_a_pipelines_jobs_count_against_the_quotas_of_their_kinds(model: str) -> None:
    assert sorted(job_quotas(_pipeline(model, "ml.m5.4xlarge"))) == [
        "ml.m5.4xlarge for spot training job usage",
        "ml.m5.large for processing job usage",
    ]
    assert list(job_quotas(_versions(None))) == []


def test_too_few_instances_for_jobs_are_a_warning() -> None:
    """A new account has none for training on spot instances."""
    session = Quotas(
        list_service_quotas={
            "ml.m5.xlarge for spot training job usage": 0, "ml.m5.large for processing job usage": 2,
        }
    )  # fmt: skip
    pipelines = [_pipeline("churn", "ml.m5.xlarge"), _pipeline("fraud", "ml.m5.xlarge")]
    processing, training = jobs(session, "us-east-1", [*pipelines, _versions(None)])
    assert processing.state is State.OK
    assert training.state is State.WARNING
    assert training.says == "2 needed where all models are trained at once, 0 allowed"
    assert training.fix.endswith("ml.m5.xlarge for spot training job usage) before you train them")
