"""`make deploy-local`: every stack deployed, what each does, a second deploy, preflight after it, destroy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, expect

from features.store import feature_store
from infra.artifacts.artifact import ROOT
from infra.cdk.json_schema import draft_07
from infra.emulator.account import ACCOUNT, REGION, session
from infra.emulator.deploy import ENVIRONMENT, deploy, destroy, publish, undescribed
from infra.emulator.deployed import Deployed
from infra.emulator.platform import Platform
from infra.emulator.reference import page
from infra.emulator.servers import Emulator
from infra.emulator.smoke import steps
from mercato.cloud.preflight.finding import State
from mercato.cloud.preflight.report import blocked, inspect
from mercato.cloud.template import read
from mercato.contracts.events import CLICKSTREAM
from mercato.local.supervisor import Stack
from mercato.online.views import HOUSEHOLD_PROFILE, VIEWS
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics
from tests.infra.templates import as_list
from tests.integration.rig import Rig
from tests.integration.seed import HOUSEHOLDS

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class LocalDeploy:
    """Every stack, deployed.

    Attributes:
        emulator: where.
        assembly: folder with the templates.
        resources: all of them.
        engines: addresses of Kafka and Redis, as settings name them.
    """

    emulator: Emulator
    assembly: Path
    resources: list[Deployed]
    engines: dict[str, str]


@pytest.fixture(scope="module")
def local_deploy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDeploy]:
    """`make deploy-local` beside a real Kafka and Redis, and `make destroy-local`, which leaves nothing."""
    emulator = Emulator(tmp_path_factory.mktemp("aws"))
    # Not a folder of the test's own: CDK keeps its zips beside the templates.
    assembly = ROOT / "cdk.out" / ENVIRONMENT
    try:
        addresses = {row.name: row.url or "" for row in stack.status()}
        engines = {"kafka_bootstrap": addresses["kafka"], "redis_url": addresses["redis"]}
        yield LocalDeploy(emulator, assembly, deploy(emulator, assembly, engines), engines)
        assert destroy(emulator, assembly) == []
    finally:
        emulator.down()


@pytest.fixture
def local_aws(local_deploy: LocalDeploy, monkeypatch: pytest.MonkeyPatch) -> LocalDeploy:
    """The local deploy, with the variables by which boto3 finds it."""
    for name, value in local_deploy.emulator.environment().items():
        monkeypatch.setenv(name, value)
    return local_deploy


def test_preflight_names_what_an_empty_account_lacks(
    emulator: Emulator, local_deploy: LocalDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    account = session()
    found = inspect(account, read(local_deploy.assembly, "local"))
    stops = {each.check: each.fix for each in found if each.state is State.BLOCKING}
    assert stops == {
        "bootstrap": f"cdk bootstrap aws://{ACCOUNT}/{REGION}",
        "service-linked role": (
            "aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com"
        ),
    }
    quotas = {each.check: each.says for each in found if each.check.startswith("quota")}
    assert quotas["quota: VPCs per Region"] == "1 more needed, 1 of 5 in use"
    assert all(each.fix for each in found if each.state is not State.OK)


def test_the_role_of_githubs_deploys_may_ask_what_the_preflight_asks(
    emulator: Emulator, local_deploy: LocalDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    account = session()
    asked: set[str] = set()

    def note(model: Any, **_: object) -> None:
        asked.add(f"{model.service_model.signing_name}:{model.name}")

    account.events.register("before-call", note)
    assembly = read(local_deploy.assembly, "local")
    inspect(account, assembly)
    granted = {
        action
        for each in assembly.resources
        if (each.stack, each.type) == ("mercato-local-delivery", "AWS::IAM::Policy")
        for statement in each.get("PolicyDocument", "Statement")
        for action in as_list(statement["Action"])
    }
    # Who one is, everybody may ask.
    assert asked - {"sts:GetCallerIdentity"} <= granted
    assert {"ec2:DescribeVpcs", "lakeformation:GetDataLakeSettings", "secretsmanager:DescribeSecret"} <= asked


def test_the_deploy_has_asked_for_the_session_job_to_start(local_aws: LocalDeploy) -> None:
    name = "mercato-local-sessions"
    flink = boto3.client("kinesisanalyticsv2")
    detail = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    assert detail["ApplicationStatus"] in {"STARTING", "RUNNING"}


def test_a_topics_newest_schema_is_its_contract(local_aws: LocalDeploy) -> None:
    schema = {"SchemaName": CLICKSTREAM.name, "RegistryName": "mercato-local-events"}
    newest = boto3.client("glue").get_schema_version(
        SchemaId=schema, SchemaVersionNumber={"LatestVersion": True}
    )
    assert newest["VersionNumber"] == 2
    assert json.loads(newest["SchemaDefinition"]) == draft_07(CLICKSTREAM.json_schema)


def test_preflight_after_the_deploy_needs_nothing_new(local_aws: LocalDeploy) -> None:
    # By its name: ministack gives a service-linked role another than AWS does.
    boto3.client("iam").create_role(
        RoleName="AWSServiceRoleForAmazonOpenSearchService", AssumeRolePolicyDocument="{}"
    )
    found = inspect(boto3.Session(), read(local_aws.assembly, "local"))
    assert not blocked(found), found
    says = {each.check: each.says for each in found}
    assert says["stacks"].endswith(" 0 to make")
    assert "quota: VPCs per Region" not in says


def test_every_file_that_a_job_names_is_in_its_bucket(local_aws: LocalDeploy) -> None:
    glue, s3 = boto3.client("glue"), boto3.client("s3")
    jobs = [each.physical_id for each in local_aws.resources if each.type == "AWS::Glue::Job"]
    assert jobs
    for name in jobs:
        job = glue.get_job(JobName=name)["Job"]
        extra = job["DefaultArguments"].get("--extra-jars", "")
        wheels = job["DefaultArguments"]["--additional-python-modules"]
        for address in filter(None, [job["Command"]["ScriptLocation"], wheels, *extra.split(",")]):
            bucket, _, key = address.removeprefix("s3://").partition("/")
            assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


def test_every_stack_is_deployed_and_every_resource_described(local_deploy: LocalDeploy) -> None:
    wanted = read(local_deploy.assembly, "local")
    assert {each.stack for each in local_deploy.resources} == set(wanted.stacks)
    assert len(local_deploy.resources) == len(wanted.resources)
    assert undescribed(local_deploy.emulator, local_deploy.resources) == []


@pytest.mark.parametrize(("shows", "step"), steps(), ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_deployed_does_what_it_is_for(
    local_deploy: LocalDeploy, tmp_path: Path, shows: str, step: Callable[[Platform], None]
) -> None:
    settings = Settings(home=tmp_path, **local_deploy.engines)  # type: ignore[arg-type]
    ensure_topics(settings)
    step(Platform(local_deploy.emulator.endpoint, settings))


def test_a_second_deploy_changes_nothing(local_deploy: LocalDeploy) -> None:
    again = publish(local_deploy.emulator, local_deploy.assembly)
    assert {each.physical_id for each in again} == {each.physical_id for each in local_deploy.resources}
    said = local_deploy.emulator.log("deploy").read_text()
    assert said.count("(no changes)") == len({each.stack for each in again})


def test_the_reference_page_is_current(local_deploy: LocalDeploy) -> None:
    written = (ROOT / "docs" / "reference" / "local-aws.md").read_text()
    assert page(read(local_deploy.assembly, "local").resources) == written


def test_an_invited_person_signs_in_to_the_panel(local_aws: LocalDeploy, browser: Browser) -> None:
    """As a browser does it, by Cognito's own form, through API Gateway to the function."""
    platform = Platform(local_aws.emulator.endpoint, Settings())
    invited, told, chosen = "ada@shop.example", "Told-by-mail-12345", "A-long-enough-phrase-1"
    platform.client("cognito-idp").admin_create_user(
        UserPoolId=platform.pool_id,
        Username=invited,
        UserAttributes=[{"Name": "email", "Value": invited}],
        TemporaryPassword=told,
    )
    page = browser.new_page()
    page.goto(platform.panel)
    page.fill("[name=username]", invited)
    page.fill("[name=password]", told)
    page.click("[type=submit]")
    page.fill("[name=new_password]", chosen)
    page.fill("[name=confirm_password]", chosen)
    page.click("[type=submit]")
    expect(page.get_by_text(f"Signed in as {invited}")).to_be_visible()
    assert page.url == platform.panel
    page.get_by_role("link", name="Prices").click()
    expect(page.get_by_role("heading", name="Prices to decide")).to_be_visible()
    page.get_by_role("link", name="Sign out").click()
    expect(page.locator("[name=username]")).to_be_visible()


@pytest.mark.exercises("feature-registry")
@pytest.mark.usefixtures("local_aws")
def test_feasts_sdk_serves_by_the_deployed_registry(tmp_path: Path) -> None:
    """The registry that a deploy ships, read where it lies, beside what Redis holds."""
    rig = Rig(tmp_path)
    rig.start_redis()
    try:
        registry = f"s3://mercato-local-artifacts-{ACCOUNT}-{REGION}/features/registry.pb"
        store = feature_store(rig.settings.model_copy(update={"feature_registry": registry}))
        assert {view.name for view in store.list_feature_views()} == set(VIEWS)
        feature = HOUSEHOLD_PROFILE.features[0].name
        found = store.get_online_features(
            features=[f"{HOUSEHOLD_PROFILE.name}:{feature}"],
            entity_rows=[{HOUSEHOLD_PROFILE.entity: each} for each in HOUSEHOLDS],
        ).to_dict()
    finally:
        rig.kill("redis")
    assert None not in found[feature]
