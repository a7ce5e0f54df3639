"""The weeks that as-of snapshots are taken at.

A week ends on Monday 05:00 UTC, midnight at the shops in winter. Weeks are numbered by the
instant at which they end, so that moving all events by whole weeks moves all snapshots alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_WEEK_SECONDS = 7 * 86_400
#: Monday 1970-01-05 05:00 UTC.
_FIRST_END_SECONDS = 4 * 86_400 + 5 * 3_600
WEEK_MICROS = _WEEK_SECONDS * 1_000_000


def week_ending(time: Column | str) -> Column:
    """Number of the week whose end is the first one at or after `time`."""
    since = F.unix_micros(F.col(time) if isinstance(time, str) else time) - _FIRST_END_SECONDS * 1_000_000
    return F.ceil(since / F.lit(WEEK_MICROS)).cast("bigint")


def end_of(week: Column) -> Column:
    """Instant at which a week ends."""
    return F.timestamp_seconds(week * _WEEK_SECONDS + _FIRST_END_SECONDS)


def last_complete_week(lines: DataFrame, time: str, name: str) -> DataFrame:
    """One row with the newest week that the events in `lines` show to be over.

    Args:
        time: timestamp column of `lines`.
        name: the result's only column.
    """
    newest = F.max(time)
    # A week is over once something happened at or after its end.
    on_the_end = end_of(week_ending(newest)) == newest
    return lines.agg(F.when(on_the_end, week_ending(newest)).otherwise(week_ending(newest) - 1).alias(name))
