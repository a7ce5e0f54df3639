"""A household's habit with each product of its recent baskets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.recommend import occasions
from mercato_models.recommend.history import History

#: Half-lives of past purchases.
HALF_LIVES_DAYS = (10, 30, 100)
HALF_LIVES_BASKETS = (3, 12)
#: Newest baskets among which a product's share is taken.
RECENT_BASKETS = (3, 6, 12)
#: Of how many baskets the habit of any time outweighs that of like occasions.
PRIOR_BASKETS = 1.0

#: Columns of `Habits.values`.
HABITS: tuple[str, ...] = (
    "own_count",
    *(f"own_decayed_{days}d" for days in HALF_LIVES_DAYS),
    *(f"own_decayed_{baskets}b" for baskets in HALF_LIVES_BASKETS),
    *(f"own_share_last_{baskets}" for baskets in RECENT_BASKETS),
    "own_rate_since_first",
    "own_days_since_last",
    "own_days_since_first",
    "own_baskets_since_last",
    "own_mean_gap_days",
    "own_gap_deviation_days",
    "own_gap_ratio",
    "own_gap_score",
    "own_mean_quantity",
    "own_mean_value",
    "own_same_store",
    "own_same_time_of_day",
    "own_same_weekday",
    *(f"own_rate_{occasion}" for occasion in occasions.OCCASIONS),
    "own_fill",
    "own_fill_alike",
    "own_gap_survival",
    "own_gap_baskets_ratio",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """A household's habit with each product that it bought.

    Attributes:
        rows: catalogue rows of the products, ascending, each once.
        values: products x HABITS, NaN where a figure needs more purchases.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Figures of any products (rows x HABITS), NaN for those it never bought."""
        result = np.full((len(rows), len(HABITS)), np.nan, np.float32)
        if len(self.rows):
            place = np.searchsorted(self.rows, rows).clip(max=len(self.rows) - 1)
            bought = self.rows[place] == rows
            result[bought] = self.values[place[bought]]
        return result


def habits(history: History, lines: NDArray[np.int64], time: float | None, store_id: int | None) -> Habits:
    """Habits at a moment, with products or, by the lines of `History.grouped`, with groups of them.

    Args:
        history: the household's baskets, all before `time`.
        lines: catalogue row of each line of the history, -1 for products it does not list.
        time: of the basket to come, seconds since 1970; the newest basket's where unknown.
        store_id: of the basket to come, `None` where unknown.
    """
    known = lines >= 0
    rows, item = np.unique(lines[known], return_inverse=True)
    if len(rows) == 0:
        return Habits(rows, np.empty((0, len(HABITS)), np.float32))
    basket = history.line_baskets[known]
    times = history.basket_times
    now = float(times[-1]) if time is None else time
    age = np.maximum(0.0, (now - times) / DAY_SECONDS)
    ago = np.arange(history.baskets - 1, -1, -1)

    def total(per_line: NDArray[Any] | None = None) -> NDArray[Any]:
        return np.bincount(item, per_line, len(rows))

    count = total()
    ordered = np.argsort(item, kind="stable")  # by product, then oldest first: lines are in that order
    ends = np.cumsum(count)
    starts = ends - count
    oldest, newest = basket[ordered[starts]], basket[ordered[ends - 1]]
    gap, deviation = _gaps(item[ordered], times[basket[ordered]] / DAY_SECONDS, count)
    since = age[newest]
    rates = _rates(history, occasions.weights(history, time, store_id), basket, total)
    columns = [
        count,
        *(total((0.5 ** (age / days))[basket]) for days in HALF_LIVES_DAYS),
        *(total((0.5 ** (ago / baskets))[basket]) for baskets in HALF_LIVES_BASKETS),
        *(total((ago < k)[basket]) / min(k, history.baskets) for k in RECENT_BASKETS),
        count / (history.baskets - oldest),
        since,
        age[oldest],
        ago[newest],
        gap,
        deviation,
        since / gap,
        (since - gap) / (deviation + 0.25 * gap),
        total(history.quantities[known]) / count,
        total(history.values[known]) / count,
        _share(total, None if store_id is None else (history.basket_stores == store_id)[basket], count),
        _share(total, None if time is None else occasions.same_time_of_day(times, time)[basket], count),
        _share(total, None if time is None else occasions.same_weekday(times, time)[basket], count),
        *rates,
        _survival(item[ordered], times[basket[ordered]] / DAY_SECONDS, since, count),
        ago[newest] * np.where(count > 1, count - 1, np.nan) / np.maximum(1, newest - oldest),
    ]
    return Habits(rows, np.stack(columns, axis=1).astype(np.float32))


def _rates(
    history: History, weights: NDArray[np.float64], basket: NDArray[np.int64], total: Any
) -> list[NDArray[Any]]:
    """Share of the baskets that held each product, by occasion; then its share of what they held."""
    rates: list[NDArray[Any]] = []
    for weight in weights:
        held, prior = total(weight[basket]), PRIOR_BASKETS * rates[0] if rates else 0.0
        rates.append((held + prior) / (weight.sum() + (PRIOR_BASKETS if rates else 0.0)))
    per_line = weights[[0, -1]] / np.maximum(1, history.basket_sizes)
    fills = [total(share[basket]) for share in per_line]
    fill = fills[0] / weights[0].sum()
    fill_alike = (fills[1] + PRIOR_BASKETS * fill) / (weights[-1].sum() + PRIOR_BASKETS)
    return [*rates, fill, fill_alike]


def _gaps(item: NDArray[Any], days: NDArray[Any], count: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation of the days between a product's purchases, NaN for one purchase."""
    same = item[1:] == item[:-1]
    gap = np.maximum(np.diff(days)[same], 1 / 24)
    of = item[1:][same]
    number = np.where(count > 1, count - 1, np.nan)
    mean = np.bincount(of, gap, len(count)) / number
    square = np.bincount(of, gap * gap, len(count)) / number
    return mean, np.sqrt(np.maximum(0.0, square - mean * mean))


def _survival(
    item: NDArray[Any], days: NDArray[Any], since: NDArray[Any], count: NDArray[Any]
) -> NDArray[Any]:
    """Share of a product's gaps that were longer than it is since the last purchase, NaN for one purchase."""
    same = item[1:] == item[:-1]
    of = item[1:][same]
    longer = np.diff(days)[same] > since[of]
    return (np.bincount(of, longer, len(count)) + 0.5) / np.where(count > 1, count, np.nan)


def _share(total: Any, per_line: NDArray[Any] | None, count: NDArray[Any]) -> NDArray[Any]:
    return np.full(len(count), np.nan) if per_line is None else total(per_line) / count
