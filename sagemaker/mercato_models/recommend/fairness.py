"""Whether the lists of all groups of people hold what they buy alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from mercato_models import fairness
from mercato_models.fairness import Ratio
from mercato_models.gate import Verdict
from mercato_models.recommend.metrics import CUT, ndcg, recall

RECALL, NDCG = f"R@{CUT}", f"nDCG@{CUT}"


def ratios(
    lists: Sequence[Sequence[int]], truths: Sequence[Collection[int]], groups: pd.DataFrame | None
) -> list[Ratio]:
    """Least ratio between two groups of each measure's mean.

    Args:
        lists, truths: one per household.
        groups: band of each of these households by attribute; `None` if nobody is known.
    """
    if groups is None:
        return []
    pairs = list(zip(lists, truths, strict=True))
    values = {
        name: np.array([each(*pair) for pair in pairs]) for name, each in ((RECALL, recall), (NDCG, ndcg))
    }
    return fairness.ratios_of_means(values, groups, range(len(pairs)))


def verdict(ratios: Sequence[Ratio]) -> Verdict:
    """Refuses a model whose lists surely hold less of what one group buys than of what another does."""
    return fairness.verdict(ratios, RECALL)
