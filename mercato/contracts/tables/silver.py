"""Silver: typed, deduplicated events; and what was refused on the way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a silver row came from in bronze."""

    source_partition: Annotated[int, Int32, Meta(description="Kafka partition of the record.")]
    source_offset: Annotated[int, Meta(description="Place within the partition.")]
    ingest_time: Annotated[datetime, Meta(description="When the lake took the record.")]


def _silver(topic: Topic) -> Table:
    fields = [*msgspec.structs.fields(topic.event), *msgspec.structs.fields(Source)]
    row = msgspec.defstruct(
        f"{topic.event.__name__}Row", [(f.name, f.type) for f in fields], frozen=True, kw_only=True
    )
    return Table(f"silver.{topic.short_name}", row, ("event_id",), topic.description)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A record that broke its contract, with the reason."""

    topic: Annotated[str, Meta(description="Topic, without the deployment's prefix.")]
    partition: Annotated[int, Int32, Meta(description="Partition of the topic.")]
    offset: Annotated[int, Meta(description="Place within the partition.")]
    key: Annotated[bytes | None, Meta(description="Key of the record.")]
    value: Annotated[bytes | None, Meta(description="Value of the record, as it came.")]
    code: Annotated[
        str,
        Meta(
            description="Why it was refused: `malformed_json`, `not_utf8`, `wrong_type`, `missing_field`, "
            "`unknown_field`, `out_of_range`, `future_time`, `ancient_time`, `oversized` or `duplicate`."
        ),
    ]
    field: Annotated[str, Meta(description="JSON path of the field at fault; `$` for the whole event.")]
    reason: Annotated[str, Meta(description="The same as a sentence.")]
    kafka_time: Annotated[datetime, Meta(description="Timestamp of the Kafka record.")]
    quarantined_at: Annotated[datetime, Meta(description="When it was refused.")]
    replayed_at: Annotated[
        datetime | None, Meta(description="When it was sent to its topic again; null if it was not.")
    ]


SILVER = {topic.name: _silver(topic) for topic in TOPICS.values()}
TRANSACTIONS = SILVER["transactions.v1"]
CLICKSTREAM = SILVER["clickstream.v1"]
INVENTORY = SILVER["inventory.v1"]
PROMOTIONS = SILVER["promotions.v1"]
PAYMENTS = SILVER["payments.v1"]
PAYMENT_OUTCOMES = SILVER["payment_outcomes.v1"]
PRICE_DECISIONS = SILVER["price_decisions.v1"]
PRODUCTS = SILVER["products.v1"]

QUARANTINE = Table(
    "quarantine.events", Refused, ("topic", "partition", "offset"), "Records that broke their contract."
)
