"""The emulator: its servers, the types it is taught, what deploys and destroys of single resources say."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.artifacts.artifact import ROOT
from infra.emulator import deploy as deploys
from infra.emulator.account import ACCOUNT, REGION, session
from infra.emulator.deploy import DeployError, destroy, publish
from infra.emulator.servers import Emulator
from infra.emulator.types import custom
from infra.emulator.types.catalog import TYPES
from infra.emulator.types.registration import Fidelity
from tests.infra.templates import ENVIRONMENTS, resources

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(900)]

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "kept-bucket"}}
ADDRESS = {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}}


def client(emulator: Emulator, service: str) -> Any:
    return session().client(service, endpoint_url=emulator.endpoint)


def assembly(folder: Path, **template: dict[str, Any]) -> Path:
    """A hand-made cloud assembly with one stack."""
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/{REGION}",
        "properties": {"templateFile": "one.template.json", "stackName": "mercato-local-one"},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"one": stack}}))
    (folder / "one.template.json").write_text(json.dumps({"Resources": template}))
    return folder


def test_servers_start_once_and_leave_no_process_and_no_unpacked_code(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    assert emulator.running() == {}
    emulator.up()
    try:
        first = emulator.running()
        assert set(first) == {"moto", "aws"}
        assert emulator.healthy()
        emulator.up()
        assert emulator.running() == first
        (tmp_path / "tmp" / "worker").mkdir()
    finally:
        emulator.down()
    assert emulator.running() == {}
    assert not emulator.healthy()
    assert not (tmp_path / "tmp").exists()
    for pid in first.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    emulator.down()


def test_a_type_that_nobody_registered_is_refused_by_its_name(emulator: Emulator) -> None:
    template = json.dumps({"Resources": {"One": {"Type": "AWS::Quantum::Computer"}}})
    with pytest.raises(ClientError, match="AWS::Quantum::Computer"):
        client(emulator, "cloudformation").create_stack(StackName="strange", TemplateBody=template)


def test_what_moto_answers_is_at_the_same_address(emulator: Emulator) -> None:
    made = client(emulator, "glue").create_registry(RegistryName="events")
    assert f":{ACCOUNT}:" in made["RegistryArn"]
    assert client(emulator, "glue").get_databases()["DatabaseList"] == []
    assert client(emulator, "sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_bucket_deployment_unpacks_replaces_markers_and_cleans_up(emulator: Emulator) -> None:
    s3 = client(emulator, "s3")
    for bucket in ("assets", "shop"):
        s3.create_bucket(Bucket=bucket)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("dags/nightly.py", "role = '<<arn>>'")
    s3.put_object(Bucket="assets", Key="a.zip", Body=content.getvalue())
    properties = {
        "SourceBucketNames": ["assets"],
        "SourceObjectKeys": ["a.zip"],
        "SourceMarkers": [{"<<arn>>": "arn:aws:iam::1:role/x"}],
        "DestinationBucketName": "shop",
        "DestinationBucketKeyPrefix": "code/",
        "RetainOnDelete": "false",
    }
    assert custom.unpack(s3, properties) == ["a.zip"]
    shipped = s3.get_object(Bucket="shop", Key="code/dags/nightly.py")["Body"].read()
    assert shipped == b"role = 'arn:aws:iam::1:role/x'"
    moved = {**properties, "DestinationBucketKeyPrefix": "new/"}
    assert custom.physical_id(properties) != custom.physical_id(moved)
    custom.remove(s3, properties)
    assert "Contents" not in s3.list_objects_v2(Bucket="shop")


def test_a_refusal_of_the_api_fails_the_stack_with_its_reason(emulator: Emulator, tmp_path: Path) -> None:
    nat = {"Type": "AWS::EC2::NatGateway", "Properties": {"AllocationId": "eipalloc-0"}}
    with pytest.raises(DeployError, match="SubnetId"):
        publish(emulator, assembly(tmp_path, Nat=nat))
    client(emulator, "cloudformation").delete_stack(StackName="mercato-local-one")


def test_a_destroy_says_what_is_retained_and_that_the_rest_is_gone(
    emulator: Emulator, tmp_path: Path
) -> None:
    folder = assembly(tmp_path, Kept={**BUCKET, "DeletionPolicy": "Retain"}, Gone=ADDRESS)
    made = publish(emulator, folder)
    assert {each.type for each in made} == {"AWS::S3::Bucket", "AWS::EC2::EIP"}
    assert client(emulator, "ec2").describe_addresses()["Addresses"]
    retained = destroy(emulator, folder)
    assert [each.physical_id for each in retained] == ["kept-bucket"]
    client(emulator, "s3").head_bucket(Bucket="kept-bucket")
    assert client(emulator, "ec2").describe_addresses()["Addresses"] == []


def test_a_first_deploy_that_failed_leaves_nothing_of_what_is_to_be_kept(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Its names are fixed: what it left would stop the next try."""
    kept = {**BUCKET, "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    kept["Properties"] = {"BucketName": "first-try"}
    nat = {"Type": "AWS::EC2::NatGateway", "Properties": {"AllocationId": "eipalloc-0"}, "DependsOn": "Kept"}
    with pytest.raises(DeployError):
        publish(emulator, assembly(tmp_path, Kept=kept, Nat=nat))
    with pytest.raises(ClientError):
        client(emulator, "s3").head_bucket(Bucket="first-try")
    publish(emulator, assembly(tmp_path, Kept=kept))
    assert [each.physical_id for each in destroy(emulator, tmp_path)] == ["first-try"]


def test_a_bucket_is_emptied_of_every_version(emulator: Emulator) -> None:
    s3 = client(emulator, "s3")
    s3.create_bucket(Bucket="full")
    s3.put_bucket_versioning(Bucket="full", VersioningConfiguration={"Status": "Enabled"})
    for content in (b"one", b"two"):
        s3.put_object(Bucket="full", Key="a", Body=content)
    s3.delete_object(Bucket="full", Key="a")
    custom.empty(s3, "full")
    left = s3.list_object_versions(Bucket="full")
    assert left.keys().isdisjoint({"Versions", "DeleteMarkers"})
    s3.delete_bucket(Bucket="full")


def test_a_resource_that_is_left_behind_fails_the_destroy(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = assembly(tmp_path, Left=ADDRESS)
    publish(emulator, folder)
    monkeypatch.setattr(deploys, "_cdk", lambda *_arguments, **_options: None)
    with pytest.raises(DeployError, match="AWS::EC2::EIP"):
        destroy(emulator, folder)
    monkeypatch.undo()
    destroy(emulator, folder)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_type_of_every_environment_is_registered(environment: str) -> None:
    assert {each["Type"] for each in resources(environment).values()} <= set(TYPES)


def test_only_what_is_recorded_has_no_call_that_describes_it() -> None:
    assert {name for name, each in TYPES.items() if each.describe is None} == {
        name for name, each in TYPES.items() if each.fidelity is Fidelity.RECORDED
    }


def test_every_call_exists_in_boto3() -> None:
    for each in TYPES.values():
        made = (each.make.call, each.make.delete, each.make.stop) if each.make else ()
        for call in filter(None, (each.describe, *made)):
            known = boto3.client(call.service, region_name=REGION).meta.method_to_api_mapping
            assert call.operation in known, (each.name, call)


def test_status_tells_a_stopped_emulator_by_its_exit_status() -> None:
    if Emulator().running():
        pytest.skip("the emulator of this working copy runs")
    done = subprocess.run(
        [sys.executable, "-m", "infra.emulator", "status"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "stopped\n")
