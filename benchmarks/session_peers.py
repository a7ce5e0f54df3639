"""How an open session goes on, whoever's it is: VMIS-kNN (Kersbergen, Sprangers, Schelter, "Serenade", SIGMOD
2022) and co-occurrence, over everybody's earlier baskets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.recommend_peers import Matrix
from benchmarks.tuning import Grid
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.arrays import Floats, Ints

_L = BASKET_LINES.c


@dataclass(frozen=True, slots=True)
class Sessions:
    """Everybody's baskets in the order of their times, and where each product is held.

    Attributes:
        products: ids, ascending; elsewhere a product is its place here.
        times: of each session, ascending.
        held: sessions x products, 1 where a session holds the product.
        pairs: each product with each of its sessions, ascending, as product * number of sessions + session.
    """

    products: Ints
    times: NDArray[np.datetime64]
    held: Matrix
    pairs: Ints

    @classmethod
    def of(cls, lines: pa.Table) -> Sessions:
        """Of rows of gold.basket_lines."""
        ids = lines[_L.basket_id].to_numpy()
        _, rows, basket = np.unique(ids, return_index=True, return_inverse=True)
        times = lines[_L.basket_time].to_numpy()[rows]
        by_time = np.argsort(times, kind="stable")
        place = np.empty_like(by_time)
        place[by_time] = np.arange(len(by_time))
        products, item = np.unique(lines[_L.product_id].to_numpy(), return_inverse=True)
        shape = (len(times), len(products))
        held = sparse.csr_matrix((np.ones(len(item)), (place[basket], item)), shape=shape)
        pairs = np.sort(item * len(times) + place[basket])
        return cls(products, times[by_time], held, pairs)

    def before(self, time: np.datetime64) -> int:
        """How many sessions are earlier than a moment."""
        return int(np.searchsorted(self.times, time))

    def places(self, product_ids: Ints) -> Ints:
        """Place of each product, -1 for those in no session."""
        nearest = np.minimum(np.searchsorted(self.products, product_ids), len(self.products) - 1)
        return np.where(self.products[nearest] == product_ids, nearest, -1)

    def holding(self, product: int, before: int) -> Ints:
        """Which of the first `before` sessions hold a product, oldest first; none do an unknown one."""
        first = product * len(self.times)
        start, end = np.searchsorted(self.pairs, [first, first + before])
        return self.pairs[start:end] - first

    def counts(self, products: Ints, before: int) -> Ints:
        """In how many of the first `before` sessions each product is."""
        first = products * len(self.times)
        counts: Ints = np.searchsorted(self.pairs, first + before) - np.searchsorted(self.pairs, first)
        return counts

    def total(self, sessions: Ints, weights: Floats) -> Floats:
        """Of every product the sum of weights of those sessions that hold it."""
        return np.asarray(weights @ self.held[sessions])


#: From sessions, the products shown (oldest first) and how many sessions are earlier, to scores.
Peer = Callable[..., Floats]


def vmis_knn(
    known: Sessions, shown: Ints, before: int, *, recent: int, neighbours: int, rarity: bool
) -> Floats:
    """Score every product by the sessions nearest to the open one.

    Args:
        recent: m, newest sessions that share a product with it.
        neighbours: k, the nearest of them, by the sum of the shared products' weights: place / length.
        rarity: whether a product counts by the logarithm of sessions over its sessions, as in the paper.
    """
    holders = [known.holding(product, before)[-recent:] for product in shown.tolist()]
    newest = np.unique(np.concatenate(holders))[-recent:]
    shared = np.array([np.isin(newest, of, assume_unique=True) for of in holders])
    place = np.arange(1, len(shown) + 1)
    alike = place / len(shown) @ shared
    nearest = np.lexsort((-newest, -alike))[:neighbours]
    from_the_end = len(shown) + 1 - (place[:, None] * shared[:, nearest]).max(axis=0, initial=0)
    scores = known.total(newest[nearest], alike[nearest] * (1 - 0.1 * from_the_end))
    if rarity:
        some = np.flatnonzero(scores)
        scores[some] *= np.log(before / known.counts(some, before))
    return scores


def together(known: Sessions, shown: Ints, before: int, *, damping: float) -> Floats:
    """Score every product by how often it is in the sessions of each product shown.

    Args:
        damping: power of a product's own sessions by which its score is divided; 0 is the share of the shown
            product's sessions, 0.5 the cosine but for a factor.
    """
    scores = np.zeros(len(known.products))
    for product in shown.tolist():
        holders = known.holding(product, before)
        if len(holders):
            scores += known.total(holders, np.full(len(holders), 1 / len(holders)))
    some = np.flatnonzero(scores)
    scores[some] /= known.counts(some, before).astype(np.float64) ** damping
    return scores


#: Settings that are tried on second-last baskets.
GRIDS: Mapping[Peer, Grid] = {
    vmis_knn: {
        "recent": (500, 2_500, 10_000, 50_000),
        "neighbours": (100, 250, 500, 1_500, 5_000),
        "rarity": (True, False),
    },
    together: {"damping": (0.0, 0.25, 0.5)},
}
