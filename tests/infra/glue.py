"""Glue 6.0 on this machine: Python 3.13, Spark 4.1.1, the wheels that a job ships with, and no index."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from infra.artifacts.artifact import ROOT, run, uv
from infra.artifacts.catalog import artifact
from infra.catalog import render
from mercato.lake.session import SHORT_LIVED_JVM
from mercato.local.java import java_home

#: An environment of Glue's Python version, with moto.
CDK = ROOT / ".venv" / "cdk" / "bin"
#: What Glue has before a job's own modules are installed. Spark is lent by this environment, which has the
#: same version of it, as its source alone weighs a gigabyte.
_BOTO3 = "boto3==1.44.5"
_SPARK = {"pyspark": "4.1.1", "py4j": "0.10.9.9"}
#: What Glue adds to a job's own arguments.
_ADDED = (
    "--JOB_NAME",
    "mercato",
    "--job-language",
    "python",
    "--TempDir",
    "s3://temporary/",
    "--enable-metrics",
    "",
)
_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.delta.logStore.s3.impl": "io.delta.storage.S3SingleDriverLogStore",
}
#: This machine is smaller than Glue's workers.
_SMALL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": SHORT_LIVED_JVM,
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.ui.enabled": "false",
}


def install(home: Path, wheels: str) -> Path:
    """Environment with what Glue has, and an artifact's zip of wheels installed as Glue installs it."""
    run(uv(), "venv", "--quiet", "--no-project", "--python", CDK / "python", home / "venv")
    python = home / "venv" / "bin" / "python"
    run(uv(), "pip", "install", "--quiet", "--python", python, _BOTO3)
    (packages,) = home.glob("venv/lib/python*/site-packages")
    for name, version in _SPARK.items():
        _lend(metadata.distribution(name), version, packages)
    with zipfile.ZipFile(artifact(wheels).build() / "mercato.gluewheels.zip") as archive:
        archive.extractall(home)
    folder = home / "wheels"
    # uv's cache knows a wheel by its path and version, and would give that of another run's code.
    run(
        *(uv(), "pip", "install", "--quiet", "--no-cache", "--python", python, "--no-index"),
        *("--find-links", folder, "--requirement", folder / "requirements.txt"),
    )
    return home / "venv"


def _lend(distribution: metadata.Distribution, version: str, packages: Path) -> None:
    """Put links to a distribution of pure Python beside an environment's own packages."""
    assert distribution.version == version
    for folder in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
        (packages / folder).symlink_to(str(distribution.locate_file(folder)))


def arguments(name: str) -> list[str]:
    """A job's arguments as the deploy gives them to Glue."""
    (job,) = [job for job in json.loads(render())["jobs"] if job["name"] == name]
    return [word for pair in job["arguments"].items() for word in pair]


def start(environment: Path, scratch: Path, script: str, *given: str) -> list[Any]:
    """Run a shipped script that needs no session; what it printed."""
    return _run([environment / "bin" / "python"], environment, scratch, script, *given)


def submit(
    environment: Path, scratch: Path, script: str, jars: list[Path], conf: dict[str, str], *given: str
) -> list[Any]:
    """Run a shipped script with a Spark session; what it printed."""
    home = next(environment.glob("lib/python*/site-packages/pyspark"))
    settings = {"spark.jars": ",".join(map(str, jars)), **_DELTA, **_SMALL, **conf}
    words = [word for pair in settings.items() for word in ("--conf", "=".join(pair))]
    command = [home / "bin" / "spark-submit", "--master", "local[2]", *words]
    variables = {
        "JAVA_HOME": str(java_home()),
        "PYSPARK_PYTHON": str(environment / "bin" / "python"),
        "SPARK_HOME": str(home),
    }
    return _run(command, environment, scratch, script, *given, **variables)


def _run(
    command: list[Any], environment: Path, scratch: Path, script: str, *given: str, **variables: str
) -> list[Any]:
    # A Connect session of this process leaves variables by which Spark would make another of its kind.
    here = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("SPARK_")
    }
    done = subprocess.run(
        [*map(str, command), str(artifact("jobs-entry").build() / script), *_ADDED, *given],
        env={**here, **variables},
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    # The cause is what Spark first calls an error; its spark-submit prints the driver's traceback as output.
    cause = done.stderr[max(0, done.stderr.find(" ERROR ")) :]
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{cause[:8000]}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def s3a(endpoint: str) -> dict[str, str]:
    """Spark's settings for an S3 of the tests; in Glue, S3 is there."""
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": "eu-central-1",
        "spark.hadoop.fs.s3a.access.key": "testing",
        "spark.hadoop.fs.s3a.secret.key": "testing",
        "spark.hadoop.fs.s3a.aws.credentials.provider": (
            "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
        ),
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
    }
