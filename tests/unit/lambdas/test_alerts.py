"""Messages of SNS as PagerDuty gets them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.alerts.pagerduty import page

ALARM = {
    "AlarmName": "api-errors",
    "AlarmDescription": "critical: the API answers with errors",
    "AWSAccountId": "000000000000",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-11-23T12:00:00.000+0000",
    "Region": "EU (Frankfurt)",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:000000000000:alarm:api-errors",
}
BUDGET = """AWS Budget Notification November 23, 2026
AWS Account 000000000000

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your mercato-prod-monthly budget is
greater than $800.00 for the current month.
"""


def notice(message: str, subject: str | None = None) -> dict[str, Any]:
    """A message as SNS gives it to Lambda."""
    return {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:eu-central-1:000000000000:mercato-prod-pages",
        "Subject": subject,
        "Message": message,
        "Timestamp": "2026-11-23T12:00:00.000Z",
    }


def paged(message: str, subject: str | None = None) -> dict[str, Any]:
    told = page(notice(message, subject), "R" * 32)
    assert told is not None
    return told


@pytest.mark.parametrize(
    "subject", ["AWS Budgets: mercato-prod-monthly has exceeded your alert threshold", None]
)
def test_a_budget_pages_as_a_warning(subject: str | None) -> None:
    told = paged(BUDGET, subject)
    assert (told["event_action"], told["payload"]["severity"]) == ("trigger", "warning")
    assert told["payload"]["summary"] == (subject or "AWS Budget Notification November 23, 2026")
    assert "$800.00" in told["payload"]["custom_details"]["message"]
    assert told["payload"]["source"].endswith(":mercato-prod-pages")
    assert told["dedup_key"] == notice("")["MessageId"]
    json.dumps(told)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "null",
        "[]",
        "3",
        '{"Records": []}',
        json.dumps({name: value for name, value in ALARM.items() if name != "AlarmArn"}),
        json.dumps({name: value for name, value in ALARM.items() if name != "StateChangeTime"}),
    ],
)
def test_json_that_is_no_alarm_pages_as_a_warning(message: str) -> None:
    assert paged(message, "Something else")["payload"]["severity"] == "warning"
    assert paged(message)["payload"]["summary"]


@pytest.mark.parametrize(("state", "action"), [("ALARM", "trigger"), ("OK", "resolve")])
def test_an_alarm_keeps_its_severity_and_its_key(state: str, action: str) -> None:
    told = paged(json.dumps({**ALARM, "NewStateValue": state}), "ALARM: api-errors")
    assert (told["event_action"], told["payload"]["severity"]) == (action, "critical")
    assert told["dedup_key"] == ALARM["AlarmArn"]


def test_a_state_that_nobody_need_know_is_not_told() -> None:
    assert page(notice(json.dumps({**ALARM, "NewStateValue": "INSUFFICIENT_DATA"})), "R") is None
