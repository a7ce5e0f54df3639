"""What a recommender must beat: the most bought products, and a household's own most bought ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercato_models.recommend.history import History
from mercato_models.recommend.metrics import CUT, order


def popular(counts: tuple[NDArray[np.int64], NDArray[np.int64]], n: int = CUT) -> list[int]:
    """The n products of most lines.

    Args:
        counts: product ids, and lines of each.
    """
    products, lines = counts
    return [int(product) for product in products[order(lines.astype(np.float64), products)[:n]]]


def line_counts(histories: list[History]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lines of each product over all histories, as `popular` takes them."""
    lines = [history.products for history in histories]
    products, counts = np.unique(np.concatenate(lines), return_counts=True)
    return products, counts.astype(np.int64)


def personal(history: History, fill: list[int], n: int = CUT) -> list[int]:
    """The n products of most baskets of the household, filled up with popular ones."""
    products, counts = np.unique(history.products, return_counts=True)
    own = products[order(counts.astype(np.float64), products)[:n]].tolist()
    return [*own, *(product for product in fill if product not in own)][:n]
