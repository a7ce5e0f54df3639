"""A slice of the real year as bronze tables, written as ingest writes them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from mercato.contracts.events import (
    CLICKSTREAM,
    COMPETITOR_PRICES,
    PAYMENT_DECISIONS,
    PRICE_DECISIONS,
    SESSIONS,
    TOPICS,
    WEATHER,
    Click,
    CompetitorPrice,
    PaymentDecided,
    PriceDecided,
    Weather,
)
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.storage import storage_options
from mercato.lake.tables import Lake
from mercato.replay.clock import DAY, Clock
from mercato.replay.dataset import Dataset
from mercato.replay.events import Year
from tests.sessions import recount

HOUSEHOLDS = 15
#: Source days of the year that arrive after the rest.
LATE_DAYS = 9
INGESTED = datetime(2020, 1, 1, tzinfo=UTC)
#: Two values that break the contract, in every topic.
BROKEN = (b'{"event_id": ', b"\xff\xfe")

Record = tuple[str, bytes, bytes]


class Bronze:
    """Bronze of one lake; `early` and `late` are two commits per topic.

    The late one repeats an early record and has values that break the contract.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._year = Year(Dataset(HOUSEHOLDS))
        self._until = self._year.last - LATE_DAYS * DAY
        self._offsets: dict[str, int] = defaultdict(int)
        self._first: dict[str, Record] = {}

    def write_early(self) -> None:
        for name, records in _by_topic(self._records(0, self._until)).items():
            self._first[name] = records[0]
            self._write(name, records)

    def write_late(self) -> None:
        late = _by_topic(self._records(self._until, None))
        for name, first in self._first.items():
            broken = [(name, b"0", value) for value in BROKEN]
            self._write(name, [*late.get(name, []), first, *broken])

    def _records(self, start: int, until: int | None) -> Iterable[Record]:
        done = self._year.totals(start) if start else None
        for batch in self._year.batches(Clock(), done, until):
            yield from batch.records
        yield from self._sessions(start, until)
        yield from _unreplayed("late" if start else "early")

    def _sessions(self, start: int, until: int | None) -> Iterable[Record]:
        """The sessions that became known in a span of source time, as the stream job writes them."""
        clock, alone = Clock(), Year(self._year.dataset, [CLICKSTREAM.name])
        values = [value for batch in alone.batches(clock) for _, _, value in batch.records]
        decoded = [CLICKSTREAM.decode(value, INGESTED) for value in values]
        for session in recount(click for click in decoded if isinstance(click, Click)):
            if start <= clock.source(session.event_time) < (until or sys.maxsize):
                yield SESSIONS.name, str(session.household_id).encode(), SESSIONS.encode(session)

    def _write(self, name: str, records: list[Record]) -> None:
        table, first, count = BRONZE[name], self._offsets[name], len(records)
        self._offsets[name] += count
        kafka_time = INGESTED - timedelta(minutes=1)
        columns = {
            table.c.key: [key for _, key, _ in records],
            table.c.value: [value for _, _, value in records],
            table.c.topic: [name] * count,
            table.c.partition: [0] * count,
            table.c.offset: range(first, first + count),
            table.c.kafka_time: [kafka_time] * count,
            table.c.ingest_time: [INGESTED] * count,
        }
        arrow = pa.table(columns, pa.schema([field.with_nullable(True) for field in table.arrow_schema]))
        path = self.lake.path(table)
        write_deltalake(path, arrow, mode="append", storage_options=storage_options(path))


def _unreplayed(kind: str) -> Iterable[Record]:
    """What pollers, API and panel bring: the year has none of it, so a day is enough for each commit."""
    for number in range(1, 25):
        shared: dict[str, Any] = {
            "event_id": f"{kind}-{number}",
            "event_time": INGESTED - timedelta(hours=number),
        }
        weather = Weather(**shared, store_id=number, temperature=-number / 2, precipitation=0.1, wind_speed=3)
        price = CompetitorPrice(**shared, product_id=number, competitor="Other", price=number / 100)
        yield WEATHER.name, str(number).encode(), WEATHER.encode(weather)
        yield COMPETITOR_PRICES.name, str(number).encode(), COMPETITOR_PRICES.encode(price)
        decided = PaymentDecided(
            **shared,
            payment_id=f"{kind}-{number}",
            paid_at=INGESTED - timedelta(hours=number),
            card_id=str(number),
            terminal_id="1-1",
            amount=number / 10,
            action="review" if number % 2 else "approve",
            probability=number / 100,
            reasons=["unusual_amount", "high_amount"][: number % 3],
        )
        priced = PriceDecided(
            **shared,
            product_id=number,
            store_id=367,
            week=number,
            price=number / 10,
            proposed_price=number / 9,
            gain=number - 12.5,
            action="accept" if number % 2 else "reject",
            reviewer="ada",
            note="a try" if number % 3 else None,
            model_version="1",
        )
        yield PRICE_DECISIONS.name, str(number).encode(), PRICE_DECISIONS.encode(priced)
        yield PAYMENT_DECISIONS.name, str(number).encode(), PAYMENT_DECISIONS.encode(decided)


def _by_topic(records: Iterable[Record]) -> dict[str, list[Record]]:
    grouped: dict[str, list[Record]] = {name: [] for name in TOPICS}
    for record in records:
        grouped[record[0]].append(record)
    return {name: rows for name, rows in grouped.items() if rows}
