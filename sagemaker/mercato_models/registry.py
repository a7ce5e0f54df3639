"""Versions of a model that SageMaker's registry holds."""

from __future__ import annotations

import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import boto3

from mercato_models import artefact
from mercato_models.artefact import Model


def approved(group: str) -> Model | None:
    """The newest approved version of a model package group, `None` if there is none.

    Its `version` is the group's name and the number.

    Raises:
        ModelError: what it consists of can not be read.
    """
    client = boto3.client("sagemaker")
    found = client.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    if not found:
        return None
    package = client.describe_model_package(ModelPackageName=found[0]["ModelPackageArn"])
    data: str = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    return replace(_fetch(data), version=f"{group}/{package['ModelPackageVersion']}")


def _fetch(uri: str) -> Model:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "model.tar.gz"
        boto3.client("s3").download_file(bucket, key, str(archive))
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        return artefact.load(Path(scratch))
