"""What a function is told of Kafka, what it is sent, and what it has left there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mercato.settings import Settings
from tests.integration.records import consume


def kafka_variables(settings: Settings, home: Path) -> dict[str, str]:
    return {
        "MERCATO_HOME": str(home / "lambda"),
        "MERCATO_KAFKA_BOOTSTRAP": settings.require("kafka_bootstrap"),
        "MERCATO_TOPIC_PREFIX": settings.topic_prefix,
    }


def click(number: int) -> dict[str, Any]:
    return {"event_id": f"c{number}", "household_id": 1, "session_id": "t", "action": "view", "product_id": 1}


def values(settings: Settings, topic: str) -> list[bytes]:
    return [message.value() for message in consume(settings, topic)]
