"""Alarms and warnings from SNS to PagerDuty: `lambdas.alerts.handler.handler`."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import boto3

from lambdas.alerts.pagerduty import page, send

#: Where PagerDuty takes events; a variable, because its European accounts have an address of their own.
_URL = os.environ.get("MERCATO_PAGERDUTY_URL", "https://events.pagerduty.com/v2/enqueue")


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Tell every message of an SNS event.

    Raises:
        OSError: PagerDuty did not take one; SNS tries again, and the deduplication key makes that safe.
    """
    notices = [record["Sns"] for record in event["Records"]]
    pages = [message for notice in notices if (message := page(notice, _routing_key()))]
    for message in pages:
        send(_URL, message)
    return {"told": len(pages), "ignored": len(notices) - len(pages)}


@functools.cache
def _routing_key() -> str:
    """The integration's key, read once per execution environment."""
    secret = boto3.client("secretsmanager").get_secret_value(
        SecretId=os.environ["MERCATO_PAGERDUTY_SECRET_ARN"]
    )
    key: str = json.loads(secret["SecretString"])["routing_key"]
    return key
