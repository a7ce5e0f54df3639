"""Room in an account for what a deploy adds to it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from mercato.cloud.preflight.account import deployed
from mercato.cloud.preflight.finding import State
from mercato.cloud.preflight.quotas import concurrency, judged, quotas
from mercato.cloud.template import Assembly, Resource, resources

COUNTS = st.integers(min_value=0, max_value=1000).map(float)


@given(COUNTS, COUNTS, COUNTS)
def test_a_quota_blocks_exactly_when_it_would_be_passed(needed: float, used: float, value: float) -> None:
    found = judged("VPCs per Region", "vpc", needed, used, value)
    assert (found.state is State.BLOCKING) is (needed + used > value)
    assert bool(found.fix) is (found.state is State.BLOCKING)


def test_a_quota_that_nobody_tells_is_a_warning_with_a_place_to_look() -> None:
    found = judged("EC2-VPC Elastic IPs", "ec2", 3, 1, None)
    assert found.state is State.WARNING
    assert "console of Service Quotas" in found.fix


class Account:
    """An account with stacks of these templates: its network has one address, its cluster three brokers."""

    def __init__(self, templates: dict[str, Any], state: str = "UPDATE_COMPLETE") -> None:
        self._templates, self._state = templates, state

    def client(self, _service: str, **_options: object) -> Account:
        return self

    def get_paginator(self, operation: str) -> Account:
        self._operation = operation
        return self

    def paginate(self, **_parameters: str) -> list[dict[str, Any]]:
        if self._operation == "describe_stacks":
            stacks = [{"StackName": name, "StackStatus": self._state} for name in self._templates]
            return [{"Stacks": stacks}]
        return [{"Quotas": [{"QuotaName": "Number of brokers per account", "Value": 5}]}]

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"TemplateBody": self._templates[StackName]}

    def get_service_quota(self, **_quota: str) -> dict[str, Any]:
        return {"Quota": {"Value": 2}}

    get_aws_default_service_quota = get_service_quota

    def describe_addresses(self) -> dict[str, Any]:
        return {"Addresses": [{}]}

    def list_clusters(self) -> dict[str, Any]:
        return {"ClusterInfoList": [{"NumberOfBrokerNodes": 3}]}


def _network(addresses: int, brokers: int, interfaces: int) -> dict[str, Any]:
    """A template."""
    counted: dict[str, list[dict[str, Any]]] = {
        "AWS::EC2::EIP": [{}] * addresses,
        "AWS::MSK::Cluster": [{"NumberOfBrokerNodes": brokers}],
        "AWS::EC2::VPCEndpoint": [{"VpcEndpointType": "Interface"}] * interfaces,
    }
    made = [{"Type": kind, "Properties": each} for kind, those in counted.items() for each in those]
    return {"Resources": {f"R{number}": each for number, each in enumerate(made)}}


@pytest.mark.parametrize(
    ("template", "state", "expected"),
    [
        (_network(1, 3, 1), "UPDATE_COMPLETE", {}),
        # It is deployed, and grows: by an address beside its own, by brokers, by an endpoint.
        (_network(2, 3, 1), "UPDATE_COMPLETE", {"EC2-VPC Elastic IPs": (State.OK, "1 more needed, 1 of 2")}),
        (
            _network(3, 3, 1),
            "UPDATE_COMPLETE",
            {"EC2-VPC Elastic IPs": (State.BLOCKING, "2 more needed, 1 of")},
        ),
        (
            _network(1, 6, 1),
            "UPDATE_COMPLETE",
            {"Number of brokers per account": (State.BLOCKING, "3 more needed, 3 of 5")},
        ),
        (
            _network(1, 3, 3),
            "UPDATE_COMPLETE",
            {"Interface VPC endpoints per VPC": (State.BLOCKING, "2 more needed, 1 of 2")},
        ),
        (_network(0, 2, 0), "UPDATE_COMPLETE", {}),
        # What failed at first holds nothing, so that all is new.
        (
            _network(1, 1, 1),
            "ROLLBACK_COMPLETE",
            {
                "EC2-VPC Elastic IPs": (State.OK, "1 more needed, 1 of 2"),
                "Interface VPC endpoints per VPC": (State.OK, "1 more needed, 0 of 2"),
                "Number of brokers per account": (State.OK, "1 more needed, 3 of 5"),
            },
        ),
    ],
)
def test_an_update_needs_room_for_what_it_adds_to_a_stack(
    template: dict[str, Any], state: str, expected: dict[str, tuple[State, str]]
) -> None:
    account = Account({"network": _network(1, 3, 1), "of-others": _network(9, 9, 9)}, state)
    assembly = Assembly("us-east-1", tuple(resources("network", template)), regions=("us-east-1",))
    held, _ = deployed(account, assembly)
    found = {each.check: each for each in quotas(account, "us-east-1", assembly.resources, held)}
    assert found.keys() == {f"quota: {name}" for name in expected}
    for name, (told, says) in expected.items():
        assert found[f"quota: {name}"].state is told
        assert found[f"quota: {name}"].says.startswith(says)


class Functions:
    """Lambda of an account of a thousand, in which functions have reserved so much."""

    def __init__(self, **reserved: int) -> None:
        self._reserved = reserved

    def client(self, _service: str, **_options: object) -> Functions:
        return self

    def get_account_settings(self) -> dict[str, Any]:
        left = 1000 - sum(self._reserved.values())
        return {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": left}}

    def get_function_concurrency(self, FunctionName: str) -> dict[str, int]:  # noqa: N803
        if FunctionName not in self._reserved:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFunctionConcurrency")
        return {"ReservedConcurrentExecutions": self._reserved[FunctionName]}


@pytest.mark.parametrize(
    ("there", "wanted", "state"),
    [
        ({}, 900, State.OK),
        ({}, 901, State.BLOCKING),
        # It grows in a stack that is there.
        ({"api": 200}, 900, State.OK),
        ({"api": 200}, 901, State.BLOCKING),
        ({"other": 500, "api": 200}, 400, State.OK),
        ({"other": 500, "api": 200}, 401, State.BLOCKING),
        ({"other": 950}, 0, State.OK),
    ],
)
def test_what_functions_reserve_is_compared_with_what_others_leave(
    there: dict[str, int], wanted: int, state: State
) -> None:
    reserving = {"FunctionName": "api", **({"ReservedConcurrentExecutions": wanted} if wanted else {})}
    resources = [
        Resource("decisions", "Api", "AWS::Lambda::Function", reserving),
        Resource("decisions", "Helper", "AWS::Lambda::Function", {}),
    ]
    (found,) = concurrency(Functions(**there), "us-east-1", resources)
    assert found.state is state, found
