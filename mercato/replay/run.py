"""One replay, from the request to what Kafka has in the end."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from mercato.errors import MercatoError
from mercato.replay.clock import DAY, Clock
from mercato.replay.dataset import Dataset
from mercato.replay.events import REPLAYED, Year
from mercato.replay.producer import Sender
from mercato.replay.state import Options, Position, resume
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.topics import ensure_topics


@dataclass(frozen=True)
class Request:
    """What to replay.

    Attributes:
        households: how many; all unless given.
        original_time: keep the source's time; otherwise the last checkout is moved to now.
        speed: source seconds per second; as fast as possible unless given.
        until: stop before this day's start (UTC), in the time of the replay.
        days: stop after so many days.
        topics: contract names; all unless given.
        restart: forget the saved position.
    """

    households: int | None = None
    original_time: bool = False
    speed: float | None = None
    until: datetime | None = None
    days: int | None = None
    topics: tuple[str, ...] = ()
    restart: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be replayed."""
        if self.until and self.days:
            raise MercatoError("Give either --until or --days, not both.")
        if unknown := sorted(set(self.topics) - set(REPLAYED)):
            raise MercatoError(
                f"There is no topic {', '.join(unknown)} in the year; there are {', '.join(REPLAYED)}."
            )

    def limit(self, year: Year, clock: Clock) -> int | None:
        """Source time at which to stop."""
        if self.days:
            return year.start + self.days * DAY
        return clock.source(self.until.replace(tzinfo=UTC)) if self.until else None


@dataclass(frozen=True)
class TopicOutcome:
    """One topic after a replay: events sent by it, acknowledged by it or before it, wanted in all."""

    name: str
    sent: int
    acknowledged: int
    total: int


@dataclass(frozen=True)
class Outcome:
    """What a replay did, and how long sending took."""

    topics: list[TopicOutcome]
    seconds: float
    weeks: int

    @property
    def sent(self) -> int:
        """Events sent and acknowledged."""
        return sum(topic.sent for topic in self.topics)

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.sent / self.seconds if self.seconds else 0.0

    @property
    def finished(self) -> bool:
        """Whether Kafka has everything that was asked for."""
        return all(topic.acknowledged >= topic.total for topic in self.topics)

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "finished": self.finished,
            "weeks_shifted": self.weeks,
            "events": self.sent,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.rate),
            "topics": {topic.name: asdict(topic) for topic in self.topics},
        }


def position_file(settings: Settings) -> Path:
    """Where the position is saved."""
    return settings.home / "state" / "replay.json"


def lock_file(settings: Settings) -> Path:
    """Whose lock a replay holds."""
    return position_file(settings).with_suffix(".lock")


def run(
    settings: Settings,
    request: Request,
    on_progress: Callable[[int, int, datetime], None] = lambda _sent, _total, _instant: None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Replay the year, or what is left of it.

    Args:
        settings: gives the broker, the topic prefix and the folder of the position.
        request: what to send.
        on_progress: called with events in Kafka, events in all and the replay's time.
        stop: set it to end early, with the position saved.

    Raises:
        NotRunningError: Kafka has no address.
        OtherReplayError: the topics hold a replay with other options.
        DeliveryError: Kafka did not take some events.
    """
    ensure_topics(settings)
    options = Options(
        cluster=_cluster(settings),
        topic_prefix=settings.topic_prefix,
        households=request.households,
        original_time=request.original_time,
    )
    path = position_file(settings)
    if request.restart:
        # Before the year is read: who is killed meanwhile must not find the old position the next time.
        path.unlink(missing_ok=True)
    position = resume(path, options)
    year = Year(Dataset(request.households), request.topics or REPLAYED)
    if position is None:
        clock = Clock() if request.original_time else Clock.ending_by(datetime.now(UTC), year.last)
        position = Position(options=options, weeks=clock.weeks, acknowledged={})
        # Before the first event: a replay killed early must not go on with another shift.
        position.save(path)
    clock = Clock(position.weeks)
    until = request.limit(year, clock)
    totals = year.totals(until)
    reached = sum(position.acknowledged.get(name, 0) for name in totals)

    def advance(records: int, instant: int) -> None:
        nonlocal reached
        reached += records
        on_progress(reached, sum(totals.values()), clock.move(instant))

    sender = Sender(settings, position, path, advance, stop or threading.Event())
    started = time.perf_counter()
    # Events are trees: the cycle collector would look at millions of them and find nothing.
    gc.disable()
    try:
        sent = sender.run(year, request.speed, until)
    finally:
        gc.enable()
    seconds = time.perf_counter() - started
    rows = [
        TopicOutcome(name, sent[name], position.acknowledged.get(name, 0), totals[name]) for name in totals
    ]
    return Outcome(rows, seconds, position.weeks)


def _cluster(settings: Settings) -> str:
    admin = AdminClient(client_config(settings))
    name: str = admin.list_topics(timeout=20).cluster_id
    return name
