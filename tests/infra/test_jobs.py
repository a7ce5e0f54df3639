"""Jobs in the form in which they ship, started as Glue starts them: Python 3.13, Spark 4.1.1, no index."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from glue_jobs.deploy import render
from infra.artifacts.artifact import ROOT, run, uv
from infra.artifacts.catalog import artifact
from mercato.contracts.tables import gold, silver
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.maintenance import maintain
from mercato.lake.tables import Lake
from mercato.local.java import java_home
from mercato.local.ports import free_port
from tests.conftest import JARS
from tests.parity.bronze import HOUSEHOLDS, Bronze

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: An environment of Glue's Python version, with moto.
CDK = ROOT / ".venv" / "cdk" / "bin"
#: What Glue has before a job's own modules are installed.
GLUE = ("pyspark==4.1.1", "boto3==1.44.5")
#: What Glue adds to a job's own arguments.
ADDED = (
    "--JOB_NAME",
    "mercato",
    "--job-language",
    "python",
    "--TempDir",
    "s3://temporary/",
    "--enable-metrics",
    "",
)
#: One of each layer; all of them take minutes.
TARGETS = (silver.TRANSACTIONS, silver.PRODUCTS, gold.BASKET_LINES, gold.CUSTOMER_360)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environment with what Glue has, and the shipped zip installed as Glue installs it."""
    home = tmp_path_factory.mktemp("glue")
    run(uv(), "venv", "--quiet", "--no-project", "--python", CDK / "python", home / "venv")
    python = home / "venv" / "bin" / "python"
    run(uv(), "pip", "install", "--quiet", "--python", python, *GLUE)
    with zipfile.ZipFile(artifact("jobs-wheels").build() / "mercato.gluewheels.zip") as archive:
        archive.extractall(home)
    wheels = home / "wheels"
    run(
        *(uv(), "pip", "install", "--quiet", "--python", python, "--no-index"),
        *("--find-links", wheels, "--requirement", wheels / "requirements.txt"),
    )
    return home / "venv"


def _arguments(target: str) -> list[str]:
    """A job's arguments as the deploy gives them to Glue."""
    job = next(job for job in json.loads(render())["jobs"] if job["arguments"].get("--job") == target)
    return [word for pair in job["arguments"].items() for word in pair]


def _submit(
    runtime: Path, scratch: Path, jars: list[Path], conf: dict[str, str], *arguments: str
) -> list[Any]:
    """Run the shipped script as Glue does; what it printed."""
    settings = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.delta.logStore.s3.impl": "io.delta.storage.S3SingleDriverLogStore",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        **conf,
    }
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "JAVA_HOME": str(java_home()),
        "PYSPARK_PYTHON": str(runtime / "bin" / "python"),
    }
    home = next(runtime.glob("lib/python*/site-packages/pyspark"))
    done = subprocess.run(
        [
            *(str(home / "bin" / "spark-submit"), "--master", "local[2]"),
            *(word for pair in settings.items() for word in ("--conf", "=".join(pair))),
            *(str(artifact("jobs-entry").build() / "glue_jobs" / "main.py"), *ADDED, *arguments),
        ],
        env={**environment, "SPARK_HOME": str(home)},
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _assert_filled(lake: Lake, runs: list[Any]) -> None:
    assert [each["job"] for each in runs] == [target.name for target in TARGETS]
    assert all(each["rows"] > 0 for each in runs)
    households = lake.read_arrow(gold.CUSTOMER_360)
    assert households.num_rows == HOUSEHOLDS
    spent = sum(households[gold.CUSTOMER_360.c.spend].to_pylist())
    sold = sum(lake.read_arrow(silver.TRANSACTIONS)[silver.TRANSACTIONS.c.sales_value].to_pylist())
    assert spent == pytest.approx(sold)


@pytest.mark.exercises("jobs-wheels")
@pytest.mark.exercises("jobs-entry")
def test_shipped_jobs_fill_a_lake_on_disk(runtime: Path, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    Bronze(lake).write_early()
    arguments = [word for target in TARGETS for word in _arguments(target.name)]
    jars = sorted((JARS / "spark").glob("*.jar"))
    runs = _submit(runtime, tmp_path, jars, {}, *arguments, "--lake-uri", lake.uri)
    _assert_filled(lake, runs)


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of an S3 that holds one bucket per layer."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "moto.log").open("wb") as log:
        server = subprocess.Popen(
            [str(CDK / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            stdout=log,
            stderr=log,
        )
    try:
        _await(f"{endpoint}/moto-api/")
        client = boto3.client("s3")
        for layer in ("bronze", "silver", "gold", "quarantine"):
            client.create_bucket(
                Bucket=f"shop-{layer}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
        yield endpoint
    finally:
        server.terminate()
        server.wait()


def _await(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="session")
def s3_jars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What Glue's own Spark reaches S3 with, outside Glue."""
    target = tmp_path_factory.mktemp("s3-jars")
    run(
        *("mvn", "--batch-mode", "--quiet", "-f", ROOT / "jars" / "pom.xml", "-P", "s3"),
        *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"),
    )
    return sorted(target.glob("*.jar"))


@pytest.mark.integration
@pytest.mark.exercises("jobs-wheels")
@pytest.mark.exercises("jobs-entry")
def test_shipped_jobs_fill_a_lake_with_a_bucket_for_each_layer(
    runtime: Path, s3_jars: list[Path], s3: str, tmp_path: Path
) -> None:
    lake = Lake("s3://shop-{layer}")
    Bronze(lake).write_early()
    conf = {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": s3,
        "spark.hadoop.fs.s3a.endpoint.region": "eu-central-1",
        "spark.hadoop.fs.s3a.access.key": "testing",
        "spark.hadoop.fs.s3a.secret.key": "testing",
        "spark.hadoop.fs.s3a.aws.credentials.provider": (
            "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
        ),
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
    }
    arguments = [word for target in TARGETS for word in _arguments(target.name)]
    jars = [*sorted((JARS / "spark").glob("*.jar")), *s3_jars]
    runs = _submit(runtime, tmp_path, jars, conf, *arguments, "--lake-uri", lake.uri)
    _assert_filled(lake, runs)
    kept_up = {upkeep.table for upkeep in maintain(lake, 168)}
    assert {target.name for target in TARGETS} <= kept_up
    # A stream is the only writer of its table there.
    assert kept_up.isdisjoint(table.name for table in BRONZE.values())
    _assert_filled(lake, runs)


@pytest.mark.exercises("jobs-jars")
def test_spark_finds_its_kafka_and_the_sign_in_to_msk_in_the_shipped_jars(tmp_path: Path) -> None:
    jars = artifact("jobs-jars").build()
    wanted = (
        "org.apache.spark.sql.kafka010.KafkaSourceProvider",
        "org.apache.kafka.clients.consumer.KafkaConsumer",
        "software.amazon.msk.auth.iam.IAMLoginModule",
        "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    )
    found = {name for jar in jars.glob("*.jar") for name in zipfile.ZipFile(jar).namelist()}
    assert {f"{name.replace('.', '/')}.class" for name in wanted} <= found
