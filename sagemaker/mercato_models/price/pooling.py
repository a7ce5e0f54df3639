"""Products inform each other: empirical Bayes over normal estimates with known errors.

Own elasticities vary about their category's, categories about a common mean, cross elasticities about one of
their own. How much is found by maximum likelihood; that it is not known exactly widens what comes out (Kass
and Steffey, Journal of the American Statistical Association 84, 1989).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from mercato_models.arrays import Floats, Ints, Mask

#: Where the search for the spread begins, and how far it may go: means, then logarithms of deviations.
_START = np.array([-2.0, 0.1, np.log(0.3), np.log(0.3), np.log(0.2)])
_BOUNDS = ((-10.0, 5.0), (-2.0, 2.0), (-4.0, 1.5), (-4.0, 1.5), (-4.0, 1.5))
#: Step of numerical derivatives in the spread.
_STEP = 1e-2


@dataclass(frozen=True, slots=True)
class Estimates:
    """Per product its own elasticity and then those by its mates' prices; `covariances` of their errors."""

    means: Floats
    covariances: Floats


def pooled(alone: Estimates, category: Ints, exists: Mask) -> Estimates:
    """Posterior means and covariances, by the spread that makes the estimates likeliest.

    Args:
        exists: products x mates, whether there is such a mate.
    """
    _, category = np.unique(category, return_inverse=True)

    def cost(spread: Floats) -> float:
        return negative_log_likelihood(alone, category, spread)

    spread = minimize(cost, _START, method="L-BFGS-B", bounds=_BOUNDS).x
    shared = posterior(alone, category, spread)
    steps = _STEP * np.eye(len(spread))
    after, before = (
        np.stack([posterior(alone, category, spread + sign * step).means for step in steps], axis=-1)
        for sign in (1, -1)
    )
    moves = (after - before) / (2 * _STEP)
    unsure = _covariance(cost, spread)
    means, covariances = shared.means, shared.covariances + np.einsum("pik,kl,pjl->pij", moves, unsure, moves)
    means[:, 1:][~exists] = 0.0
    return Estimates(means, covariances)


def negative_log_likelihood(alone: Estimates, category: Ints, spread: Floats) -> float:
    """Negative logarithm of the estimates' likelihood, but for a constant.

    Args:
        category: of each product, from 0.
        spread: mean of own and of cross elasticities; logarithms of the deviations of own ones between
            categories and within one, and of cross ones.
    """
    seen = _Seen.of(alone, category, spread)
    determinants = np.linalg.slogdet(seen.inverse)[1].sum() - np.log1p(seen.between * seen.weight).sum()
    squares = np.einsum("pi,pij,pj->", seen.off, seen.inverse, seen.off) - (seen.share * seen.pull**2).sum()
    return float(squares - determinants) / 2


def posterior(alone: Estimates, category: Ints, spread: Floats) -> Estimates:
    """What a spread and the estimates say together of each product (arguments as before)."""
    seen = _Seen.of(alone, category, spread)
    share, within = seen.share[category], seen.within
    solved = np.einsum("pij,pj->pi", seen.inverse, seen.off)
    solved -= (share * seen.pull[category])[:, None] * seen.own
    means = seen.mean + within * solved
    means[:, 0] += seen.between * np.bincount(category, solved[:, 0])[category]
    inner = seen.inverse - share[:, None, None] * seen.own[:, :, None] * seen.own[:, None, :]
    covariances = np.diag(within) - within[:, None] * inner * within
    shifts = share[:, None] * within * seen.own
    covariances[:, :, 0] -= shifts
    covariances[:, 0, :] -= shifts
    covariances[:, 0, 0] += share
    return Estimates(means, covariances)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Estimates under a spread, of which only a category's own mean ties products together.

    So the covariance of a category's estimates is a block for each product plus a matrix of rank one. Its
    inverse and determinant follow from the blocks' (Sherman and Morrison, Annals of Mathematical Statistics
    21, 1950), in time and memory proportional to the products.

    Attributes:
        mean: of the elasticities, by column.
        off: products x columns, estimates less that mean.
        within: variances of the elasticities about their category's mean, by column.
        between: variance of categories' own elasticities.
        inverse: products x columns x columns, of the blocks.
        own: its column of the own elasticity.
        weight: by category the sum of its own-by-own elements.
        pull: by category the products' weighed distance from the mean.
    """

    mean: Floats
    off: Floats
    within: Floats
    between: float
    inverse: Floats
    own: Floats
    weight: Floats
    pull: Floats

    @classmethod
    def of(cls, alone: Estimates, category: Ints, spread: Floats) -> _Seen:
        mates = alone.means.shape[1] - 1
        between, within, apart = np.exp(2 * spread[2:])
        mean = np.r_[spread[0], np.full(mates, spread[1])]
        variances = np.r_[within, np.full(mates, apart)]
        off = alone.means - mean
        inverse = np.linalg.inv(alone.covariances + np.diag(variances))
        own = inverse[:, :, 0]
        weight: Floats = np.bincount(category, own[:, 0]).astype(np.float64)
        pull: Floats = np.bincount(category, (own * off).sum(axis=1)).astype(np.float64)
        return cls(mean, off, variances, float(between), inverse, own, weight, pull)

    @property
    def share(self) -> Floats:
        """By category the variance that is left of its own mean, once the estimates are seen."""
        left: Floats = self.between / (1 + self.between * self.weight)
        return left


def _covariance(cost: Callable[[Floats], float], spread: Floats) -> Floats:
    """Of the spread: the inverse of the cost's curvature, where that curves upward."""
    steps = _STEP * np.eye(len(spread))
    curvature = np.array(
        [
            [
                cost(spread + a + b) - cost(spread + a - b) - cost(spread - a + b) + cost(spread - a - b)
                for b in steps
            ]
            for a in steps
        ]
    ) / (4 * _STEP**2)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # A direction in which the likelihood is flat moves the estimates little; it may not blow them up.
    result: Floats = (vectors / np.maximum(values, 0.5)) @ vectors.T
    return result
