"""The weeks and days that as-of snapshots are taken at.

A day ends at 05:00 UTC, midnight at the shops in winter, a week on Monday. Both are numbered by the
instant at which they end, so that moving all events by whole weeks moves all snapshots alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mercato.contracts.durations import DAY_SECONDS, HOUR_SECONDS
from mercato.contracts.tables.features import SNAPSHOT_STEP_WEEKS, SNAPSHOT_WEEKS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_WEEK_SECONDS = 7 * DAY_SECONDS
#: Monday 1970-01-05 05:00 UTC.
FIRST_END_SECONDS = 4 * DAY_SECONDS + 5 * HOUR_SECONDS
WEEK_MICROS = _WEEK_SECONDS * 1_000_000
#: Ages, in weeks, of the snapshots taken every SNAPSHOT_STEP_WEEKS; 0 is the newest.
AGES = tuple(range(0, SNAPSHOT_WEEKS, SNAPSHOT_STEP_WEEKS))


def week_ending(time: Column | str) -> Column:
    """Number of the week whose end is the first one at or after `time`."""
    return _ending(time, _WEEK_SECONDS)


def day_ending(time: Column | str) -> Column:
    """Number of the day whose end is the first one at or after `time`."""
    return _ending(time, DAY_SECONDS)


def end_of_week(week: Column) -> Column:
    """Instant at which a week ends."""
    return _end(week, _WEEK_SECONDS)


def end_of_day(day: Column) -> Column:
    """Instant at which a day ends."""
    return _end(day, DAY_SECONDS)


def next_hour(time: Column | str) -> Column:
    """First full hour at or after `time`."""
    return _end(_ending(time, HOUR_SECONDS), HOUR_SECONDS)


def last_complete_week(lines: DataFrame, time: str, name: str) -> DataFrame:
    """One row with the newest week that the events in `lines` show to be over.

    Args:
        time: timestamp column of `lines`.
        name: the result's only column.
    """
    return _last_complete(lines, time, name, _WEEK_SECONDS)


def last_complete_day(lines: DataFrame, time: str, name: str) -> DataFrame:
    """The same for days."""
    return _last_complete(lines, time, name, DAY_SECONDS)


def _ending(time: Column | str, seconds: int) -> Column:
    since = F.unix_micros(F.col(time) if isinstance(time, str) else time) - FIRST_END_SECONDS * 1_000_000
    return F.ceil(since / F.lit(seconds * 1_000_000)).cast("bigint")


def _end(number: Column, seconds: int) -> Column:
    return F.timestamp_seconds(number * seconds + FIRST_END_SECONDS)


def _last_complete(lines: DataFrame, time: str, name: str, seconds: int) -> DataFrame:
    newest = F.max(time)
    ending = _ending(newest, seconds)
    # It is over once something happened at or after its end.
    over = _end(ending, seconds) == newest
    return lines.agg(F.when(over, ending).otherwise(ending - 1).alias(name))
