"""Online session features from an MSK event source: `lambdas.features.handler.handler`."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec

from mercato.contracts.events import CLICKSTREAM, Click
from mercato.online.store import OnlineStore
from mercato.settings import get_settings
from mercato.stream.online_features import GROUP, update

_store = OnlineStore(get_settings())


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Merge a batch of clickstream.v1 into its households' sessions.

    A click fails only by its contract, which the lake's quarantine sees to; so a batch is either
    done, or Redis is gone and Lambda gives it again, which changes nothing twice.

    Raises:
        mercato.online.store.OnlineUnavailable: Redis does not answer.
    """
    records = list(itertools.chain.from_iterable(event["records"].values()))
    decoded = [CLICKSTREAM.decode(_value(record), _arrival(record)) for record in records]
    clicks = [click for click in decoded if isinstance(click, Click)]
    counts = update(_store, clicks, datetime.now(UTC))
    counts.invalid = len(records) - len(clicks)
    told = msgspec.structs.asdict(counts)
    _store.count(GROUP, told)
    return told


def _value(record: dict[str, Any]) -> bytes | None:
    value = record.get("value")
    return None if value is None else base64.b64decode(value)


def _arrival(record: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
