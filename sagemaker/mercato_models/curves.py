"""Areas under the ROC and the precision-recall curve, of weighted rows."""

from __future__ import annotations

import numpy as np

from mercato_models.arrays import Floats, Floats32


class Curve:
    """Labels in the order of their scores, so that many weightings cost no further sort.

    Args:
        labels: 1 or 0 per row.
        scores: higher is likelier 1; equal scores count as one threshold.
    """

    def __init__(self, labels: Floats32, scores: Floats32) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._labels = labels[self._order].astype(np.float64)
        self._starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def auc(self, weights: Floats | None = None) -> float:
        """Probability that a positive row stands above a negative one; ties count half. NaN without both."""
        positives, negatives = self._by_threshold(weights)
        total = positives.sum() * negatives.sum()
        below = negatives.sum() - negatives.cumsum()
        return float((positives * (below + negatives / 2)).sum() / total) if total else float("nan")

    def average_precision(self, weights: Floats | None = None) -> float:
        """Precision at each threshold, weighted by the recall it adds. NaN without a positive row."""
        positives, negatives = self._by_threshold(weights)
        hits = positives.cumsum()
        seen = hits + negatives.cumsum()
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return float((positives * precision).sum() / hits[-1]) if hits[-1] else float("nan")

    def _by_threshold(self, weights: Floats | None) -> tuple[Floats, Floats]:
        weights = np.ones(len(self._labels)) if weights is None else weights[self._order]
        positives = np.add.reduceat(weights * self._labels, self._starts)
        return positives, np.add.reduceat(weights, self._starts) - positives
