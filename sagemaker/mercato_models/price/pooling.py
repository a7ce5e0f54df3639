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
    groups = [np.flatnonzero(category == number) for number in np.unique(category)]

    def cost(spread: Floats) -> float:
        return sum(_negative_log_likelihood(*_stacked(alone, members), spread) for members in groups)

    spread = minimize(cost, _START, method="L-BFGS-B", bounds=_BOUNDS).x
    means, covariances = _posterior(alone, groups, spread)
    moves = np.stack(
        [
            (_posterior(alone, groups, spread + step)[0] - _posterior(alone, groups, spread - step)[0])
            / (2 * _STEP)
            for step in _STEP * np.eye(len(spread))
        ],
        axis=-1,
    )
    unsure = _covariance(cost, spread)
    covariances += np.einsum("pik,kl,pjl->pij", moves, unsure, moves)
    means[:, 1:][~exists] = 0.0
    return Estimates(means, covariances)


def _prior(spread: Floats, products: int, columns: int) -> tuple[Floats, Floats]:
    """Mean and covariance of a category's elasticities, product after product.

    Args:
        spread: mean of own and of cross elasticities; logarithms of the deviations of own ones between
            categories and within one, and of cross ones.
    """
    between, within, apart = np.exp(spread[2:])
    mean = np.tile(np.r_[spread[0], np.full(columns - 1, spread[1])], products)
    own = np.arange(products) * columns
    covariance = np.eye(products * columns) * apart**2
    covariance[own, own] = within**2
    covariance[np.ix_(own, own)] += between**2
    return mean, covariance


def _negative_log_likelihood(seen: Floats, errors: Floats, products: int, spread: Floats) -> float:
    """Negative logarithm of the likelihood of a category's estimates."""
    mean, prior = _prior(spread, products, len(seen) // products)
    lower = np.linalg.cholesky(prior + errors)
    off = np.linalg.solve(lower, seen - mean)
    return float(np.log(np.diag(lower)).sum() + off @ off / 2)


def _posterior(alone: Estimates, groups: list[Ints], spread: Floats) -> tuple[Floats, Floats]:
    columns = alone.means.shape[1]
    means, covariances = np.empty_like(alone.means), np.empty_like(alone.covariances)
    for members in groups:
        seen, errors, products = _stacked(alone, members)
        mean, prior = _prior(spread, products, columns)
        gain = np.linalg.solve(prior + errors, prior).T
        means[members] = (mean + gain @ (seen - mean)).reshape(products, columns)
        rest = (prior - gain @ prior).reshape(products, columns, products, columns)
        covariances[members] = rest[np.arange(products), :, np.arange(products)]
    return means, covariances


def _stacked(alone: Estimates, members: Ints) -> tuple[Floats, Floats, int]:
    """A category's estimates one after another, their errors, and how many products it has."""
    products, columns = len(members), alone.means.shape[1]
    errors = np.zeros((products, columns, products, columns))
    errors[np.arange(products), :, np.arange(products)] = alone.covariances[members]
    return alone.means[members].ravel(), errors.reshape(products * columns, -1), products


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
