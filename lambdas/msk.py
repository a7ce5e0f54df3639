"""A record as an MSK event source gives it to a function."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any


def value(record: dict[str, Any]) -> bytes | None:
    """Its value, `None` for a tombstone."""
    encoded = record.get("value")
    return None if encoded is None else base64.b64decode(encoded)


def received_at(record: dict[str, Any]) -> datetime:
    """When Kafka took it."""
    return datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
