"""One card payment per basket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from mercato.contracts.events import PAYMENTS, Payment
from mercato.replay.chance import below, uniform
from mercato.replay.clock import SECOND, Clock
from mercato.replay.dataset import Baskets

_CARD, _TERMINAL, _ENTRY, _DELAY = range(4)
_MAX_CARDS, _LANES, _MAX_SECONDS = 3, 8, 40
_ENTRY_MODES: tuple[Literal["chip", "contactless", "swipe"], ...] = ("chip", "contactless", "swipe")
#: Share of payments up to and including each mode.
_ENTRY_SHARES = (0.55, 0.9)


class Payments:
    """A household pays with one of its one to three cards, seconds before the receipt is printed."""

    topic = PAYMENTS

    def __init__(self, baskets: Baskets) -> None:
        before = (1 + below(_MAX_SECONDS, baskets.basket_id, _DELAY)) * SECOND
        order = np.argsort(baskets.time - before, kind="stable")
        self.times = (baskets.time - before)[order]
        basket = baskets.basket_id[order]
        household = baskets.household_id[order]
        self._household, self._basket, self._store = household, basket, baskets.store_id[order]
        self._amount = baskets.paid[order]
        cards = 1 + below(_MAX_CARDS, household, _CARD)
        self._card = 1 + below(cards, basket, _CARD)
        self._lane = 1 + below(_LANES, basket, _TERMINAL)
        self._entry = np.searchsorted(_ENTRY_SHARES, uniform(basket, _ENTRY), side="right")

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Payment]:
        """See `Feed`."""
        for when, household, store, basket, card, lane, amount, entry in zip(
            clock.moves(self.times[low:high]),
            self._household[low:high].tolist(),
            self._store[low:high].tolist(),
            self._basket[low:high].tolist(),
            self._card[low:high].tolist(),
            self._lane[low:high].tolist(),
            self._amount[low:high].tolist(),
            self._entry[low:high].tolist(),
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
