"""What a recommender must beat: the most bought products, and a household's own most bought ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato_models.recommend.history import History
from mercato_models.recommend.metrics import CUT, order


@dataclass(frozen=True, slots=True)
class Popularity:
    """Lines of each product over all households; `products` ascending."""

    products: NDArray[np.int64]
    lines: NDArray[np.int64]

    @classmethod
    def of(cls, histories: list[History]) -> Popularity:
        """Counted over histories."""
        products, lines = np.unique(
            np.concatenate([history.products for history in histories]), return_counts=True
        )
        return cls(products, lines.astype(np.int64))

    def top(self, n: int = CUT) -> list[int]:
        """The products of most lines."""
        best = order(self.lines.astype(np.float64), self.products)[:n]
        return [int(product) for product in self.products[best]]


def personal(history: History, popularity: Popularity, n: int = CUT) -> list[int]:
    """The products of most baskets of the household, then popular ones.

    Among products of equally many of its baskets the more popular ones come first.
    """
    products, counts = np.unique(history.products, return_counts=True)
    lines = popularity.lines[np.searchsorted(popularity.products, products)]
    own = products[order(counts + lines / (1 + popularity.lines.max()), products)[:n]].tolist()
    return [*own, *(product for product in popularity.top(n) if product not in own)][:n]
