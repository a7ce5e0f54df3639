"""The year as Kafka records, a day at a time, in time order over all topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.events import (
    CLICKSTREAM,
    INVENTORY,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
)
from mercato.replay.clock import DAY, Clock, Micros
from mercato.replay.dataset import Dataset
from mercato.replay.feed import Feed
from mercato.replay.recorded import Products, Promotions, Transactions
from mercato.replay.simulate.clickstream import Clicks
from mercato.replay.simulate.inventory import StockLevels
from mercato.replay.simulate.payments import Outcomes, Payments
from mercato.replay.simulate.promotions import with_next_week

#: At one instant the catalogue comes before what mentions it, and a click before its checkout.
_FEEDS: Mapping[str, Callable[[Dataset, int], Feed]] = {
    PRODUCTS.name: lambda dataset, start: Products(dataset.catalogue, start),
    PROMOTIONS.name: lambda dataset, start: Promotions(with_next_week(dataset.placements), start),
    INVENTORY.name: lambda dataset, start: StockLevels(dataset.lines, start),
    CLICKSTREAM.name: lambda dataset, _start: Clicks(dataset.lines, dataset.baskets, dataset.catalogue),
    PAYMENTS.name: lambda dataset, _start: Payments(dataset.baskets),
    PAYMENT_OUTCOMES.name: lambda dataset, _start: Outcomes(dataset.baskets),
    TRANSACTIONS.name: lambda dataset, _start: Transactions(dataset.lines),
}
#: Names of the topics that the year fills; others are filled by jobs and pollers.
REPLAYED: tuple[str, ...] = tuple(_FEEDS)


@dataclass(frozen=True)
class Batch:
    """Records that follow each other.

    Attributes:
        times: source time of each record, ascending.
        feeds: position of each record's feed among the year's feeds.
        records: contract name of the topic, key and value of each.
    """

    times: Micros
    feeds: NDArray[np.intp]
    records: list[tuple[str, bytes, bytes]]

    def __len__(self) -> int:
        return len(self.records)


class Year:
    """All events of the chosen topics.

    Args:
        dataset: what happened.
        topics: contract names; all that are replayed unless given.
    """

    def __init__(self, dataset: Dataset, topics: Collection[str] = REPLAYED) -> None:
        self.dataset = dataset
        #: Source time of the first day's start, UTC, and of the last checkout.
        self.start = int(dataset.lines.time[0]) // DAY * DAY
        self.last = int(dataset.lines.time[-1])
        self.feeds: list[Feed] = [
            make(dataset, self.start) for name, make in _FEEDS.items() if name in topics
        ]

    def totals(self, until: int | None = None) -> dict[str, int]:
        """Events of each topic, those before the source time `until` if it is given."""
        return {feed.topic.name: _count(feed, until) for feed in self.feeds}

    def batches(
        self, clock: Clock, done: Mapping[str, int] | None = None, until: int | None = None
    ) -> Iterator[Batch]:
        """The events a UTC day at a time; days without any are left out.

        Args:
            clock: gives their times.
            done: events of each topic to leave out because they were sent before.
            until: source time at which to stop.
        """
        begin = [(done or {}).get(feed.topic.name, 0) for feed in self.feeds]
        ends = [_count(feed, until) for feed in self.feeds]
        day = self.start
        while any(low < end for low, end in zip(begin, ends, strict=True)):
            day += DAY
            stops = [min(_count(feed, day), end) for feed, end in zip(self.feeds, ends, strict=True)]
            spans = [(low, max(low, stop)) for low, stop in zip(begin, stops, strict=True)]
            if any(low < high for low, high in spans):
                yield self._batch(spans, clock)
            begin = [high for _, high in spans]

    def _batch(self, spans: list[tuple[int, int]], clock: Clock) -> Batch:
        times = [feed.times[low:high] for feed, (low, high) in zip(self.feeds, spans, strict=True)]
        owners = np.repeat(np.arange(len(spans)), [high - low for low, high in spans])
        records = [
            record
            for feed, (low, high) in zip(self.feeds, spans, strict=True)
            for record in _records(feed, low, high, clock)
        ]
        together = np.concatenate(times)
        order = np.argsort(together, kind="stable")
        return Batch(together[order], owners[order], [records[row] for row in order.tolist()])


def _count(feed: Feed, until: int | None) -> int:
    return len(feed.times) if until is None else int(np.searchsorted(feed.times, until))


def _records(feed: Feed, low: int, high: int, clock: Clock) -> Iterator[tuple[str, bytes, bytes]]:
    name, key, encode = feed.topic.name, feed.topic.key, feed.topic.encode
    for event in feed.events(low, high, clock):
        yield name, str(getattr(event, key)).encode(), encode(event)
