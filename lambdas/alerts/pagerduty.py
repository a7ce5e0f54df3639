"""CloudWatch alarms in the words of PagerDuty's Events API v2."""

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


def page(alarm: Mapping[str, Any], routing_key: str) -> dict[str, Any] | None:
    """The event for an alarm's new state, `None` for a state that is not told.

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
