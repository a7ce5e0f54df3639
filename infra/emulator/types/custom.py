"""CDK's own custom resources, where their function needs what only AWS's Lambda has."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import quote

from infra.emulator.types.registration import Call, CloudType, Fidelity, Properties

BUCKET_DEPLOYMENT = "Custom::CDKBucketDeployment"
EMPTIED_BUCKET = "Custom::S3AutoDeleteObjects"


def unpack(s3: Any, properties: Properties) -> list[str]:
    """Do what the function does with the AWS CLI of its layer: put files where they belong.

    Returns:
        Keys of the source objects, which is what the resource answers.
    """
    bucket = properties["DestinationBucketName"]
    prefix = properties.get("DestinationBucketKeyPrefix", "").strip("/")
    extract = str(properties.get("Extract", True)).lower() == "true"
    sources = list(zip(properties["SourceBucketNames"], properties["SourceObjectKeys"], strict=True))
    markers = properties.get("SourceMarkers") or [{}] * len(sources)
    for (source, key), replaced in zip(sources, markers, strict=True):
        content = s3.get_object(Bucket=source, Key=key)["Body"].read()
        files = _files(content) if extract else {key: content}
        for name, data in files.items():
            place = "/".join(filter(None, (prefix, name)))
            s3.put_object(Bucket=bucket, Key=place, Body=_marked(data, replaced))
    return [key for _, key in sources]


def remove(s3: Any, properties: Properties) -> None:
    """Delete what was put there, unless it is to be retained."""
    if str(properties.get("RetainOnDelete", True)).lower() == "true":
        return
    bucket = properties["DestinationBucketName"]
    prefix = properties.get("DestinationBucketKeyPrefix", "").strip("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=each["Key"])


def empty(s3: Any, bucket: str) -> None:
    """Delete every version of every object of a bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def physical_id(properties: Properties) -> str:
    """Names the place, so that a new place is a replacement."""
    place = f"{properties['DestinationBucketName']}/{properties.get('DestinationBucketKeyPrefix', '')}"
    return f"aws.cdk.s3deployment.{quote(place, safe='')}"


def _files(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {each.filename: archive.read(each) for each in archive.infolist() if not each.is_dir()}


def _marked(data: bytes, markers: dict[str, str]) -> bytes:
    for marker, value in markers.items():
        data = data.replace(marker.encode(), str(value).encode())
    return data


TYPES: tuple[CloudType, ...] = (
    CloudType(
        BUCKET_DEPLOYMENT,
        Fidelity.REAL,
        Call("s3", "list_objects_v2", {"Bucket": "{DestinationBucketName}"}, "Contents"),
        note="The files are really put there, by the emulator: CDK's function needs the AWS CLI in /opt.",
    ),
    CloudType(
        EMPTIED_BUCKET,
        Fidelity.REAL,
        Call("s3", "head_bucket", {"Bucket": "{BucketName}"}),
        note="The bucket is really emptied when its stack goes, by the emulator.",
    ),
    CloudType(
        "Custom::AWS",
        Fidelity.REAL,
        Call("lambda", "list_functions", {}, "Functions"),
        note="CDK's own function runs on Node.js with AWS's SDK and calls the emulator.",
    ),
)
