"""Send the year to Kafka: idempotently, at a chosen speed, resumably."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from confluent_kafka import KafkaError, Message, Producer

from mercato.errors import MercatoError
from mercato.replay.clock import SECOND, Clock
from mercato.replay.events import Batch, Year
from mercato.replay.state import Position
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.topics import kafka_name

#: Records between two looks at the time and at `stop`.
_SLICE = 2_000
#: The position is saved after so many records or seconds, whichever comes first.
_SAVE_RECORDS, _SAVE_SECONDS = 100_000, 2.0
#: While nothing is due, look again after this many seconds.
_NAP = 0.05
_CONFIG: dict[str, object] = {
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 100,
    "batch.size": 1 << 20,
    "queue.buffering.max.messages": 500_000,
    "queue.buffering.max.kbytes": 256 * 1024,
    # A delivered record costs nothing in Python; a failed one is reported.
    "delivery.report.only.error": True,
    "message.timeout.ms": 60_000,
    # Errors only: a fresh broker's coordinator is asked again until it is there.
    "log_level": 3,
}


class DeliveryError(MercatoError):
    """Kafka did not take some records; the saved position is before them."""


class Pace:
    """How far the replay may be at a moment.

    Args:
        speed: source seconds per second; `None` for no limit.
        start: source time at which it begins.
    """

    def __init__(self, speed: float | None, start: int) -> None:
        self._speed, self._start, self._began = speed, start, time.monotonic()

    def reached(self) -> float:
        """Source time up to which records are due by now."""
        if self._speed is None:
            return np.inf
        return self._start + (time.monotonic() - self._began) * self._speed * SECOND


@dataclass
class Sender:
    """Sends a year and knows what of it Kafka has acknowledged.

    Args:
        settings: gives the broker and the topic prefix.
        position: where to go on; kept up to date.
        path: file in which the position is saved.
        on_progress: called with the number of records sent and the source time reached.
        stop: set it to end soon, with the position saved.
    """

    settings: Settings
    position: Position
    path: Path
    on_progress: Callable[[int, int], None] = lambda _records, _instant: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._errors: list[KafkaError] = []
        self._pending: Counter[str] = Counter()
        self._saved = time.monotonic()
        config = client_config(self.settings)
        self._producer = Producer({**config, **_CONFIG, "on_delivery": self._refused})

    def run(self, year: Year, speed: float | None = None, until: int | None = None) -> dict[str, int]:
        """Send what the position says is left. Returns the events of each topic that Kafka acknowledged.

        Args:
            year: what to send.
            speed: source seconds per second; as fast as possible unless given.
            until: source time at which to stop.

        Raises:
            DeliveryError: Kafka refused records, or did not answer for a minute.
        """
        before = dict(self.position.acknowledged)
        names = [feed.topic.name for feed in year.feeds]
        pace = None
        for batch in year.batches(Clock(self.position.weeks), before, until):
            pace = pace or Pace(speed, int(batch.times[0]))
            self._send(batch, names, pace)
            if self.stop.is_set():
                break
        self._save()
        held = self.position.acknowledged
        return {name: held.get(name, 0) - before.get(name, 0) for name in names}

    def _send(self, batch: Batch, names: list[str], pace: Pace) -> None:
        topics = {name: kafka_name(self.settings, name) for name in names}
        low = 0
        while low < len(batch) and not self.stop.is_set():
            due = int(np.searchsorted(batch.times, pace.reached(), side="right"))
            high = min(low + _SLICE, due)
            for topic, key, value in batch.records[low:high]:
                self._produce(topics[topic], key, value)
            self._producer.poll(0)
            counts = np.bincount(batch.feeds[low:high], minlength=len(names))
            self._pending.update(dict(zip(names, counts.tolist(), strict=True)))
            if high > low:
                self.on_progress(high - low, int(batch.times[high - 1]))
            else:
                self.stop.wait(_NAP)
            low = max(low, high)
            late = time.monotonic() - self._saved > _SAVE_SECONDS
            if self._pending.total() >= _SAVE_RECORDS or (late and self._pending.total()):
                self._save()

    def _produce(self, topic: str, key: bytes, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key)
                return
            except BufferError:
                # The queue is full: let Kafka catch up.
                self._producer.poll(0.05)

    def _save(self) -> None:
        """Wait until Kafka has everything sent so far, then write that down."""
        # A short wait at a time, because Ctrl-C is not seen within one.
        while self._producer.flush(0.5) and not self._errors:
            pass
        if self._errors:
            raise DeliveryError(
                f"Kafka did not take {len(self._errors)} records: {self._errors[0].str()}. "
                "Look at `mercato status`, then run the same command again: it goes on where it stopped."
            )
        for name, count in self._pending.items():
            self.position.acknowledged[name] = self.position.acknowledged.get(name, 0) + count
        self._pending.clear()
        self.position.save(self.path)
        self._saved = time.monotonic()

    def _refused(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._errors.append(error)
