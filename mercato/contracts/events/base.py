"""What every event has in common, and how one is decoded or refused."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from mercato.contracts import schema

if TYPE_CHECKING:
    import pyarrow as pa

HouseholdId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Loyalty household.")]
ProductId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Product (UPC level).")]
StoreId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Physical store.")]
BasketId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="One checkout.")]
Week = Annotated[int, msgspec.Meta(ge=1, le=53, description="Retail calendar week of the source year.")]
Money = Annotated[float, msgspec.Meta(ge=0, le=100_000, description="US dollars.")]
UtcTime = Annotated[datetime, msgspec.Meta(tz=True)]

#: Events that claim an older time are taken for a broken clock.
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
#: How far a producer's clock may run ahead of the broker's.
MAX_AHEAD = timedelta(minutes=5)


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Envelope of every event."""

    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Unique per topic.")]
    event_time: Annotated[UtcTime, msgspec.Meta(description="When it happened, with its UTC offset.")]
    simulated: Annotated[bool, msgspec.Meta(description="True where the event was made up.")] = False


@dataclass(frozen=True, slots=True)
class Violation:
    """Why an event breaks its contract.

    Attributes:
        code: stable, machine-readable (`malformed_json`, `not_utf8`, `wrong_type`,
            `missing_field`, `unknown_field`, `out_of_range`, `future_time`,
            `ancient_time`, `oversized`; the lake adds `duplicate`).
        field: JSON path of the offending field, `$` for the whole event.
        reason: one sentence for a person.
    """

    code: str
    field: str
    reason: str


_PATH = re.compile(r" - at `(?P<path>[^`]+)`$")
_NAMED = re.compile(r"field `(?P<name>[^`]+)`")
_BAD_VALUE = (
    "Expected `str` of length",
    "Expected `array` of length",
    "Invalid enum value",
    "Invalid RFC3339",
)


def _violation(error: msgspec.ValidationError) -> Violation:
    text = str(error)
    path = found["path"] if (found := _PATH.search(text)) else "$"
    message = _PATH.sub("", text)
    if named := _NAMED.search(message):
        code = "missing_field" if "missing" in message else "unknown_field"
        return Violation(code, f"{path}.{named['name']}", message)
    out_of_range = message.startswith(_BAD_VALUE) or re.search(r"[<>]=? |timezone|out of range", message)
    return Violation("out_of_range" if out_of_range else "wrong_type", path, message)


@dataclass(frozen=True)
class Topic:
    """One versioned Kafka topic and the contract of its events.

    Attributes:
        name: e.g. `transactions.v1`.
        event: the Struct every value must satisfy.
        key: field whose value keys the Kafka record, so that order holds within it.
        partitions: at creation.
        max_bytes: larger values are refused as `oversized`.
        description: one line for people.
        compact: keep only the newest record per key (master data).
        derived: made by a job of the platform; nobody else may send it.
    """

    name: str
    event: type[Event]
    key: str
    description: str
    partitions: int = 4
    max_bytes: int = 64 * 1024
    compact: bool = False
    derived: bool = False

    @property
    def short_name(self) -> str:
        """Name of the topic's tables: `transactions` for `transactions.v1`."""
        return self.name.rsplit(".", 1)[0]

    @property
    def quarantine(self) -> str:
        """Topic that receives what breaks the contract."""
        return f"{self.name}.quarantine"

    @functools.cached_property
    def c(self) -> schema.Columns:
        """Field names as constants."""
        return schema.Columns(self.name, self.event.__struct_encode_fields__)

    @functools.cached_property
    def arrow_schema(self) -> pa.Schema:
        """Arrow schema of the decoded event."""
        import pyarrow as pa

        from mercato.contracts.arrow import arrow_fields

        return pa.schema(arrow_fields(self.event))

    @functools.cached_property
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the event."""
        return schema.json_schema(self.event)

    @functools.cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.event)

    def decode(self, value: bytes | None, received_at: datetime) -> Event | Violation:
        """Decode one record value, or say why it is refused.

        Args:
            value: the raw bytes from the wire (`None` for a Kafka tombstone).
            received_at: when the broker or API took the event; bounds `event_time`.
        """
        if value is None:
            return Violation("malformed_json", "$", "The record has no value.")
        if len(value) > self.max_bytes:
            return Violation("oversized", "$", f"{len(value)} bytes; at most {self.max_bytes} are allowed.")
        try:
            event: Event = self._decoder.decode(value)
        except msgspec.ValidationError as error:
            return _violation(error)
        except msgspec.DecodeError as error:
            return Violation("malformed_json", "$", str(error))
        except RecursionError:
            return Violation("malformed_json", "$", "The JSON is nested too deeply.")
        except UnicodeDecodeError as error:
            return Violation("not_utf8", "$", f"Byte {error.start} is not UTF-8: {error.reason}.")
        return _check_time(event, received_at) or event

    def encode(self, event: Event) -> bytes:
        """JSON bytes of an event of this topic."""
        return msgspec.json.encode(event)


def _check_time(event: Event, received_at: datetime) -> Violation | None:
    if event.event_time > received_at + MAX_AHEAD:
        return Violation(
            "future_time", "$.event_time", f"{event.event_time} is after its arrival at {received_at}."
        )
    if event.event_time < EARLIEST:
        return Violation("ancient_time", "$.event_time", f"{event.event_time} is before {EARLIEST:%Y-%m-%d}.")
    return None


def by_name(*topics: Topic) -> Mapping[str, Topic]:
    """Topics indexed by name."""
    return {topic.name: topic for topic in topics}
