"""Stock of the best sellers, in step with what was really sold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.events import INVENTORY, Inventory
from mercato.replay.chance import below, uniform
from mercato.replay.clock import HOUR, SECOND, WEEK_START, Clock, Micros
from mercato.replay.dataset import Ints, Lines

#: Products with the most checkout lines that are counted.
BEST_SELLERS = 1000
_WHEN, _SPARE, _OPENING = range(3)
#: Bits for the seconds of a year and a day, and for a week's number.
_TIME_BITS, _WEEK_BITS = 26, 6
_PRODUCT_BITS = 25


class StockLevels:
    """One visit per store, best seller and week in which it sold: a count, or a delivery where needed.

    A visit is on Monday morning; in the first week, whose last day alone the source has, at `start`.
    What a delivery leaves covers the sales until the next visit and some spare units, so that stock is
    never negative and every change of it is a sale or a delivery.

    Args:
        lines: what was sold.
        start: source time before which nothing is sent.
    """

    topic = INVENTORY

    def __init__(self, lines: Lines, start: int) -> None:
        lines = lines.take(np.isin(lines.product_id, best_sellers(lines)))
        shelf = lines.store_id << _PRODUCT_BITS | lines.product_id
        shelves, shelf_of_line = np.unique(shelf, return_inverse=True)
        visits = np.unique(shelf_of_line << _WEEK_BITS | lines.week)
        at, week = visits >> _WEEK_BITS, visits & (1 << _WEEK_BITS) - 1
        store = shelves[at] >> _PRODUCT_BITS
        product = shelves[at] & (1 << _PRODUCT_BITS) - 1
        monday = WEEK_START[week] + 5 * HOUR + below(4 * 3600, store, product, week, _WHEN) * SECOND
        time = np.maximum(monday, start)
        sold = _sold_until_next(at, time, shelf_of_line, lines)
        spare = (uniform(store, product, week, _SPARE) * (sold / 2 + 4)).astype(np.int64)
        opening = (uniform(store, product, _OPENING) * (sold + 4)).astype(np.int64)
        on_hand, delivered = _stock(at, sold, spare, opening)
        order = np.argsort(time, kind="stable")
        self.times = time[order]
        self._store, self._product, self._week = store[order], product[order], week[order]
        self._on_hand, self._delivered = on_hand[order], delivered[order]

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Inventory]:
        """See `Feed`."""
        for when, store, product, week, on_hand, delivered in zip(
            clock.moves(self.times[low:high]),
            self._store[low:high].tolist(),
            self._product[low:high].tolist(),
            self._week[low:high].tolist(),
            self._on_hand[low:high].tolist(),
            self._delivered[low:high].tolist(),
            strict=True,
        ):
            yield Inventory(
                event_id=f"{store}-{product}-{week}",
                event_time=when,
                simulated=True,
                store_id=store,
                product_id=product,
                on_hand=on_hand,
                reason="delivery" if delivered else "count",
            )


def best_sellers(lines: Lines) -> Ints:
    """Products with the most checkout lines, smaller ids first among equals."""
    products, counts = np.unique(lines.product_id, return_counts=True)
    return products[np.argsort(-counts, kind="stable")[:BEST_SELLERS]]


def _sold_until_next(at: Ints, time: Micros, shelf_of_line: Ints, lines: Lines) -> Ints:
    """Units sold between each visit and the shelf's next one (or the end of the year).

    Args:
        at: shelf of each visit; visits are in the order of shelf and time.
        time: of each visit.
        shelf_of_line: shelf of each line.
    """

    def moment(shelf: Ints, when: Micros) -> Ints:
        moments: Ints = shelf << _TIME_BITS | (when - WEEK_START[1]) // SECOND
        return moments

    sales = moment(shelf_of_line, lines.time)
    order = np.argsort(sales, kind="stable")
    total = np.concatenate(([0], np.cumsum(lines.quantity[order])))
    sales = sales[order]
    begin = np.searchsorted(sales, moment(at, time))
    end = np.searchsorted(sales, (at + 1) << _TIME_BITS)
    again = at[1:] == at[:-1]
    end[:-1][again] = begin[1:][again]
    sold: Ints = total[end] - total[begin]
    return sold


def _stock(at: Ints, sold: Ints, spare: Ints, opening: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Stock after each visit, and whether it took a delivery."""
    first = np.flatnonzero(np.diff(at, prepend=-1))
    visits = np.diff(first, append=len(at))
    on_hand, delivered = np.zeros_like(sold), np.zeros(len(at), bool)
    left = opening[first]
    # Stock follows from the visit before: one step for all shelves at a time, at most 53 of them.
    for turn in range(visits.max(initial=0)):
        more = visits > turn
        visit = first[more] + turn
        delivered[visit] = left[more] < sold[visit]
        on_hand[visit] = np.where(delivered[visit], sold[visit] + spare[visit], left[more])
        left[more] = on_hand[visit] - sold[visit]
    return on_hand, delivered
