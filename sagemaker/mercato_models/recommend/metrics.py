"""How good ranked lists are, exactly as the evaluation protocol says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Length of the lists that are judged.
CUT = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean over households, with a 95 % bootstrap interval over them."""

    recall: float
    ndcg: float
    recall_interval: tuple[float, float]
    ndcg_interval: tuple[float, float]
    households: int

    def flat(self, prefix: str = "") -> dict[str, float]:
        """Figures by metric name."""
        return {
            f"{prefix}recall_at_{CUT}": self.recall,
            f"{prefix}recall_at_{CUT}_low": self.recall_interval[0],
            f"{prefix}recall_at_{CUT}_high": self.recall_interval[1],
            f"{prefix}ndcg_at_{CUT}": self.ndcg,
            f"{prefix}ndcg_at_{CUT}_low": self.ndcg_interval[0],
            f"{prefix}ndcg_at_{CUT}_high": self.ndcg_interval[1],
        }


def recall(ranked: Sequence[int], truth: Collection[int]) -> float:
    """Share of the truth among the first CUT."""
    return len(set(ranked[:CUT]) & set(truth)) / len(truth)


def ndcg(ranked: Sequence[int], truth: Collection[int]) -> float:
    """Discounted gain of the first CUT over that of a list with all of the truth in front."""
    wanted = set(truth)
    discounts = 1 / np.log2(np.arange(2, max(CUT, len(wanted)) + 2))
    hits = [discounts[rank] for rank, product in enumerate(ranked[:CUT]) if product in wanted]
    return float(sum(hits) / discounts[: len(wanted)].sum())


def reciprocal_rank(ranked: Sequence[int], truth: Collection[int]) -> float:
    """One over the rank of the first hit among the first CUT, 0 without one."""
    return next((1 / rank for rank, product in enumerate(ranked[:CUT], 1) if product in truth), 0.0)


def order(scores: NDArray[np.floating], product_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions by falling score, ties by product_id."""
    return np.lexsort((product_ids, -scores))


def quality(
    lists: Sequence[Sequence[int]], truths: Sequence[Collection[int]], *, draws: int = 1_000, seed: int = 0
) -> Quality:
    """Judge one list per household.

    Raises:
        ValueError: there is no household, or one without a truth.
    """
    if not truths or not all(truths):
        raise ValueError("every judged household needs at least one true product, and there must be one")
    pairs = list(zip(lists, truths, strict=True))
    each = np.array([(recall(ranked, truth), ndcg(ranked, truth)) for ranked, truth in pairs])
    generator = np.random.default_rng(seed)
    n = len(each)
    means = np.array([each[generator.integers(0, n, n)].mean(axis=0) for _ in range(draws)])
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    mean = each.mean(axis=0)
    return Quality(
        float(mean[0]), float(mean[1]), (float(low[0]), float(high[0])), (float(low[1]), float(high[1])), n
    )
