"""One card payment per basket, some of them frauds, and what each turned out to be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import numpy as np

from mercato.contracts.events import PAYMENT_OUTCOMES, PAYMENTS, Payment, PaymentOutcome
from mercato.replay.chance import below, uniform
from mercato.replay.clock import DAY, SECOND, Clock
from mercato.replay.dataset import Baskets
from mercato.replay.simulate.frauds import struck

_CARD, _TERMINAL, _ENTRY, _DELAY = range(4)
_MAX_CARDS, _LANES, _MAX_SECONDS = 3, 2, 40
#: How long a payment may be disputed.
DISPUTED_DAYS = 7
_ENTRY_MODES: tuple[Literal["chip", "contactless", "swipe"], ...] = ("chip", "contactless", "swipe")
#: Share of payments up to and including each mode.
_ENTRY_SHARES = (0.55, 0.9)


class _Ledger:
    """Every payment of the year as columns, by time.

    A household pays with one of its one to three cards, seconds before the receipt is printed.
    """

    def __init__(self, baskets: Baskets) -> None:
        before = (1 + below(_MAX_SECONDS, baskets.basket_id, _DELAY)) * SECOND
        order = np.argsort(baskets.time - before, kind="stable")
        self.times = (baskets.time - before)[order]
        self.basket = baskets.basket_id[order]
        self.household, self.store = baskets.household_id[order], baskets.store_id[order]
        cards = 1 + below(_MAX_CARDS, self.household, _CARD)
        self.card = 1 + below(cards, self.basket, _CARD)
        self.lane = 1 + below(_LANES, self.basket, _TERMINAL)
        self.entry = np.searchsorted(_ENTRY_SHARES, uniform(self.basket, _ENTRY), side="right")
        paid, day = baskets.paid[order], self.times // DAY
        self.amount, self.fraud = struck(
            self.basket, (self.household, self.card), (self.store, self.lane), day, paid
        )


class Payments:
    """What every basket was paid with; a fraud's amount is not always the basket's."""

    topic = PAYMENTS

    def __init__(self, baskets: Baskets) -> None:
        self._ledger = _Ledger(baskets)
        self.times = self._ledger.times

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Payment]:
        """See `Feed`."""
        ledger = self._ledger
        for when, household, store, basket, card, lane, amount, entry in zip(
            clock.moves(self.times[low:high]),
            ledger.household[low:high].tolist(),
            ledger.store[low:high].tolist(),
            ledger.basket[low:high].tolist(),
            ledger.card[low:high].tolist(),
            ledger.lane[low:high].tolist(),
            ledger.amount[low:high].tolist(),
            ledger.entry[low:high].tolist(),
            strict=True,
        ):
            yield Payment(
                event_id=str(basket),
                event_time=when,
                simulated=True,
                household_id=household,
                store_id=store,
                basket_id=basket,
                card_id=f"{household}-{card}",
                terminal_id=f"{store}-{lane}",
                amount=amount,
                entry_mode=_ENTRY_MODES[entry],
            )


class Outcomes:
    """What each payment turned out to be, once it may not be disputed any more; the last week's is open."""

    topic = PAYMENT_OUTCOMES

    def __init__(self, baskets: Baskets) -> None:
        self._ledger = _Ledger(baskets)
        times = self._ledger.times + DISPUTED_DAYS * DAY
        self.times = times[times <= self._ledger.times.max(initial=0)]

    def events(self, low: int, high: int, clock: Clock) -> Iterator[PaymentOutcome]:
        """See `Feed`."""
        ledger = self._ledger
        for when, household, store, basket, card, lane, fraud in zip(
            clock.moves(self.times[low:high]),
            ledger.household[low:high].tolist(),
            ledger.store[low:high].tolist(),
            ledger.basket[low:high].tolist(),
            ledger.card[low:high].tolist(),
            ledger.lane[low:high].tolist(),
            ledger.fraud[low:high].tolist(),
            strict=True,
        ):
            yield PaymentOutcome(
                event_id=str(basket),
                event_time=when,
                simulated=True,
                payment_id=str(basket),
                paid_at=when - timedelta(days=DISPUTED_DAYS),
                card_id=f"{household}-{card}",
                terminal_id=f"{store}-{lane}",
                fraud=fraud,
            )
