"""Look up what speaks for a product: own purchases, the cart, promotions, popularity."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.events.retail import NOT_SHOWN
from mercato.decisions.recommend import Evidence

Neighbours = Callable[[int], tuple[Sequence[int], Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Purchases:
    """A household's recent baskets, oldest first.

    Attributes:
        times: per basket, seconds since 1970.
        sizes: per basket, number of its products.
        products: products of the baskets one after another.
    """

    times: NDArray[np.int64]
    sizes: NDArray[np.integer]
    products: NDArray[np.int64]

    def of(self, product_id: int) -> NDArray[np.int64]:
        """Times of the baskets that hold the product, oldest first."""
        bought: NDArray[np.int64] = np.repeat(self.times, self.sizes)[self.products == product_id]
        return bought


@dataclass(frozen=True, slots=True)
class Store:
    """What a store shows this week; `store_id` is `None` where all stores stand in.

    Attributes:
        promotions: product -> (display code, mailer code).
        popular_ranks: product -> 1 for the most bought one.
    """

    store_id: int | None
    promotions: Mapping[int, tuple[str, str]]
    popular_ranks: Mapping[int, int]


class EvidenceFor:
    """Evidence for one household at one moment: `evidence(product_id) -> Evidence`.

    Args:
        purchases: the household's recent baskets.
        now: seconds since 1970.
        cart, viewed: products of the open session.
        latest: the one of them touched last, which explains before the others.
        store: the store meant.
        neighbours: product -> products bought together with it and how strongly, strongest first.
        name: product -> what a shopper calls it.
    """

    def __init__(
        self,
        purchases: Purchases,
        now: float,
        *,
        cart: Collection[int],
        viewed: Collection[int],
        latest: int | None = None,
        store: Store,
        neighbours: Neighbours,
        name: Callable[[int], str],
    ) -> None:
        self._purchases = purchases
        self._now = now
        self._cart = frozenset(cart)
        self._store = store
        self._neighbours = neighbours
        self._name = name
        self._own = frozenset(purchases.products.tolist())
        newest = (latest,) if latest in (*cart, *viewed) else ()
        self._partners = self._strongest(viewed) | self._strongest(cart) | self._strongest(newest)

    def __call__(self, product_id: int) -> Evidence:
        """What is known about the product."""
        times = self._purchases.of(product_id).tolist() if product_id in self._own else []
        partner = self._partners.get(product_id, (0.0, None))[1]
        usual = None if len(times) or partner else self._usual_partner(product_id)
        display, mailer = self._store.promotions.get(product_id, (NOT_SHOWN, NOT_SHOWN))
        return Evidence(
            times_bought=len(times),
            mean_gap_days=(times[-1] - times[0]) / (len(times) - 1) / DAY_SECONDS if len(times) > 1 else None,
            days_since=max(0.0, (self._now - times[-1]) / DAY_SECONDS) if len(times) else None,
            partner_id=partner,
            partner_name=self._name(partner) if partner else None,
            partner_in_cart=partner in self._cart,
            mailer=mailer,
            display=display,
            popular_rank=self._store.popular_ranks.get(product_id),
            usual_partner_name=self._name(usual) if usual else None,
            store_id=self._store.store_id,
        )

    def _strongest(self, companions: Collection[int]) -> dict[int, tuple[float, int]]:
        best: dict[int, tuple[float, int]] = {}
        for companion in companions:
            for neighbour, score in zip(*self._neighbours(companion), strict=True):
                if score > best.get(int(neighbour), (0.0, 0))[0]:
                    best[int(neighbour)] = (float(score), companion)
        return best

    def _usual_partner(self, product_id: int) -> int | None:
        return next((int(p) for p in self._neighbours(product_id)[0] if int(p) in self._own), None)
