"""From scores to probabilities that come true as often as they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from mercato_models.arrays import Floats, Floats32

_EDGE = 1e-6
#: Keeps the slopes near 1 where few labels speak against it.
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """Beta calibration (Kull et al., 2017): logit q = a ln p - b ln(1 - p) + c; Platt's is a = b."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __call__(self, scores: Floats32) -> Floats32:
        """Probabilities; where a and b are positive, as `fit` finds them, the order stays."""
        upper, lower = _logs(scores)
        calibrated: Floats32 = _sigmoid(self.a * upper + self.b * lower + self.c).astype(np.float32)
        return calibrated


def fit(scores: Floats32, labels: Floats32) -> Calibration:
    """Fit by maximum likelihood on scores of rows that the model did not learn from."""
    upper, lower = _logs(scores)

    def loss(weights: Floats) -> float:
        logits = weights[0] * upper + weights[1] * lower + weights[2]
        likelihood = np.logaddexp(0, logits) - labels * logits
        return float(likelihood.mean() + _RIDGE * ((weights[:2] - 1) ** 2).sum())

    result = minimize(loss, np.array([1.0, 1.0, 0.0]), bounds=[(0.05, None), (0.05, None), (None, None)])
    return Calibration(*(float(value) for value in result.x))


def expected_error(labels: Floats32, probabilities: Floats32, bins: int = 10) -> float:
    """Expected calibration error over bins of equal counts: mean |observed - predicted|, 0 to 1."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(float(labels[part].mean() - probabilities[part].mean())) for part in parts]
    return sum(gaps) / len(labels)


def _logs(scores: Floats32) -> tuple[Floats, Floats]:
    inside = np.clip(scores.astype(np.float64), _EDGE, 1 - _EDGE)
    return np.log(inside), -np.log1p(-inside)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values)))
