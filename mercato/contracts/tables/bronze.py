"""Bronze: every Kafka record as it came."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.events import TOPICS
from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A Kafka record and where it was found; `topic` is the name without deployment prefix."""

    key: Annotated[bytes | None, Meta(description="Key of the record.")]
    value: Annotated[bytes | None, Meta(description="Value of the record, unread.")]
    topic: Annotated[str, Meta(description="Topic, without the deployment's prefix.")]
    partition: Annotated[int, Int32, Meta(description="Partition of the topic.")]
    offset: Annotated[int, Meta(description="Place within the partition.")]
    kafka_time: Annotated[datetime, Meta(description="Timestamp of the Kafka record.")]
    ingest_time: Annotated[datetime, Meta(description="When the lake took it.")]


BRONZE = {
    topic.name: Table(
        f"bronze.{topic.short_name}", Record, ("partition", "offset"), f"Raw records of {topic.name}."
    )
    for topic in TOPICS.values()
}
