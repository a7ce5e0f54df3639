"""What AWS would refuse in the templates, though an emulator takes it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from jsonschema import Draft7Validator

from infra.artifacts.artifact import ROOT
from infra.cdk.contracts import contracts
from tests.infra.templates import ENVIRONMENTS, as_list, resources, synthesize, text

pytestmark = [pytest.mark.timeout(900)]

#: What no environment of its own has: deploys from GitHub, and an Airflow that trains nothing.
SECTIONS = {"delivery": {"repository": "a-shop/mercato"}, "airflow": {"enabled": True}}


@pytest.fixture(scope="module")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Resources by stack and name of `dev` with these sections."""
    out = tmp_path_factory.mktemp("variant")
    (out / "overlay.json").write_text(json.dumps(SECTIONS))
    done = synthesize("dev", out / "out", "--overlay", str(out / "overlay.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        f"{path.name.removesuffix('.template.json')}/{name}": resource
        for path in (out / "out").glob("*.template.json")
        for name, resource in json.loads(path.read_text())["Resources"].items()
    }


def _of_type(found: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in found.values() if each["Type"] == kind]


def test_a_log_group_that_a_service_is_told_of_has_no_asterisk_behind_it() -> None:
    rules = resources("prod", "AWS::Events::Rule").values()
    named = [target["Arn"] for rule in rules for target in rule["Properties"]["Targets"]]
    for each in resources("prod", "AWS::WAFv2::LoggingConfiguration").values():
        named += each["Properties"]["LogDestinationConfigs"]
    for each in resources("prod", "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption").values():
        named.append(each["Properties"]["CloudWatchLoggingOption"]["LogStreamARN"])
    # A log group's own ARN would be one reference, which CloudFormation resolves to one with an asterisk.
    logs = [arn for arn in map(text, named) if ":logs:" in arn]
    assert len(logs) == 4
    assert all(re.fullmatch(r"arn:@:logs:[\w-]+:@:log-group:[^*]+", arn) for arn in logs), logs


#: What EC2 says a description may be.
_GROUP_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_said_of_security_groups_has_characters_that_ec2_takes(environment: str) -> None:
    """An apostrophe in a rule's description once made no deploy possible."""
    said = [
        rule.get(name)
        for kind in ("", "Ingress", "Egress")
        for group in resources(environment, f"AWS::EC2::SecurityGroup{kind}").values()
        for rule in (
            group["Properties"],
            *group["Properties"].get("SecurityGroupIngress", []),
            *group["Properties"].get("SecurityGroupEgress", []),
        )
        for name in ("GroupDescription", "Description")
    ]
    written = [each for each in said if each is not None]
    assert len(written) > 10
    # CDK's own texts name a peer of another stack by its reference.
    assert [each for each in map(text, written) if not _GROUP_TEXT.fullmatch(each)] == []


def test_a_schema_is_of_a_draft_that_the_registry_reads_and_its_first_version_never_changes() -> None:
    schemas = [each["Properties"] for each in resources("prod", "AWS::Glue::Schema").values()]
    # Another text would replace the schema, under a name that is taken.
    first = '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}'
    assert {each["SchemaDefinition"] for each in schemas} == {first}
    # By any other mode no contract could follow that version.
    assert {each["Compatibility"] for each in schemas} == {"NONE"}
    versions = resources("prod", "AWS::Glue::SchemaVersion").values()
    assert len(versions) == len(schemas) == len(contracts().topics)
    for version in versions:
        definition = json.loads(version["Properties"]["SchemaDefinition"])
        assert definition["$schema"] == "http://json-schema.org/draft-07/schema#"
        Draft7Validator.check_schema(definition)
        assert not {"$ref", "$defs"} & set(definition)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_needs_an_administrator_of_lake_formation(environment: str) -> None:
    types = {each["Type"] for each in resources(environment).values()}
    assert not [name for name in types if name.startswith("AWS::LakeFormation")]


def test_who_is_in_the_vpc_reaches_the_endpoints_that_its_names_lead_to() -> None:
    def opened(environment: str) -> set[str]:
        rules = resources(environment, "AWS::EC2::SecurityGroupIngress").items()
        return {name.split("/")[0] for name, rule in rules if rule["Properties"].get("ToPort") == 443}

    assert opened("dev") == {"network"}
    assert opened("prod") == {"network", "airflow", "models"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_connection_of_glue_has_a_group_whose_members_reach_each_other_on_every_port(
    environment: str,
) -> None:
    (connection,) = resources(environment, "AWS::Glue::Connection").values()
    needs = connection["Properties"]["ConnectionInput"]["PhysicalConnectionRequirements"]
    open_to_themselves = [
        rule["Properties"]["GroupId"]
        for rule in resources(environment, "AWS::EC2::SecurityGroupIngress").values()
        if rule["Properties"]["GroupId"] == rule["Properties"]["SourceSecurityGroupId"]
        and (rule["Properties"].get("FromPort"), rule["Properties"].get("ToPort")) == (0, 65535)
    ]
    assert [group for group in needs["SecurityGroupIdList"] if group in open_to_themselves]
    # The other one is that of all clients: it reaches the stores.
    assert len(needs["SecurityGroupIdList"]) == 2


def test_the_firewall_says_that_it_was_too_much() -> None:
    (firewall,) = resources("prod", "AWS::WAFv2::WebACL").values()
    rules = firewall["Properties"]["Rules"]
    blocked = [rule["Action"]["Block"] for rule in rules if "Block" in rule.get("Action", {})]
    assert blocked
    assert all(each["CustomResponse"]["ResponseCode"] == 429 for each in blocked)


def test_no_option_of_airflow_is_empty(variant: Mapping[str, Any]) -> None:
    (environment,) = _of_type(variant, "AWS::MWAA::Environment")
    options = environment["AirflowConfigurationOptions"]
    assert options["mercato.prefix"]
    assert all(options.values())


def test_airflow_is_made_after_the_dags_that_it_looks_for() -> None:
    (environment,) = resources("prod", "AWS::MWAA::Environment").values()
    shipped = {
        name.split("/")[1]
        for name in resources("prod", "Custom::CDKBucketDeployment")
        if name.startswith("airflow/")
    }
    assert shipped <= set(environment["DependsOn"])


def test_the_role_of_githubs_deploys_lasts_as_long_as_the_workflow_asks(variant: Mapping[str, Any]) -> None:
    (role,) = [
        each for each in _of_type(variant, "AWS::IAM::Role") if each.get("RoleName") == "mercato-dev-deployer"
    ]
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    (given,) = [
        step["with"]
        for step in workflow["jobs"]["deploy"]["steps"]
        if "role-duration-seconds" in step.get("with", {})
    ]
    assert role["MaxSessionDuration"] >= given["role-duration-seconds"]


@functools.cache
def _started(environment: str) -> dict[str, Any]:
    (started,) = resources(environment, "Custom::SessionsStarted").values()
    return dict(started)


@pytest.mark.parametrize("verb", ["Create", "Update"])
def test_a_deploy_starts_the_session_job(verb: str) -> None:
    """CloudFormation makes an application, and leaves it as it is."""
    call = json.loads(text(_started("prod")["Properties"][verb]))
    (application,) = resources("prod", "AWS::KinesisAnalyticsV2::Application").values()
    assert call["parameters"]["ApplicationName"] == application["Properties"]["ApplicationName"]
    model = botocore.session.get_session().get_service_model(call["service"].lower())
    operation = model.operation_model(call["action"][0].upper() + call["action"][1:])
    report = ParamValidator().validate(call["parameters"], operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    # One that runs is what is wanted, and another jar asks anew.
    known = {shape.name for shape in operation.error_shapes}
    assert any(re.search(call["ignoreErrorCodesMatching"], name) for name in known)
    code = application["Properties"]["ApplicationConfiguration"]["ApplicationCodeConfiguration"][
        "CodeContent"
    ]
    assert code["S3ContentLocation"]["FileKey"].removesuffix(".jar") in call["physicalResourceId"]["id"]


def test_the_session_job_starts_after_its_topics_and_its_log() -> None:
    before = set(_started("prod")["DependsOn"])
    topics = resources("prod", "AWS::MSK::Topic")
    needed = {each for topic in topics.values() for each in as_list(topic.get("DependsOn", []))}
    # Topics are made one after another: the last is the one for which no other waits.
    (last,) = {name.split("/")[1] for name in topics} - needed
    logging = resources("prod", "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption")
    assert {last, *(name.split("/")[1] for name in logging)} <= before


@pytest.mark.parametrize(("environment", "kept"), [("dev", False), ("prod", True)])
def test_buckets_are_emptied_before_they_are_deleted_where_nothing_is_kept(
    environment: str, kept: bool
) -> None:
    buckets = resources(environment, "AWS::S3::Bucket")
    emptied = resources(environment, "Custom::S3AutoDeleteObjects")
    assert len(emptied) == (0 if kept else len(buckets))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_was_shipped_stays_for_those_that_still_run_it(environment: str) -> None:
    for name, each in resources(environment, "Custom::CDKBucketDeployment").items():
        assert each["Properties"]["RetainOnDelete"] is True, name
