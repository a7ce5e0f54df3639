"""Regression of counts on a handful of columns, with a ridge and an allowance for overdispersion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato_models.arrays import Floats

_STEPS, _TOLERANCE = 50, 1e-8
_FARTHEST = 2.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights (columns), what they say (rows), and the information that the rows hold about them.

    Attributes:
        dispersion: extra variance, as a share of the squared mean.
    """

    weights: Floats
    means: Floats
    information: Floats
    dispersion: float


def fit_poisson(
    matrix: Floats,
    counts: NDArray[np.generic],
    offset: Floats,
    *,
    ridge: float = 0.0,
    dispersion: float = 0.0,
) -> Fit:
    """Maximise the likelihood of counts around ``exp(offset + matrix @ weights)``.

    Args:
        matrix: rows x columns.
        ridge: added to the diagonal of the information, in units of expected counts.
        dispersion: of the negative binomial distribution; 0 is Poisson's.
    """
    seen = counts.astype(np.float64)
    weights = np.zeros(matrix.shape[1])
    penalty = ridge * np.eye(matrix.shape[1])
    means, information = np.exp(offset), penalty
    for _ in range(_STEPS):
        means = np.exp(np.clip(offset + matrix @ weights, -30, 30))
        share = 1 / (1 + dispersion * means)
        information = (matrix * (means * share)[:, None]).T @ matrix + penalty
        slope = matrix.T @ ((seen - means) * share) - penalty @ weights
        step = np.linalg.lstsq(information, slope, rcond=None)[0]
        step *= min(1.0, _FARTHEST / max(float(np.abs(step).max()), 1e-12))
        weights = weights + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return Fit(weights, means, information, dispersion)


def dispersion_of(counts: NDArray[np.generic], means: Floats, columns: int) -> float:
    """Extra variance as a share of the squared mean, by moments; never below 0."""
    beyond = (counts.astype(np.float64) - means) ** 2 - means
    rows = len(means)
    return max(0.0, float(beyond.sum() / (means**2).sum()) * rows / max(1, rows - columns))
