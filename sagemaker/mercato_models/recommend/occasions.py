"""How much each past basket tells of the one to come: the newer and the more alike, the more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS, HOUR_SECONDS
from mercato_models.recommend.history import History

#: Half-life of a past basket's weight.
HALF_LIFE_DAYS = 60.0
#: Width of what counts as the same time of day.
TIME_OF_DAY_HOURS = 3.0
#: What a basket of another store, time, weekday or gap still counts.
ELSEWHERE, OTHER_TIME, OTHER_WEEKDAY, OTHER_GAP = 0.15, 0.15, 0.5, 0.2

#: Rows of what `weights` answers.
OCCASIONS: tuple[str, ...] = ("any", "here", "time_of_day", "weekday", "gap", "alike")


def weights(history: History, time: float | None, store_id: int | None) -> NDArray[np.float64]:
    """Weight of each basket of the history (OCCASIONS x baskets), what is unknown left out of account.

    Every row fades with age; "alike" has the store, the time of day, the weekday and the gap to
    the basket before all at once.
    """
    times = history.basket_times
    now = float(times[-1]) if time is None and len(times) else (time or 0.0)
    fading = 0.5 ** (np.maximum(0.0, (now - times) / DAY_SECONDS) / HALF_LIFE_DAYS)
    here = hour = weekday = gap = np.ones(len(times))
    if store_id is not None:
        here = np.where(history.basket_stores == store_id, 1.0, ELSEWHERE)
    if time is not None and len(times):
        hour = OTHER_TIME + same_time_of_day(times, time)
        weekday = np.where(same_weekday(times, time), 1.0, OTHER_WEEKDAY)
        gap = OTHER_GAP + _same_gap(times, time)
    return np.stack([fading * kind for kind in (1.0, here, hour, weekday, gap, here * hour * weekday * gap)])


def same_time_of_day(times: NDArray[np.int64], time: float) -> NDArray[np.float64]:
    """1 at the same time of day, falling to 0 within hours."""
    apart = np.abs(times % DAY_SECONDS - time % DAY_SECONDS) / HOUR_SECONDS
    apart = np.minimum(apart, 24 - apart)
    close: NDArray[np.float64] = np.exp(-((apart / TIME_OF_DAY_HOURS) ** 2))
    return close


def same_weekday(times: NDArray[np.int64], time: float) -> NDArray[np.bool_]:
    """Whether they are on the same day of the week."""
    same: NDArray[np.bool_] = times // DAY_SECONDS % 7 == time // DAY_SECONDS % 7
    return same


def _same_gap(times: NDArray[np.int64], time: float) -> NDArray[np.float64]:
    """1 where a basket came as long after the one before it as the next one does, by ratio."""
    gaps: NDArray[Any] = np.log(np.diff(np.concatenate([times, [time]])).clip(0) / DAY_SECONDS + 0.1)
    close = np.zeros(len(times))
    close[1:] = np.exp(-((gaps[:-1] - gaps[-1]) ** 2))
    return close
