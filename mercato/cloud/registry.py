"""SageMaker's registry of models, as the deployer and the jobs that score ask it."""

from __future__ import annotations

from typing import Any


def newest_approved(sagemaker: Any, group: str) -> str | None:
    """ARN of a model package group's newest approved version, `None` if there is none.

    Args:
        sagemaker: boto3's client.
    """
    listed = sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    return listed[0]["ModelPackageArn"] if listed else None
