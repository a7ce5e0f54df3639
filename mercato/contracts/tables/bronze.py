"""Bronze: every Kafka record as it came."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mercato.contracts.events import TOPICS
from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A Kafka record and where it was found; `topic` is the name without deployment prefix."""

    key: bytes | None
    value: bytes | None
    topic: str
    partition: Annotated[int, Int32]
    offset: int
    kafka_time: datetime
    ingest_time: datetime


BRONZE = {
    topic.name: Table(
        f"bronze.{topic.short_name}", Record, ("partition", "offset"), f"Raw records of {topic.name}."
    )
    for topic in TOPICS.values()
}
