"""Time in the source year, and where the replay puts it.

Times are int64 microseconds since 1970 UTC on the source's own clock, until a `Clock` moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Micros = NDArray[np.int64]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY

#: The stores' wall clock: the source's weeks change at its Monday midnight, summer time included.
STORE_ZONE = ZoneInfo("America/New_York")
_FIRST_MONDAY = date(2016, 12, 26)
#: Recorded retail weeks.
WEEKS = 53


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of a zoned datetime, exactly."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _monday(week: int) -> int:
    day = _FIRST_MONDAY + timedelta(weeks=week - 1)
    return micros(datetime.combine(day, time(), tzinfo=STORE_ZONE))


#: Start of each recorded retail week and of the one after them, indexed by week; `WEEK_START[week + 1]` is
#: its end. Index 0 is unused.
WEEK_START: Micros = np.array([_monday(week) for week in range(WEEKS + 3)], np.int64)


@dataclass(frozen=True)
class Clock:
    """Moves source times by whole weeks, so that weekdays hold.

    Attributes:
        weeks: how far; 0 keeps the original time.
    """

    weeks: int = 0

    @classmethod
    def ending_by(cls, now: datetime, last: int) -> Clock:
        """The clock that puts the source time `last` as late as possible, but not after `now`."""
        return cls((micros(now) - last) // WEEK)

    def move(self, source: int) -> datetime:
        """When the source time happens in the replay."""
        return datetime.fromtimestamp((source + self.weeks * WEEK) / SECOND, UTC)

    def moves(self, sources: Micros) -> list[datetime]:
        """Each source time's instant in the replay."""
        # Times come in runs: made once for each, because a datetime costs as much as its event.
        first = np.flatnonzero(np.diff(sources, prepend=-1))
        instants = [self.move(source) for source in sources[first].tolist()]
        runs = np.diff(first, append=len(sources)).tolist()
        return [instant for instant, run in zip(instants, runs, strict=True) for _ in range(run)]

    def source(self, instant: datetime) -> int:
        """Inverse of `move`."""
        return micros(instant) - self.weeks * WEEK
