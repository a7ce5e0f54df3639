"""Feeds of what was recorded: checkout lines, promotions, the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mercato.contracts.events import (
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    Placement,
    Product,
    Promotion,
    Transaction,
)
from mercato.replay.clock import DAY, WEEK_START, WEEKS, Clock, Micros
from mercato.replay.dataset import Catalogue, Lines, Placements

#: Plans are known this long before they hold.
_NOTICE = 2 * DAY


class Transactions:
    """One event per checkout line."""

    topic = TRANSACTIONS

    def __init__(self, lines: Lines) -> None:
        self.times = lines.time
        self._lines = lines

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Transaction]:
        """See `Feed`."""
        lines = self._lines.take(slice(low, high))
        for when, household, store, basket, product, units, value, retail, coupon, match, week in zip(
            clock.moves(lines.time),
            lines.household_id.tolist(),
            lines.store_id.tolist(),
            lines.basket_id.tolist(),
            lines.product_id.tolist(),
            lines.quantity.tolist(),
            lines.sales_value.tolist(),
            lines.retail_disc.tolist(),
            lines.coupon_disc.tolist(),
            lines.coupon_match_disc.tolist(),
            lines.week.tolist(),
            strict=True,
        ):
            yield Transaction(
                event_id=f"{basket}-{product}",
                event_time=when,
                household_id=household,
                store_id=store,
                basket_id=basket,
                product_id=product,
                quantity=units,
                sales_value=value,
                retail_disc=retail,
                coupon_disc=coupon,
                coupon_match_disc=match,
                week=week,
            )


class Promotions:
    """One event per product and week: the stores of each combination of display and mailer.

    Args:
        placements: source rows; each is one store of one placement.
        start: source time before which nothing is sent.
    """

    topic = PROMOTIONS

    def __init__(self, placements: Placements, start: int) -> None:
        packed = placements.packed
        self._packed = packed
        #: First row of each event, and where the last one ends.
        self._first = _starts(packed >> placements.PRODUCT_AT)
        weeks = packed[self._first[:-1]] >> placements.WEEK_AT
        self.times: Micros = np.maximum(WEEK_START[weeks] - _NOTICE, start)

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Promotion]:
        """See `Feed`."""
        rows = self._packed[self._first[low] : self._first[high]]
        first = _starts(rows >> Placements.MAILER_AT)
        heads = rows[first[:-1]]
        stores = (rows & (1 << Placements.STORE_BITS) - 1).tolist()
        displays = (heads >> Placements.DISPLAY_AT & 0x7F).tolist()
        mailers = (heads >> Placements.MAILER_AT & 0x7F).tolist()
        bounds = first.tolist()
        placements = [
            Placement(display=chr(display), mailer=chr(mailer), stores=stores[begin:end])
            for display, mailer, begin, end in zip(displays, mailers, bounds[:-1], bounds[1:], strict=True)
        ]
        of_event = _starts(heads >> Placements.PRODUCT_AT)
        keys = heads[of_event[:-1]] >> Placements.PRODUCT_AT
        products = keys & (1 << Placements.WEEK_AT - Placements.PRODUCT_AT) - 1
        weeks = keys >> Placements.WEEK_AT - Placements.PRODUCT_AT
        ends = of_event.tolist()
        for when, product, week, valid_from, valid_to, begin, end in zip(
            clock.moves(self.times[low:high]),
            products.tolist(),
            weeks.tolist(),
            clock.moves(WEEK_START[weeks]),
            clock.moves(WEEK_START[weeks + 1]),
            ends[:-1],
            ends[1:],
            strict=True,
        ):
            yield Promotion(
                event_id=f"{product}-{week}",
                event_time=when,
                product_id=product,
                week=week,
                valid_from=valid_from,
                valid_to=valid_to,
                placements=placements[begin:end],
                simulated=week > WEEKS,
            )


class Products:
    """One event per product of the catalogue, all at the start."""

    topic = PRODUCTS

    def __init__(self, catalogue: Catalogue, start: int) -> None:
        self.times: Micros = np.full(len(catalogue.product_id), start, np.int64)
        self._catalogue = catalogue

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Product]:
        """See `Feed`."""
        known, when = self._catalogue, clock.moves(self.times[low:high])
        for row, product in enumerate(known.product_id[low:high].tolist(), low):
            yield Product(
                event_id=str(product),
                event_time=when[row - low],
                product_id=product,
                manufacturer_id=known.manufacturer_id[row],
                department=known.department[row],
                brand=known.brand[row],
                category=known.category[row],
                product_type=known.product_type[row],
                package_size=known.package_size[row],
            )


def _starts(keys: Micros) -> Micros:
    """Position of each run of equal keys, and the number of keys."""
    changed = np.flatnonzero(np.diff(keys)) + 1
    return np.concatenate(([0], changed, [len(keys)])) if len(keys) else np.zeros(1, np.int64)
