"""What tests of the AWS body share: a local deploy, Lambda's place, an empty AWS."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.artifacts.artifact import ROOT, run
from infra.emulator.deploy import ENVIRONMENT, deploy, destroy
from infra.emulator.deployed import Deployed
from infra.emulator.servers import Emulator
from mercato.local.ports import free_port
from mercato.local.supervisor import Stack
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics
from tests.infra.lambda_runtime import CDK, Runtime
from tests.integration.rig import eventually


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


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime.make(tmp_path_factory.mktemp("lambda"))


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of moto's AWS."""
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with (tmp_path / "moto.log").open("wb") as log:
        server = subprocess.Popen(
            [CDK / "moto_server", "-H", "127.0.0.1", "-p", address.rpartition(":")[2]], stdout=log, stderr=log
        )
    try:
        eventually(lambda: urllib.request.urlopen(f"{address}/moto-api/").close(), 60)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def s3_jars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What Glue's own Spark reaches S3 with, outside Glue."""
    target = tmp_path_factory.mktemp("s3-jars")
    run(
        *("mvn", "--batch-mode", "--quiet", "-f", ROOT / "jars" / "pom.xml", "-P", "s3"),
        *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"),
    )
    return sorted(target.glob("*.jar"))


@pytest.fixture
def topics(settings: Settings) -> Settings:
    """Settings whose topics are there."""
    ensure_topics(settings)
    return settings
