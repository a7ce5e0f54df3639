"""A scheduled look at a feed: `lambdas.pollers.handler.handler`, given `{"feed": NAME}`."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import boto3

from lambdas.delivery import deliver
from lambdas.event_log import EventLog
from lambdas.pollers.feeds import FeedError, fetch, items
from mercato.contracts.events import COMPETITOR_PRICES, WEATHER
from mercato.settings import get_settings

FEEDS = {topic.short_name: topic for topic in (WEATHER, COMPETITOR_PRICES)}

_settings = get_settings()
_log = EventLog(_settings)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Send what a feed holds now.

    Raises:
        FeedError: it is not known, has no URL, or cannot be used.
        lambdas.event_log.EventsUnavailableError: Kafka is gone.
    """
    name = event.get("feed", "")
    if name not in FEEDS:
        raise FeedError(f"There is no feed {name!r}; there are {', '.join(FEEDS)}.")
    url: str | None = getattr(_settings, f"{name}_url")
    if url is None:
        raise FeedError(f"The feed {name} has no address: set MERCATO_{name.upper()}_URL.")
    now = datetime.now(UTC)
    delivered = deliver(_log, _settings, FEEDS[name], items(url, fetch(url, _token(name))), now)
    return {"feed": name, **dataclasses.asdict(delivered)}


def _token(name: str) -> str | None:
    """The feed's bearer token: read each time, for a feed is asked only every few minutes."""
    if _settings.feeds_secret_arn is None:
        return None
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=_settings.feeds_secret_arn)
    token: str | None = json.loads(secret["SecretString"]).get(name)
    return token.strip() if token else None  # a secret often ends with the line it was pasted from
