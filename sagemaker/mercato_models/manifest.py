"""A dataset on S3: files in a folder of their own, and a manifest that names the newest ones.

SageMaker reads through the manifest (`S3DataType` ManifestFile). It is one object, written last, so that no
job ever learns from half of a dataset, or from files of two.
"""

from __future__ import annotations

import json
from pathlib import Path

import boto3

from mercato.lake.storage import bucket_and_key

#: Beside the folders of a model's datasets.
NAME = "manifest.json"


def publish(channel: Path, uri: str, version: str) -> list[str]:
    """Upload a channel's files, then have the manifest name them.

    Args:
        uri: folder of a model's datasets, `s3://bucket/datasets/MODEL`.
        version: name of the folder in it for these files; one that is not there yet.

    Returns:
        Names of the files.
    """
    bucket, folder = bucket_and_key(uri)
    client = boto3.client("s3")
    files = sorted(str(path.relative_to(channel)) for path in channel.rglob("*") if path.is_file())
    place = f"{folder}/{version}/channel/"
    for name in files:
        client.upload_file(str(channel / name), bucket, place + name)
    named = json.dumps([{"prefix": f"s3://{bucket}/{place}"}, *files])
    client.put_object(
        Bucket=bucket, Key=f"{folder}/{NAME}", Body=named.encode(), ContentType="application/json"
    )
    return files
