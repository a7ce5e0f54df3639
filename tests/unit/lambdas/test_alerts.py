"""Messages of SNS as PagerDuty gets them."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any
from urllib.error import HTTPError

import pytest

from lambdas.alerts import handler
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


class Secret:
    """Secrets Manager with one secret, whose value changes from call to call."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)
        self.asked = 0

    def client(self, _service: str) -> Secret:
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        self.asked += 1
        return {"SecretString": json.dumps({"routing_key": self._keys.pop(0)})}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys with which PagerDuty was told; it knows all but `old`, and has trouble of its own with `slow`."""
    seen: list[str] = []
    answers = {"old": 400, "slow": 503}

    def send(url: str, event: dict[str, Any]) -> None:
        if code := answers.pop(event["routing_key"], None):
            raise HTTPError(url, code, "no", Message(), None)
        seen.append(event["routing_key"])

    monkeypatch.setattr(handler, "send", send)
    monkeypatch.setenv("MERCATO_PAGERDUTY_SECRET_ARN", "arn:secret")
    handler._routing_key.cache_clear()
    return seen


EVENT = {"Records": [{"Sns": notice(json.dumps(ALARM))}]}


def test_nobody_is_told_until_there_is_a_key_and_then_it_is_read_once(
    told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alarms come before a person can have put it there: a failure would fill the queue of what failed."""
    monkeypatch.setattr(handler, "boto3", secret := Secret("", "new"))
    answers = [handler.handler(EVENT, None) for _ in range(3)]
    assert [each["told"] for each in answers] == [0, 1, 1]
    assert answers[0]["ignored"] == 1
    assert "no_routing_key" in capsys.readouterr().out
    assert (told, secret.asked) == (["new", "new"], 2)


@pytest.mark.parametrize(("first", "keys", "asked"), [("old", ["new"], 2), ("slow", ["slow"], 1)])
def test_a_key_that_is_refused_is_read_again(
    told: list[str], monkeypatch: pytest.MonkeyPatch, first: str, keys: list[str], asked: int
) -> None:
    monkeypatch.setattr(handler, "boto3", secret := Secret(first, "new"))
    with pytest.raises(HTTPError):
        handler.handler(EVENT, None)
    handler.handler(EVENT, None)
    assert (told, secret.asked) == (keys, asked)
