"""What preflight makes of answers; tests/infra/test_deploy_local.py asks the questions of an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.cloud.preflight.account import deployed, recovery
from mercato.cloud.preflight.finding import State
from mercato.cloud.preflight.lake_formation import lake_formation
from mercato.cloud.preflight.quotas import concurrency, judged, quotas
from mercato.cloud.preflight.report import PreflightError, as_json, blocked, inspect
from mercato.cloud.preflight.secrets import by_hand, secrets
from mercato.cloud.preflight.services import SERVICES
from mercato.cloud.preflight.tags import tags
from mercato.cloud.template import ENVIRONMENT, Assembly, Resource, resources
from tests.infra.templates import made_types

COUNTS = st.integers(min_value=0, max_value=1000).map(float)
HERE = Assembly("us-east-1", (), "1" * 12, 6, ("us-east-1",))


class Refusing:
    """A session whose credentials are fine and which then may read nothing, or has none at all."""

    region_name = "us-east-1"

    def __init__(self, error: Exception, account: str = HERE.account) -> None:
        self._error = error
        self._account = account

    def client(self, service: str, **_options: object) -> Any:
        if service == "sts" and isinstance(self._error, ClientError):
            return self
        raise self._error

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": self._account, "Arn": f"arn:aws:iam::{self._account}:user/one"}


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")


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


def test_services_are_looked_up_that_some_environment_needs() -> None:
    assert set(SERVICES) <= {each.split("::")[1] for each in made_types()}


class Answering:
    """A session whose clients give one answer to one question, and know no other."""

    def __init__(self, operation: str, answer: dict[str, Any] | Exception) -> None:
        self._operation, self._answer = operation, answer

    def client(self, _service: str, **_options: object) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            raise AttributeError(name)

        def ask(**_parameters: object) -> dict[str, Any]:
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return ask


NO_SECRET = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeSecret")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (NO_SECRET, State.WARNING),
        ({"VersionIdsToStages": {"1": ["AWSCURRENT"]}}, State.WARNING),
        ({"VersionIdsToStages": {"1": ["AWSPREVIOUS"], "2": ["AWSCURRENT"]}}, State.OK),
    ],
)
def test_a_secret_is_filled_once_somebody_put_a_value_and_none_is_read(answer: Any, state: State) -> None:
    secret = Resource("s", "A", "AWS::SecretsManager::Secret", {"Name": "tokens"})
    (found,) = secrets(Answering("describe_secret", answer), Assembly("us-east-1", (secret,)))
    assert found.state is state


ANYBODY = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]


@pytest.mark.parametrize(
    ("tables", "state"), [(ANYBODY, State.OK), ([], State.WARNING)], ids=["a new account's", "strict"]
)
def test_lake_formations_defaults_are_looked_at_where_there_is_a_catalogue(
    tables: list[Any], state: State
) -> None:
    defaults = {"CreateDatabaseDefaultPermissions": ANYBODY, "CreateTableDefaultPermissions": tables}
    session = Answering("get_data_lake_settings", {"DataLakeSettings": defaults})
    database = Resource("lake", "Gold", "AWS::Glue::Database", {})
    (found,) = lake_formation(session, Assembly("us-east-1", (database,), "1" * 12))
    assert found.state is state
    assert ("CREATE_DATABASE" in found.fix) is (state is State.WARNING)
    assert list(lake_formation(session, HERE)) == []


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


MEMBER = ClientError(
    {"Error": {"Code": "AccessDeniedException", "Message": "Linked account"}}, "ListCostAllocationTags"
)
BUDGET = Resource("observability", "Budget", "AWS::Budgets::Budget", {})


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"CostAllocationTags": [{"TagKey": ENVIRONMENT, "Status": "Active"}]}, State.OK),
        ({"CostAllocationTags": [{"TagKey": ENVIRONMENT, "Status": "Inactive"}]}, State.WARNING),
        ({"CostAllocationTags": []}, State.WARNING),
        (MEMBER, State.WARNING),
    ],
)
def test_a_budget_whose_tag_is_not_activated_is_a_warning(answer: Any, state: State) -> None:
    session = Answering("list_cost_allocation_tags", answer)
    (found,) = tags(session, Assembly("us-east-1", (BUDGET,)))
    assert found.state is state
    assert (f"TagKey={ENVIRONMENT},Status=Active" in found.fix) is (state is State.WARNING)
    assert list(tags(session, HERE)) == []


@pytest.mark.parametrize(
    ("state", "protected", "steps"),
    [
        ("ROLLBACK_COMPLETE", False, ["delete-stack"]),
        ("ROLLBACK_COMPLETE", True, ["update-termination-protection", "delete-stack"]),
        ("ROLLBACK_FAILED", False, ["delete-stack", "empty the buckets"]),
        ("UPDATE_ROLLBACK_FAILED", True, ["continue-update-rollback"]),
    ],
)
def test_a_stack_that_failed_says_the_way_out_and_one_in_use_is_not_deleted(
    state: str, protected: bool, steps: list[str]
) -> None:
    said = recovery({"StackName": "one", "StackStatus": state, "EnableTerminationProtection": protected})
    known = ("update-termination-protection", "delete-stack", "continue-update-rollback", "empty the buckets")
    assert sorted((step for step in known if step in said), key=said.index) == steps


def test_a_generated_secret_is_nobodys_work() -> None:
    generated = Resource("s", "A", "AWS::SecretsManager::Secret", {"GenerateSecretString": {}})
    assert not by_hand(generated)
    assert by_hand(Resource("s", "B", "AWS::SecretsManager::Secret", {"Name": "b"}))


def test_no_credentials_block_and_nothing_more_is_asked() -> None:
    found = inspect(Refusing(NoCredentialsError()), HERE)
    assert [each.check for each in found] == ["identity"]
    assert blocked(found)
    assert as_json(found)["blocking"] is True


def test_credentials_of_another_account_block() -> None:
    found = inspect(Refusing(DENIED, "2" * 12), HERE)
    assert {each.check for each in found if each.state is State.BLOCKING} == {"account"}


def test_a_refused_question_says_what_to_allow() -> None:
    with pytest.raises(PreflightError, match="ReadOnlyAccess"):
        inspect(Refusing(DENIED), HERE)


def test_without_templates_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["preflight", "--env", "prod"])
    assert result.exit_code == 1
    assert "run `make synth ENV=prod`" in str(result.exception)
