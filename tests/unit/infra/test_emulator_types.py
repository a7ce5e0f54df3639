"""How the emulator's registrations name things, and how properties become parameters."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.emulator.types.catalog import TYPES
from infra.emulator.types.fitting import fit
from infra.emulator.types.registration import fill, identified, resource_values
from tests.infra.templates import made_types


def shape(service: str, operation: str) -> Any:
    client: Any = boto3.client(service, region_name="us-east-1")
    return client.meta.service_model.operation_model(operation).input_shape


def test_the_emulator_is_taught_the_types_that_the_environments_have() -> None:
    assert set(TYPES) == made_types()


def test_names_meet_whatever_their_case_and_numbers_whatever_their_type() -> None:
    fitted = fit(
        {"ClusterName": "events", "NumberOfBrokerNodes": "3", "Tags": {"a": "b"}, "Unknown": 1},
        shape("kafka", "CreateCluster"),
    )
    assert fitted == {"ClusterName": "events", "NumberOfBrokerNodes": 3, "Tags": {"a": "b"}}


def test_tags_are_a_list_or_a_map_as_the_api_has_them() -> None:
    listed = [{"Key": "plane", "Value": "models"}]
    assert fit({"Tags": {"plane": "models"}}, shape("sagemaker", "CreateModel")) == {"Tags": listed}
    assert fit({"Tags": listed}, shape("emr-serverless", "CreateApplication")) == {
        "tags": {"plane": "models"}
    }


def test_a_document_is_text_where_the_api_wants_text() -> None:
    fitted = fit({"PipelineDefinition": {"Steps": []}}, shape("sagemaker", "CreatePipeline"))
    assert fitted == {"PipelineDefinition": '{"Steps": []}'}


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("false", False), (True, True), (False, False)]
)
def test_booleans_may_be_written_as_text(written: object, meant: bool) -> None:
    fitted = fit({"EnableNetworkIsolation": written}, shape("sagemaker", "CreateModel"))
    assert fitted == {"EnableNetworkIsolation": meant}


def test_a_placeholder_alone_keeps_its_type_and_one_in_text_becomes_text() -> None:
    values = {"Ports": [1, 2], "Name": "events", "answer": {"Cluster": {"Arn": "arn:x"}}}
    assert fill({"a": "{Ports}", "b": ["{Name}-1"], "c": "{answer.Cluster.Arn}", "d": 5}, values) == {
        "a": [1, 2],
        "b": ["events-1"],
        "c": "arn:x",
        "d": 5,
    }
    assert fill("{Missing}", values) is None
    assert fill("{Missing || Name}", values) == "events"


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_a_resource_keeps_its_digits_and_another_has_others(stack: str, logical: str, other: str) -> None:
    def digits(name: str) -> str:
        values = resource_values({}, account="1", region="r", stack=stack, logical=name)
        return str(values["hash"])

    assert digits(logical) == digits(logical)
    assert len(digits(logical)) == 12
    assert digits(logical).isdigit()
    assert (digits(logical) == digits(other)) is (logical == other)


def test_an_arn_ends_in_a_name() -> None:
    assert identified({}, "arn:aws:sagemaker:us-east-1:1:model/rank")["name"] == "rank"
    assert identified({}, "plain")["name"] == "plain"
