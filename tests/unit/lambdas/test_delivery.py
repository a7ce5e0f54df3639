"""Values from files and feeds: to their topic, or with a reason to its quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from confluent_kafka import Producer

from lambdas.delivery import Delivered, Raw, deliver
from lambdas.event_log import EventLog, Record, RecordTooLargeError
from lambdas.landing.files import values
from mercato.contracts.events import PAYMENT_OUTCOMES, PaymentOutcome
from mercato.settings import Settings
from mercato.stream.quarantine import MAX_VALUE_BYTES

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Log:
    """What was appended."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, records: Sequence[Record]) -> None:
        self.records += records


def outcome(number: int, reviewer: str | None = None, paid_days_ago: float = 7) -> bytes:
    return PAYMENT_OUTCOMES.encode(
        PaymentOutcome(
            event_id=f"o{number}",
            event_time=NOW,
            payment_id=f"p{number}",
            paid_at=NOW - timedelta(days=paid_days_ago),
            card_id="c",
            terminal_id="t",
            fraud=False,
            reviewer=reviewer,
        )
    )


def delivered(*raws: bytes) -> tuple[Delivered, list[Record]]:
    log = Log()
    told = deliver(log, Settings(), PAYMENT_OUTCOMES, [Raw(raw, "f") for raw in raws], NOW)  # type: ignore[arg-type]
    return told, log.records


def test_nobody_outside_reviews_or_knows_the_future() -> None:
    told, records = delivered(outcome(1), outcome(2, reviewer="ada"), outcome(3, paid_days_ago=-365_000))
    assert told == Delivered(sent=1, refused=2)
    assert [each.topic for each in records] == [PAYMENT_OUTCOMES.name, *[PAYMENT_OUTCOMES.quarantine] * 2]
    codes = [dict(each.headers).get("code") for each in records]
    assert codes == [None, b"derived_field", b"future_time"]


@pytest.mark.parametrize(("reviewer", "refused"), [("", 0), ("ada", 1)])
def test_a_landed_table_reviews_nothing(reviewer: str, refused: int) -> None:
    names = "event_id,event_time,payment_id,paid_at,card_id,terminal_id,fraud,reviewer"
    row = f"o1,2026-11-22T10:00:00Z,p1,2026-11-15T10:00:00Z,c,t,true,{reviewer}"
    read = values("payment_outcomes.v1/a.csv", PAYMENT_OUTCOMES, BytesIO(f"{names}\n{row}\n".encode()))
    told, _ = delivered(*read)
    assert told == Delivered(sent=1 - refused, refused=refused)


@pytest.mark.parametrize("size", [100_000, 900_000, 900_001, 999_700, 999_900, 1_000_000, 2_000_000])
def test_a_refused_value_of_any_size_is_one_that_a_producer_takes(size: int) -> None:
    source = "s3://landing/payment_outcomes.v1/" + "x" * 1_000
    log = Log()
    deliver(log, Settings(), PAYMENT_OUTCOMES, [Raw(b"x" * size, source)], NOW)  # type: ignore[arg-type]
    (record,) = log.records
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    producer.produce(record.topic, record.value, record.key, headers=list(record.headers))
    assert dict(record.headers)["code"] == b"oversized"
    assert (record.value is None) == (size > MAX_VALUE_BYTES)


def test_too_large_is_not_taken_for_unavailable() -> None:
    log = EventLog(Settings(kafka_bootstrap="127.0.0.1:1"))
    try:
        with pytest.raises(RecordTooLargeError, match="clickstream"):
            log.append([Record("clickstream.v1", b"k", b"x" * 999_999)])
    finally:
        log.close()


def test_large_values_are_waited_for_in_small_numbers() -> None:
    batches: list[int] = []

    class Waiting(Log):
        def append(self, records: Sequence[Record]) -> None:
            batches.append(sum(len(record.value or b"") for record in records))
            super().append(records)

    log = Waiting()
    raws = [Raw(b"x" * 800_000, "f")] * 50 + [Raw(outcome(number), "f") for number in range(2_500)]
    told = deliver(log, Settings(), PAYMENT_OUTCOMES, raws, NOW)  # type: ignore[arg-type]
    assert told == Delivered(sent=2_500, refused=50)
    assert [record.value for record in log.records] == [raw.value for raw in raws]
    assert max(batches) < 6_000_000
    assert len(batches) < 15
