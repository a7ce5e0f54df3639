"""A household's recent baskets, and its habit with each product in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.tables.features import HOUSEHOLD_HISTORY

DAY = 86_400
HOUR = 3_600
#: Half-lives of past purchases.
HALF_LIVES_DAYS = (10, 30, 100)
HALF_LIVES_BASKETS = (3, 12)
#: Newest baskets among which a product's share is taken.
RECENT_BASKETS = (3, 6, 12)
#: Width of what counts as the same time of day, hours.
TIME_OF_DAY_HOURS = 3.0

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
)

_C = HOUSEHOLD_HISTORY.c


@dataclass(frozen=True, slots=True)
class History:
    """Recent baskets, oldest first.

    Attributes:
        basket_times: seconds since 1970; basket_stores, basket_sizes: one element per basket.
        products: the baskets' products one after another; quantities, values (US dollars) beside it.
    """

    basket_times: NDArray[np.int64]
    basket_stores: NDArray[np.int64]
    basket_sizes: NDArray[np.int64]
    products: NDArray[np.int64]
    quantities: NDArray[np.float32]
    values: NDArray[np.float32]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> History:
        """From the columns of gold.household_history; a null list is an empty one.

        Raises:
            ValueError: the lists do not fit together.
        """
        return cls.of(*(row[name] for name in HISTORY_COLUMNS))

    @classmethod
    def of(
        cls,
        basket_times: Sequence[int] | NDArray[Any] | None = None,
        basket_stores: Sequence[int] | NDArray[Any] | None = None,
        basket_sizes: Sequence[int] | NDArray[Any] | None = None,
        products: Sequence[int] | NDArray[Any] | None = None,
        quantities: Sequence[int] | NDArray[Any] | None = None,
        values: Sequence[float] | NDArray[Any] | None = None,
    ) -> History:
        """From plain lists or arrays."""
        whole = [
            np.asarray([] if given is None else given, dtype=np.int64)
            for given in (basket_times, basket_stores, basket_sizes, products)
        ]
        real = [np.asarray([] if given is None else given, np.float32) for given in (quantities, values)]
        times, stores, sizes, lines = whole
        if not len(times) == len(stores) == len(sizes):
            raise ValueError(f"{len(times)} basket times, {len(stores)} stores and {len(sizes)} sizes")
        if not int(sizes.sum()) == len(lines) == len(real[0]) == len(real[1]):
            raise ValueError(f"basket sizes sum to {int(sizes.sum())}, but there are {len(lines)} products")
        return cls(times, stores, sizes, lines, real[0], real[1])

    @property
    def baskets(self) -> int:
        """Number of baskets."""
        return len(self.basket_times)

    @property
    def line_baskets(self) -> NDArray[np.int64]:
        """Position of the basket of each line."""
        return np.repeat(np.arange(self.baskets), self.basket_sizes)


#: Columns of gold.household_history that `History.from_row` reads, in its order.
HISTORY_COLUMNS: tuple[str, ...] = (
    _C.basket_times, _C.basket_stores, _C.basket_sizes, _C.products, _C.quantities, _C.values,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habits:
    """A household's habit with each product that it bought.

    Attributes:
        rows: catalogue rows of the products, ascending, each once.
        values: products x HABITS, NaN where a figure needs more purchases.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]

    def column(self, name: str) -> NDArray[np.float32]:
        """One figure of every product."""
        return self.values[:, HABITS.index(name)]


def habits(history: History, lines: NDArray[np.int64], time: float | None, store_id: int | None) -> Habits:
    """Habits at a moment.

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
    age = np.maximum(0.0, (now - times) / DAY)
    ago = np.arange(history.baskets - 1, -1, -1)

    def total(per_line: NDArray[Any] | None = None) -> NDArray[Any]:
        return np.bincount(item, per_line, len(rows))

    count = total()
    ordered = np.argsort(item, kind="stable")  # by product, then oldest first: lines are in that order
    ends = np.cumsum(count)
    starts = ends - count
    oldest, newest = basket[ordered[starts]], basket[ordered[ends - 1]]
    gap, deviation = _gaps(item[ordered], times[basket[ordered]] / DAY, count)
    since = age[newest]
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
        _share(total, None if time is None else _same_time_of_day(times, time)[basket], count),
        _share(total, None if time is None else (times // DAY % 7 == time // DAY % 7)[basket], count),
    ]
    return Habits(rows, np.stack(columns, axis=1).astype(np.float32))


def _gaps(item: NDArray[Any], days: NDArray[Any], count: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation of the days between a product's purchases, NaN for one purchase."""
    same = item[1:] == item[:-1]
    gap = np.maximum(np.diff(days)[same], 1 / 24)
    of = item[1:][same]
    number = np.where(count > 1, count - 1, np.nan)
    mean = np.bincount(of, gap, len(count)) / number
    square = np.bincount(of, gap * gap, len(count)) / number
    return mean, np.sqrt(np.maximum(0.0, square - mean * mean))


def _same_time_of_day(times: NDArray[np.int64], time: float) -> NDArray[np.float64]:
    apart = np.abs(times % DAY - time % DAY) / HOUR
    apart = np.minimum(apart, 24 - apart)
    weight: NDArray[np.float64] = np.exp(-((apart / TIME_OF_DAY_HOURS) ** 2))
    return weight


def _share(total: Any, per_line: NDArray[Any] | None, count: NDArray[Any]) -> NDArray[Any]:
    return np.full(len(count), np.nan) if per_line is None else total(per_line) / count
