"""What every event has in common, and how one is decoded or refused."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import inspect as mi

from mercato.contracts import schema

if TYPE_CHECKING:
    import pyarrow as pa

HouseholdId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Loyalty household.")]
ProductId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Product (UPC level).")]
StoreId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="Physical store.")]
BasketId = Annotated[int, msgspec.Meta(gt=0, lt=2**53, description="One checkout.")]
Week = Annotated[
    int,
    msgspec.Meta(ge=1, le=9_999, description="Number of the retail week; it counts on from year to year."),
]
Money = Annotated[float, msgspec.Meta(ge=0, le=100_000, description="US dollars.")]
UtcTime = Annotated[datetime, msgspec.Meta(tz=True)]
#: A time that is planned, and so may lie in the future.
PlannedTime = Annotated[datetime, msgspec.Meta(tz=True, extra={"planned": True})]

#: Events that claim an older time are taken for a broken clock.
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
#: How far a producer's clock may run ahead of the broker's.
MAX_AHEAD = timedelta(minutes=5)
#: How far ahead anything may be planned.
MAX_PLANNED = timedelta(days=2 * 366)


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Envelope of every event."""

    #: The optional field that an event must have all the same, by the event's `action`.
    needed_for: ClassVar[Mapping[str, str]] = {}

    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Unique per topic.")]
    event_time: Annotated[UtcTime, msgspec.Meta(description="When it happened, with its UTC offset.")]
    simulated: Annotated[bool, msgspec.Meta(description="True where the event was made up.")] = False


@dataclass(frozen=True, slots=True)
class Violation:
    """Why an event breaks its contract.

    Attributes:
        code: stable, machine-readable (`malformed_json`, `not_utf8`, `wrong_type`,
            `missing_field`, `unknown_field`, `out_of_range`, `future_time`,
            `ancient_time`, `oversized`; `derived_field` from outside; the lake adds
            `duplicate`).
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
    "Expected `str` matching",
    "Expected `array` of length",
    "Invalid enum value",
    "Invalid RFC3339",
)


#: What a decoder of JSON raises.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def unreadable(error: Exception) -> Violation:
    """Why a value cannot be decoded.

    Args:
        error: one of UNREADABLE.
    """
    if isinstance(error, msgspec.ValidationError):
        return _violation(error)
    if isinstance(error, RecursionError):
        return Violation("malformed_json", "$", "The JSON is nested too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return Violation("not_utf8", "$", f"Byte {error.start} is not UTF-8: {error.reason}.")
    return Violation("malformed_json", "$", str(error))


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
        derived_fields: the same of single fields, which are absent from what others send.
        derived_ids: what the ids of those events begin with that the platform adds to others'.
    """

    name: str
    event: type[Event]
    key: str
    description: str
    partitions: int = 4
    max_bytes: int = 64 * 1024
    compact: bool = False
    derived: bool = False
    derived_fields: tuple[str, ...] = ()
    derived_ids: str = ""

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

    @functools.cached_property
    def times(self) -> tuple[tuple[str, timedelta], ...]:
        """Fields that hold a time, and how far each may be ahead of the event's arrival."""
        info = mi.type_info(self.event)
        assert isinstance(info, mi.StructType)
        return tuple((each.name, ahead) for each in info.fields if (ahead := _ahead(each.type)))

    def decode(self, value: bytes | None, received_at: datetime) -> Event | Violation:
        """Decode one record value, or say why it is refused.

        Args:
            value: the raw bytes from the wire (`None` for a Kafka tombstone).
            received_at: when the broker or API took the event; bounds its times.
        """
        if value is None:
            return Violation("malformed_json", "$", "The record has no value.")
        if len(value) > self.max_bytes:
            return Violation("oversized", "$", f"{len(value)} bytes; at most {self.max_bytes} are allowed.")
        try:
            event: Event = self._decoder.decode(value)
        except UNREADABLE as error:
            return unreadable(error)
        return self._untimely(event, received_at) or event

    def receive(self, value: bytes, received_at: datetime) -> Event | Violation:
        """`decode` what somebody else sends, who may not speak for the platform.

        Args:
            value: the raw bytes from the wire.
            received_at: when they arrived.
        """
        event = self.decode(value, received_at)
        return event if isinstance(event, Violation) else self._presumed(event) or event

    def encode(self, event: Event) -> bytes:
        """JSON bytes of an event of this topic."""
        return msgspec.json.encode(event)

    def _untimely(self, event: Event, received_at: datetime) -> Violation | None:
        for name, ahead in self.times:
            moment = getattr(event, name)
            if moment is None:
                continue
            if moment > received_at + ahead:
                why = f"{moment} is too long after its arrival at {received_at}."
                return Violation("future_time", f"$.{name}", why)
            if moment < EARLIEST:
                return Violation("ancient_time", f"$.{name}", f"{moment} is before {EARLIEST:%Y-%m-%d}.")
        return None

    def _presumed(self, event: Event) -> Violation | None:
        for name in self.derived_fields:
            if getattr(event, name) is not None:
                return Violation(
                    "derived_field", f"$.{name}", f"Mercato alone fills in {name}: leave it out."
                )
        if self.derived_ids and event.event_id.startswith(self.derived_ids):
            why = f"Mercato alone makes ids that begin with {self.derived_ids!r}: choose another."
            return Violation("derived_field", "$.event_id", why)
        return None


def _ahead(info: mi.Type) -> timedelta | None:
    """How far a time may lie ahead; `None` for what is no time."""
    if isinstance(info, mi.UnionType):
        return next(filter(None, map(_ahead, info.types)), None)
    if isinstance(info, mi.Metadata):
        return MAX_PLANNED if (info.extra or {}).get("planned") else _ahead(info.type)
    return MAX_AHEAD if isinstance(info, mi.DateTimeType) else None


def by_name(*topics: Topic) -> Mapping[str, Topic]:
    """Topics indexed by name."""
    return {topic.name: topic for topic in topics}
