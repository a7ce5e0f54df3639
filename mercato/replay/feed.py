"""What the replay needs to know of a topic's year."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mercato.contracts.events import Event, Topic
from mercato.replay.clock import Clock, Micros


class Feed(Protocol):
    """All events of one topic, known by their times and made when asked for.

    Attributes:
        topic: what the events belong to.
        times: source time of every event, ascending.
    """

    topic: Topic
    times: Micros

    def events(self, low: int, high: int, clock: Clock) -> Iterable[Event]:
        """Events `low` to `high` of the year, in order; the same ones for any partition of the year."""
