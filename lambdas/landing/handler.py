"""Files that land on S3, into Kafka: `lambdas.landing.handler.handler`."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambdas.delivery import Delivered, Raw, deliver
from lambdas.event_log import EventLog
from lambdas.landing.files import UnreadableFileError, topic_of, values
from mercato.settings import get_settings

#: Where files go that cannot be read; what is written there lands nowhere.
REFUSED = "refused/"
#: How S3 says that an object is not there; a missing bucket has a code of its own.
_GONE = {"NoSuchKey", "404"}

_settings = get_settings()
_log = EventLog(_settings)
_s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Send the events of one new object (EventBridge, `Object Created`), or put it aside.

    Raises:
        lambdas.event_log.EventsUnavailableError: Kafka is gone; Lambda tries again.
    """
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    if key.startswith(REFUSED):
        return {"key": key, "ignored": "it was put aside before"}
    try:
        content = _s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        return {"key": key, "ignored": "it is gone"}
    try:
        delivered = _send(f"s3://{bucket}/{key}", key, io.BufferedReader(content))
    except UnreadableFileError as error:
        _put_aside(bucket, key, str(error))
        return {"key": key, "unreadable": str(error)}
    return {"key": key, **dataclasses.asdict(delivered)}


def _send(address: str, key: str, content: io.BufferedReader) -> Delivered:
    topic = topic_of(key)

    def raws() -> Iterator[Raw]:
        for number, value in enumerate(values(key, topic, content), 1):
            yield Raw(value, f"{address}#{number}")

    return deliver(_log, _settings, topic, raws(), datetime.now(UTC))


def _put_aside(bucket: str, key: str, reason: str) -> None:
    """Move the object below REFUSED, its reason beside it; repeating it changes nothing."""
    body = json.dumps({"key": key, "reason": reason}).encode()
    _s3.put_object(Bucket=bucket, Key=f"{REFUSED}{key}.reason.json", Body=body)
    _s3.copy_object(Bucket=bucket, Key=f"{REFUSED}{key}", CopySource={"Bucket": bucket, "Key": key})
    _s3.delete_object(Bucket=bucket, Key=key)
