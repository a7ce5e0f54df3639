"""What preflight makes of answers; tests/infra/test_deploy_local.py asks the questions of an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.cloud.preflight.account import recovery
from mercato.cloud.preflight.finding import State
from mercato.cloud.preflight.lake_formation import lake_formation
from mercato.cloud.preflight.report import PreflightError, as_json, blocked, inspect
from mercato.cloud.preflight.secrets import by_hand, secrets
from mercato.cloud.preflight.services import SERVICES
from mercato.cloud.preflight.tags import tags
from mercato.cloud.template import ENVIRONMENT, Assembly, Resource
from tests.infra.templates import made_types

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
