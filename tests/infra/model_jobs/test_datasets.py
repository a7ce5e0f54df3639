"""Datasets that the models' jobs write, started as Glue starts them, are what a pipeline takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from mercato.lake.tables import Lake
from mercato_models import datasets, manifest, script
from mercato_models.churn import channels as churn
from mercato_models.fraud import payments as fraud
from mercato_models.price import channels as price
from mercato_models.recommend import channels as recommend
from mercato_models.recommend.pipeline import SOURCES
from tests.conftest import JARS
from tests.infra import glue
from tests.infra.model_jobs.approved import BUCKET, stored

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DATASET_JOB = "sagemaker/glue/dataset.py"


def _taken(model: str, folder: Path) -> Path:
    """A dataset as SageMaker puts it before a pipeline: what the manifest names, under its prefix."""
    client = boto3.client("s3")
    (first, *names) = json.loads(stored(f"datasets/{model}/manifest.json"))
    prefix = first["prefix"].removeprefix(f"s3://{BUCKET}/")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, prefix + name, str(folder / name))
    return folder


@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.parametrize(
    ("model", "read"), [("churn", churn.read), ("fraud", fraud.read), ("price", price.read)]
)
@pytest.mark.usefixtures("bucket")
def test_a_dataset_is_what_the_models_pipeline_reads(
    model: str, read: Callable[[Path], object], installed: Path, lake: Lake, tmp_path: Path
) -> None:
    given = [*glue.arguments(f"datasets-{model}"), "--lake-uri", lake.uri, "--to", f"s3://{BUCKET}/datasets"]
    (said,) = glue.start(installed, tmp_path, DATASET_JOB, *given)
    assert said["model"] == model
    channel = _taken(model, tmp_path / "channel")
    read(channel)
    assert script.versions(channel) == {
        table.name: lake.version(table) for table in datasets.DATASETS[model].sources
    }


@pytest.mark.usefixtures("bucket")
def test_a_dataset_of_which_a_file_is_missing_is_never_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = tmp_path / "written"
    channel.mkdir()
    (channel / "a").write_text("one")
    manifest.publish(channel, f"s3://{BUCKET}/datasets/churn", "first")
    for name in ("a", "b"):
        (channel / name).write_text("two")
    with monkeypatch.context() as failing:
        failing.setattr("boto3.client", _without_b)
        with pytest.raises(ConnectionError):
            manifest.publish(channel, f"s3://{BUCKET}/datasets/churn", "second")
    taken = _taken("churn", tmp_path / "taken")
    assert {path.name: path.read_text() for path in taken.iterdir()} == {"a": "one"}


def _without_b(service: str) -> Any:
    """A client that loses its connection at the file `b`."""
    client = boto3.session.Session().client(service)
    upload = client.upload_file

    def upload_file(path: str, bucket: str, key: str) -> None:
        if key.endswith("/b"):
            raise ConnectionError(key)
        upload(path, bucket, key)

    client.upload_file = upload_file
    return client


def test_the_rankers_dataset_is_made_by_spark(
    installed: Path, s3_jars: list[Path], bucket: str, lake: Lake, tmp_path: Path
) -> None:
    jars = [*sorted((JARS / "spark").glob("*.jar")), *s3_jars]
    given = [*glue.arguments("datasets-recommend"), "--lake-uri", lake.uri, "--to", f"s3://{BUCKET}/datasets"]
    glue.submit(installed, tmp_path, DATASET_JOB, jars, glue.s3a(bucket), *given)
    channel = _taken("recommend", tmp_path / "channel")
    contexts = recommend.read_contexts(channel)
    recommend.Snapshots(channel, recommend.stores(contexts))
    for split in (recommend.TRAIN, recommend.TEST):
        assert recommend.targets(contexts, split)
    assert script.versions(channel) == {table.name: lake.version(table) for table in SOURCES}
