"""Alarms and warnings from SNS to PagerDuty: `lambdas.alerts.handler.handler`."""

from __future__ import annotations

import functools
import json
import os
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

import boto3

from lambdas.alerts.pagerduty import page, send

#: Where PagerDuty takes events; a variable, because its European accounts have an address of their own.
_URL = os.environ.get("MERCATO_PAGERDUTY_URL", "https://events.pagerduty.com/v2/enqueue")


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Tell every message of an SNS event; nobody, as long as the secret has no key.

    Raises:
        OSError: PagerDuty did not take one; SNS tries again, and the deduplication key makes that safe.
    """
    notices = [record["Sns"] for record in event["Records"]]
    key = _routing_key()
    if not key:
        print(json.dumps({"error": "no_routing_key", "secret": os.environ["MERCATO_PAGERDUTY_SECRET_ARN"]}))
        # The next message asks again.
        _routing_key.cache_clear()
        return {"told": 0, "ignored": len(notices)}
    pages = [message for notice in notices if (message := page(notice, key))]
    for message in pages:
        _send(message)
    return {"told": len(pages), "ignored": len(notices) - len(pages)}


def _send(message: dict[str, Any]) -> None:
    try:
        send(_URL, message)
    except HTTPError as error:
        if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
            # It may be the key that is refused: the next try reads it anew.
            _routing_key.cache_clear()
        raise


@functools.cache
def _routing_key() -> str:
    """The integration's key; empty until a person has put it there."""
    secret = boto3.client("secretsmanager").get_secret_value(
        SecretId=os.environ["MERCATO_PAGERDUTY_SECRET_ARN"]
    )
    key: str = json.loads(secret["SecretString"])["routing_key"]
    return key
