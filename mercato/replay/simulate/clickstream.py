"""A visit to the web shop around each real basket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from mercato.contracts.events import CLICKSTREAM, Click
from mercato.replay.chance import below, uniform
from mercato.replay.clock import SECOND, Clock
from mercato.replay.dataset import Baskets, Catalogue, Ints, Lines

_BOUGHT, _SEEN, _PICK, _ORDER, _SEARCH, _REMOVE, _GAP = range(7)
#: At most so many bought products are handled online, and so many others only looked at.
_MAX_BOUGHT, _MAX_SEEN = 4, 3
_SEARCH_SHARE, _REMOVE_SHARE = 0.35, 0.25
_MIN_GAP, _MAX_GAP = 3, 60

Action = Literal["search", "view", "add_to_cart", "remove_from_cart", "checkout"]
_ACTIONS: tuple[Action, ...] = ("search", "view", "add_to_cart", "remove_from_cart", "checkout")
_SEARCHED, _VIEWED, _ADDED, _REMOVED, _CHECKOUT = range(len(_ACTIONS))
_NOTHING = -1


class Clicks:
    """A session per basket: some of its products found and added, others looked at, then the checkout.

    The other products are drawn from all checkout lines, so a popular one is seen more often.
    """

    topic = CLICKSTREAM

    def __init__(self, lines: Lines, baskets: Baskets, catalogue: Catalogue) -> None:
        basket, product, action = _steps(lines, baskets)
        self._names = [_words(catalogue, row) for row in range(len(catalogue.product_id))]
        query = self._queries(product, catalogue.product_id)
        kept = (action != _SEARCHED) | (query >= 0)
        basket, product, action, query = basket[kept], product[kept], action[kept], query[kept]
        number, time = _timed(basket, baskets)
        order = np.argsort(time, kind="stable")
        self.times = time[order]
        self._number, self._basket, self._action = number[order], basket[order], action[order]
        self._product, self._query = product[order], query[order]
        self._baskets = baskets

    def events(self, low: int, high: int, clock: Clock) -> Iterator[Click]:
        """See `Feed`."""
        rows = self._basket[low:high]
        for when, household, store, basket, number, action, product, query in zip(
            clock.moves(self.times[low:high]),
            self._baskets.household_id[rows].tolist(),
            self._baskets.store_id[rows].tolist(),
            self._baskets.basket_id[rows].tolist(),
            self._number[low:high].tolist(),
            self._action[low:high].tolist(),
            self._product[low:high].tolist(),
            self._query[low:high].tolist(),
            strict=True,
        ):
            yield Click(
                event_id=f"{basket}-{number}",
                event_time=when,
                simulated=True,
                household_id=household,
                session_id=str(basket),
                action=_ACTIONS[action],
                store_id=store,
                product_id=product if _SEARCHED < action < _CHECKOUT else None,
                query=self._names[query] if action == _SEARCHED else None,
                basket_id=basket if action == _CHECKOUT else None,
            )

    def _queries(self, product: Ints, known: Ints) -> Ints:
        """Row of the catalogue whose words a search for the product uses, -1 where there are none."""
        row = np.searchsorted(known, product).clip(max=len(known) - 1)
        named = np.array([name is not None for name in self._names])
        return np.where((known[row] == product) & named[row], row, -1)


def _steps(lines: Lines, baskets: Baskets) -> tuple[Ints, Ints, Ints]:
    """Every step of every session in order: position of the basket, product, number of the action."""
    bought_in, bought = _bought(lines, baskets)
    seen_in, seen = _seen(lines, baskets)
    every = np.arange(len(baskets))
    basket = np.concatenate((bought_in, seen_in, every))
    product = np.concatenate((bought, seen, np.zeros_like(every)))
    name = baskets.basket_id[basket]
    added = uniform(name, product, _REMOVE) < _REMOVE_SHARE
    actions = np.full((len(basket), 3), _NOTHING)
    a, b = len(bought), len(bought) + len(seen)
    searched = uniform(name[:a], product[:a], _SEARCH) < _SEARCH_SHARE
    actions[:a] = np.where(searched, _SEARCHED, _NOTHING)[:, None]
    actions[:a, 1:] = _VIEWED, _ADDED
    actions[a:b, 0] = _VIEWED
    actions[a:b, 1:][added[a:b]] = _ADDED, _REMOVED
    actions[b:, 0] = _CHECKOUT
    turn = uniform(name, product, _ORDER)
    turn[b:] = 1.0
    order = np.lexsort((turn, basket))
    flat = actions[order].ravel()
    taken = flat != _NOTHING
    return np.repeat(basket[order], 3)[taken], np.repeat(product[order], 3)[taken], flat[taken]


def _bought(lines: Lines, baskets: Baskets) -> tuple[Ints, Ints]:
    """Products of the basket that the session handles: position of the basket, product."""
    wanted = np.minimum(1 + below(_MAX_BOUGHT, baskets.basket_id, _BOUGHT), baskets.size)
    basket, turn = _each(wanted)
    skipped = below(baskets.size, baskets.basket_id, _PICK)
    row = baskets.first[basket] + (skipped[basket] + turn) % baskets.size[basket]
    return basket, lines.product_id[row]


def _seen(lines: Lines, baskets: Baskets) -> tuple[Ints, Ints]:
    """Products that the session only looks at: position of the basket, product."""
    basket, turn = _each(below(_MAX_SEEN + 1, baskets.basket_id, _SEEN))
    row = below(len(lines), baskets.basket_id[basket], turn, _SEEN)
    product = lines.product_id[row]
    both = _pair(basket, product)
    first = np.unique(both, return_index=True)[1]
    in_basket = _pair(np.repeat(np.arange(len(baskets)), baskets.size), lines.product_id)
    kept = np.sort(first[~np.isin(both[first], in_basket)])
    return basket[kept], product[kept]


def _pair(basket: Ints, product: Ints) -> Ints:
    return basket << 32 | product


def _each(counts: Ints) -> tuple[Ints, Ints]:
    """`counts[i]` rows for each i: (i, 0), (i, 1) ..."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _timed(basket: Ints, baskets: Baskets) -> tuple[Ints, Ints]:
    """Number of each step in its session, and its time: the last one, the checkout, at the basket's."""
    counts = np.bincount(basket, minlength=len(baskets))
    _, number = _each(counts)
    gap = (_MIN_GAP + below(_MAX_GAP - _MIN_GAP, baskets.basket_id[basket], number, _GAP)) * SECOND
    elapsed = np.cumsum(gap)
    end = elapsed[np.cumsum(counts) - 1] if len(gap) else elapsed
    return number, baskets.time[basket] - (end[basket] - elapsed)


def _words(catalogue: Catalogue, row: int) -> str | None:
    name = catalogue.product_type[row] or catalogue.category[row]
    return name.lower() if name else None
