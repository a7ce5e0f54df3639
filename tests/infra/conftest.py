"""What tests of the AWS body share: Lambda's place, emulators that hold nothing yet."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.artifacts.artifact import ROOT, run
from infra.emulator.servers import Emulator
from mercato.local.ports import free_port
from tests.infra.lambda_runtime import CDK, Runtime
from tests.waiting import eventually


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An empty one."""
    emulator = Emulator(tmp_path_factory.mktemp("empty"))
    emulator.up()
    try:
        yield emulator
    finally:
        emulator.down()


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
