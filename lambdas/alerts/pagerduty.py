"""Alarms of CloudWatch and warnings of AWS Budgets in the words of PagerDuty's Events API v2."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 10
#: What an alarm's state asks of PagerDuty; of others nobody need know.
_ACTIONS = {"ALARM": "trigger", "OK": "resolve"}
_SEVERITIES = ("critical", "error", "warning", "info")
_MAX_SUMMARY = 1_024
_MAX_KEY = 255
_MAX_TEXT = 8_192
#: What every alarm of CloudWatch has; whatever lacks one of them is some other message.
_OF_ALARMS = {
    "AlarmArn",
    "AlarmName",
    "AWSAccountId",
    "NewStateReason",
    "NewStateValue",
    "Region",
    "StateChangeTime",
}


def page(notice: Mapping[str, Any], routing_key: str) -> dict[str, Any] | None:
    """The event for a message of SNS, `None` for an alarm's state that is not told.

    AWS Budgets sends text to the topic that alarms are sent to: what is no alarm is a warning.
    """
    try:
        alarm = json.loads(notice["Message"])
    except ValueError:
        return _warning(notice, routing_key)
    if not isinstance(alarm, dict) or not alarm.keys() >= _OF_ALARMS:
        return _warning(notice, routing_key)
    return _alarm(alarm, routing_key)


def _warning(notice: Mapping[str, Any], routing_key: str) -> dict[str, Any]:
    """A page of a message in its own words. Nothing ends it; a message that comes twice is one incident."""
    text = notice["Message"].strip()
    summary = notice.get("Subject") or text.partition("\n")[0] or "A message without words"
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": notice["MessageId"],
        "payload": {
            "summary": summary[:_MAX_SUMMARY],
            "source": notice["TopicArn"],
            "severity": "warning",
            "timestamp": notice["Timestamp"],
            "custom_details": {"message": text[:_MAX_TEXT]},
        },
    }


def _alarm(alarm: Mapping[str, Any], routing_key: str) -> dict[str, Any] | None:
    """The event for an alarm's new state.

    An alarm and its end have the same deduplication key, so that one incident opens and closes.
    The severity is what its description begins with (`critical: ...`), else `error`.
    """
    action = _ACTIONS.get(alarm["NewStateValue"])
    if action is None:
        return None
    description = alarm.get("AlarmDescription") or ""
    named = description.partition(":")[0].strip().lower()
    return {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": alarm["AlarmArn"][-_MAX_KEY:],
        "payload": {
            "summary": f"{alarm['AlarmName']}: {alarm['NewStateReason']}"[:_MAX_SUMMARY],
            "source": alarm["AlarmArn"],
            "severity": named if named in _SEVERITIES else "error",
            "timestamp": alarm["StateChangeTime"],
            "custom_details": {
                "description": description,
                "region": alarm["Region"],
                "account": alarm["AWSAccountId"],
            },
        },
    }


def send(url: str, event: Mapping[str, Any]) -> None:
    """Hand an event to PagerDuty.

    Raises:
        OSError: it did not take it.
    """
    request = urllib.request.Request(
        url, json.dumps(event).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
