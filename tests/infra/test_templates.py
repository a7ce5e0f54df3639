"""What the templates say, for every environment: rules, names, rights, sizes, retention."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections import Counter
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from infra.cdk.contracts import contracts
from lambdas.scopes import ADMIN_ROUTES, PEOPLE, ROUTES
from tests.infra.templates import (
    CDK,
    ENVIRONMENTS,
    INVENTORY,
    as_list,
    folder,
    resources,
    statements,
    templates,
    text,
)

pytestmark = [pytest.mark.timeout(900)]

#: Types whose data a retailer would miss.
STATEFUL = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::MSK::Cluster", "AWS::MSK::Topic", "AWS::Logs::LogGroup")
#: Types that are named within something else, which has the environment in its name.
WITHIN = (
    "AWS::APS::RuleGroupsNamespace",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::Glue::Schema",
    "AWS::IAM::Policy",
    "AWS::MSK::Topic",
)
#: Properties that say what is meant, and name nothing new.
MEANT = {
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    # Unique in its group; the user's id is in the account.
    ("AWS::ElastiCache::User", "UserName"),
}
#: Properties in which some types have their names.
INNER = ("Budget", "DatabaseInput")


def inventory() -> dict[str, dict[str, int]]:
    """How many resources of each type, by environment and stack."""
    return {
        f"{environment}/{stack}": dict(
            sorted(Counter(each["Type"] for each in template["Resources"].values()).items())
        )
        for environment in ENVIRONMENTS
        for stack, template in templates(environment).items()
    }


def physical_names(environment: str) -> set[tuple[str, str, str]]:
    """Type, property and value of everything by which a resource is told from others of the account."""
    found = set()
    for each in resources(environment).values():
        if each["Type"] not in WITHIN:
            properties = each.get("Properties", {})
            for given in (properties, *(properties.get(inner, {}) for inner in INNER)):
                found |= {
                    (each["Type"], key, text(value))
                    for key, value in given.items()
                    if re.search("(Name|Identifier|Id)$", key) and (each["Type"], key) not in MEANT
                }
    # What a template only refers to is known to AWS alone.
    return {name for name in found if name[2] != "@"}


def test_environments_of_one_account_share_no_name() -> None:
    """The second one's deploy would fail at it."""
    every = Counter(name for environment in ENVIRONMENTS for name in physical_names(environment))
    assert len(every) > 300
    assert [name for name, environments in every.items() if environments > 1] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_four_rule_packs_find_nothing_that_has_no_reason(environment: str) -> None:
    report = json.loads((folder(environment) / "validation-report.json").read_text())
    found = {each["pluginName"]: each["violations"] for each in report["pluginReports"]}
    assert {"AwsSolutions", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"} <= set(found)
    assert not any(found.values()), found
    reasons = {each["reason"] for entry in report["pluginReports"] for each in entry["suppressedViolations"]}
    assert all(reasons)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cfn_lint_finds_nothing(environment: str) -> None:
    files = sorted(folder(environment).glob("*.template.json"))
    done = subprocess.run(
        [str(CDK / "cfn-lint"), *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_inventory_is_the_reviewed_one() -> None:
    """Made anew with MERCATO_WRITE_INVENTORY=1; review the difference."""
    if os.environ.get("MERCATO_WRITE_INVENTORY"):
        INVENTORY.write_text(json.dumps(inventory(), indent=1) + "\n")
    assert inventory() == json.loads(INVENTORY.read_text())


def test_what_training_costs_counts_for_the_budget() -> None:
    (budget,) = resources("prod", "AWS::Budgets::Budget").values()
    (filtered,) = budget["Properties"]["Budget"]["CostFilters"]["TagKeyValue"]
    key, value = filtered.removeprefix("user:").split("$")
    tag = json.dumps({"Key": key, "Value": value}, separators=(",", ":"))
    pipelines = resources("prod", "AWS::SageMaker::Pipeline").values()
    for each in pipelines:
        body = text(each["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
        # Checks data, trains, evaluates, scores.
        assert body.count(tag) == 4
    assert pipelines


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_policy_allows_every_action_or_all_of_a_service(environment: str) -> None:
    for name, statement in statements(environment):
        actions = as_list(statement["Action"])
        assert not [action for action in actions if action == "*" or action.endswith(":*")], name


def _properties(topic: Any) -> dict[str, str]:
    """Settings of a topic, which MSK wants as the lines of a properties file in Base64."""
    lines = base64.b64decode(topic["Properties"]["Configs"], validate=True).decode().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_topic_and_table_of_the_contracts_is_deployed() -> None:
    topics = resources("prod", "AWS::MSK::Topic").values()
    assert {each["Properties"]["TopicName"] for each in topics} == {
        name for topic in contracts().topics for name in (topic.name, topic.quarantine)
    }
    configs = {each["Properties"]["TopicName"]: _properties(each) for each in topics}
    assert {name for name, each in configs.items() if each.get("cleanup.policy") == "compact"} == {
        topic.name for topic in contracts().topics if topic.compact
    }
    schemas = resources("prod", "AWS::Glue::Schema").values()
    assert {each["Properties"]["Name"] for each in schemas} == {topic.name for topic in contracts().topics}
    tables = Counter(
        each["Properties"]["TableInput"]["Name"] for each in resources("prod", "AWS::Glue::Table").values()
    )
    assert tables == Counter(table.name for table in contracts().tables)
    assert len(resources("prod", "AWS::Glue::DataQualityRuleset")) == len(contracts().tables)


def test_state_is_kept_unless_the_configuration_says_otherwise() -> None:
    kept = {name: each.get("DeletionPolicy") for name, each in resources("prod", *STATEFUL).items()}
    assert kept
    # A first deploy that failed leaves nothing: its names are fixed, and the next try would find them taken.
    assert set(kept.values()) == {"RetainExceptOnCreate"}
    assert {each.get("UpdateReplacePolicy") for each in resources("prod", *STATEFUL).values()} == {"Retain"}
    # A version of a schema has no name, and goes with the schema.
    every = resources("prod").values()
    assert {each["Type"] for each in every if each.get("DeletionPolicy") == "Retain"} == {
        "AWS::Glue::SchemaVersion"
    }
    given_up = {each.get("DeletionPolicy") for each in resources("dev", *STATEFUL).values()}
    assert given_up == {"Delete"}


def test_every_route_of_the_api_asks_for_its_scope_and_nothing_else_is_routed() -> None:
    routes = {
        each["Properties"]["RouteKey"]: each["Properties"]
        for each in resources("prod", "AWS::ApiGatewayV2::Route").values()
    }
    assert {key: (each.get("AuthorizationScopes") or [None])[0] for key, each in routes.items()} == {
        f"{method} {path}": None if scope == PEOPLE else scope
        for method, path, scope in (*ROUTES, *ADMIN_ROUTES)
    }
    for each in routes.values():
        assert (each["AuthorizationType"] == "JWT") == ("AuthorizationScopes" in each)


def test_the_firewalls_log_holds_nothing_to_sign_in_with() -> None:
    (logged,) = resources("prod", "AWS::WAFv2::LoggingConfiguration").values()
    redacted = {each["SingleHeader"]["Name"] for each in logged["Properties"]["RedactedFields"]}
    assert redacted == {"authorization", "cookie"}
