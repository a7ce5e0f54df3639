"""Pooling by blocks against the same normal model written out whole."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from mercato_models.price.pooling import Estimates, negative_log_likelihood, pooled, posterior

Floats = NDArray[np.float64]
COLUMNS = 3
SPREADS = (
    np.array([-2.0, 0.1, np.log(0.3), np.log(0.3), np.log(0.2)]),
    np.array([-1.0, 0.3, np.log(2.0), np.log(0.05), np.log(0.6)]),
)


def estimates(products: int, seed: int = 3) -> Estimates:
    """Some, one of which knows next to nothing."""
    chance = np.random.default_rng(seed)
    roots = chance.normal(size=(products, COLUMNS, COLUMNS)) / 3
    errors = roots @ roots.transpose(0, 2, 1) + 0.01 * np.eye(COLUMNS)
    errors[0] *= 1e5
    return Estimates(chance.normal(-2, 1, (products, COLUMNS)), errors)


def whole(alone: Estimates, category: NDArray[np.int64], spread: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and covariance of all elasticities before anything is seen, and the errors' covariance."""
    products = len(category)
    between, within, apart = np.exp(2 * spread[2:])
    mean = np.tile(np.r_[spread[0], np.full(COLUMNS - 1, spread[1])], products)
    prior = np.kron(np.eye(products), np.diag(np.r_[within, np.full(COLUMNS - 1, apart)]))
    own = np.arange(products) * COLUMNS
    prior[np.ix_(own, own)] += between * (category[:, None] == category)
    errors = np.zeros_like(prior)
    for number, block in enumerate(alone.covariances):
        rows = slice(number * COLUMNS, (number + 1) * COLUMNS)
        errors[rows, rows] = block
    return mean, prior, errors


@pytest.mark.parametrize("spread", SPREADS)
def test_the_likelihood_and_the_posterior_are_those_of_the_whole(spread: Floats) -> None:
    category = np.array([0, 1, 0, 2, 0, 1])
    alone = estimates(len(category))
    mean, prior, errors = whole(alone, category, spread)
    seen = alone.means.ravel()
    likelihood = multivariate_normal(mean, prior + errors).logpdf(seen)
    constant = len(seen) * np.log(2 * np.pi) / 2
    assert negative_log_likelihood(alone, category, spread) == pytest.approx(-likelihood - constant)

    gain = prior @ np.linalg.inv(prior + errors)
    shared = posterior(alone, category, spread)
    assert shared.means.ravel() == pytest.approx(mean + gain @ (seen - mean), abs=1e-8)
    left = (prior - gain @ prior).reshape(len(category), COLUMNS, len(category), COLUMNS)
    for number in range(len(category)):
        assert shared.covariances[number] == pytest.approx(left[number, :, number], abs=1e-8)


def test_a_category_of_thousands_fits_into_memory() -> None:
    alone = estimates(3_000)
    shared = pooled(alone, np.zeros(3_000, np.int64), np.ones((3_000, COLUMNS - 1), np.bool_))
    assert np.linalg.eigvalsh(shared.covariances).min() > 0
