"""The bundles as they ship, in Lambda's place: their size, and pages of alarms."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from infra.artifacts.functions import ARTIFACTS
from tests.infra.http_peer import peer
from tests.infra.lambda_runtime import LIMIT_BYTES, Runtime, size_of

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

#: Lambda counts the zip's content; room for what later versions of the packages weigh.
MARGIN = 0.9


@pytest.mark.parametrize(
    "name",
    [pytest.param(each.name, marks=pytest.mark.exercises(each.name)) for each in ARTIFACTS],
)
def test_a_bundle_fits_lambda(runtime: Runtime, name: str) -> None:
    assert size_of(runtime.unzipped(name)) < MARGIN * LIMIT_BYTES


def _alarm(state: str) -> dict[str, Any]:
    """An alarm's event, as SNS gives it."""
    arn = "arn:aws:cloudwatch:eu-central-1:000000000000:alarm:api-errors"
    alarm = {
        "AlarmName": "api-errors",
        "AlarmDescription": "critical: the API answers with errors",
        "AWSAccountId": "000000000000",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-11-23T12:00:00.000+0000",
        "Region": "EU (Frankfurt)",
        "AlarmArn": arn,
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "5xx"},
    }
    notice = {"Type": "Notification", "Subject": "ALARM", "Message": json.dumps(alarm)}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notice}]}


@pytest.mark.exercises("function-alerts")
def test_an_alarm_opens_an_incident_and_its_end_closes_the_same(runtime: Runtime, aws: str) -> None:
    secret = boto3.client("secretsmanager").create_secret(
        Name="pagerduty", SecretString=json.dumps({"routing_key": "R" * 32})
    )
    with peer((202, b"{}")) as pagerduty:
        invoked = runtime.invoke(
            "alerts",
            *map(_alarm, ("ALARM", "OK", "INSUFFICIENT_DATA")),
            AWS_ENDPOINT_URL=aws,
            MERCATO_PAGERDUTY_URL=pagerduty.url,
            MERCATO_PAGERDUTY_SECRET_ARN=secret["ARN"],
        )
    assert [answer["told"] for answer in invoked.answers] == [1, 1, 0]
    opened, closed = (json.loads(body) for _, body in pagerduty.asked)
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert opened["routing_key"] == "R" * 32
    assert opened["payload"]["severity"] == "critical"
