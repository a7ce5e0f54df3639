"""The container that trains and serves: SageMaker's XGBoost, as each region has it."""

from __future__ import annotations

import boto3
from sagemaker.core import image_uris

#: The XGBoost with which Mercato runs everywhere else, on Python 3.12.
VERSION = "3.2-0"


def images() -> dict[str, str]:
    """Its address by region, for the regions that have it."""
    result = {}
    for region in sorted(boto3.Session().get_available_regions("sagemaker")):
        try:
            result[region] = image_uris.retrieve("xgboost", region, version=VERSION)
        except (KeyError, ValueError):
            continue
    return result
