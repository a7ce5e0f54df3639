"""Versions of a model that SageMaker's registry holds."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import boto3

from mercato.cloud.registry import newest_approved
from mercato.lake.storage import bucket_and_key
from mercato_models import artifact
from mercato_models.artifact import Model


@dataclass(frozen=True)
class Approved:
    """An approved version, fetched.

    Attributes:
        folder: what training left.
        version: name of its group, and its number there.
    """

    folder: Path
    version: str

    @cached_property
    def model(self) -> Model:
        """The model, under that version.

        Raises:
            ModelError: a file is missing or broken.
        """
        return replace(artifact.load(self.folder), version=self.version)


@contextmanager
def approved(group: str) -> Iterator[Approved | None]:
    """The newest approved version of a model package group, `None` if there is none."""
    client = boto3.client("sagemaker")
    version = newest_approved(client, group)
    if version is None:
        yield None
        return
    package = client.describe_model_package(ModelPackageName=version)
    data: str = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        _fetch(data, Path(scratch) / "model.tar.gz", folder)
        yield Approved(folder, f"{group}/{package['ModelPackageVersion']}")


def _fetch(uri: str, archive: Path, folder: Path) -> None:
    bucket, key = bucket_and_key(uri)
    boto3.client("s3").download_file(bucket, key, str(archive))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
