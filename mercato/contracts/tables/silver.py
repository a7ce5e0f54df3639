"""Silver: typed, deduplicated events; and what was refused on the way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a silver row came from in bronze."""

    source_partition: Annotated[int, Int32]
    source_offset: int
    ingest_time: datetime


def _silver(topic: Topic) -> Table:
    fields = [*msgspec.structs.fields(topic.event), *msgspec.structs.fields(Source)]
    row = msgspec.defstruct(
        f"{topic.event.__name__}Row", [(f.name, f.type) for f in fields], frozen=True, kw_only=True
    )
    return Table(f"silver.{topic.short_name}", row, ("event_id",), topic.description)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A record that broke its contract, with the reason."""

    topic: str
    partition: Annotated[int, Int32]
    offset: int
    key: bytes | None
    value: bytes | None
    code: str
    field: str
    reason: str
    kafka_time: datetime
    quarantined_at: datetime
    replayed_at: datetime | None


SILVER = {topic.name: _silver(topic) for topic in TOPICS.values()}
TRANSACTIONS = SILVER["transactions.v1"]
CLICKSTREAM = SILVER["clickstream.v1"]
INVENTORY = SILVER["inventory.v1"]
PROMOTIONS = SILVER["promotions.v1"]
PAYMENTS = SILVER["payments.v1"]
PAYMENT_OUTCOMES = SILVER["payment_outcomes.v1"]
PAYMENT_DECISIONS = SILVER["payment_decisions.v1"]
PRICE_DECISIONS = SILVER["price_decisions.v1"]
PRODUCTS = SILVER["products.v1"]
SESSIONS = SILVER["sessions.v1"]
WEATHER = SILVER["weather.v1"]
COMPETITOR_PRICES = SILVER["competitor_prices.v1"]

QUARANTINE = Table(
    "quarantine.events", Refused, ("topic", "partition", "offset"), "Records that broke their contract."
)
