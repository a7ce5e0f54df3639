"""What a pricing policy would have earned, told from sales at the prices that were: off-policy evaluation.

Doubly robust for a continuous action (Kallus and Zhou, AISTATS 2018; Demirer et al., NeurIPS 2019): what the
elasticities foretell, corrected by how far sales were off near the policy's prices. It holds if either the
elasticities or the distribution of the logged prices is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from mercato_models.intervals import Interval
from mercato_models.price.elasticity import Elasticities
from mercato_models.price.nuisances import BLOCK, Expected
from mercato_models.price.shelf import Shelf

Floats = NDArray[np.float64]
#: A row counts at most this often, lest a few rare prices decide.
_MOST = 10.0
#: Half the width of a 95 % interval, in standard errors.
_WIDE = 1.96
#: Deviation of the policy's own log prices: one that always sets the very same price can't be judged.
JITTER = 0.03


@dataclass(frozen=True, slots=True)
class Value:
    """Mean weekly profit of a product in a store, US dollars.

    Attributes:
        gain: over the logged prices, with its 95 % interval.
        direct: what the elasticities alone foretell.
        weighted: what sales at such prices alone tell (self-normalised inverse propensity).
        overlap: effective share of the rows that tell of the policy.
    """

    estimate: float
    gain: Interval
    direct: float
    weighted: float
    overlap: float


def evaluate(shelf: Shelf, expected: Expected, found: Elasticities, log_price: Floats, cost: Floats) -> Value:
    """Value of setting other prices, with a little chance (JITTER) around them.

    Args:
        log_price: the policy's, an element per row; a product's own cross effects on others are left out.
        cost: of a unit, an element per row.

    Raises:
        ValueError: no logged price is near the policy's.
    """
    surprise = shelf.log_price - expected.log_price
    deviation = np.array([surprise[rows].std() for rows in shelf.rows_by_product])[shelf.product]
    if (deviation <= 0).any():
        raise ValueError("prices of some product never moved by chance: nothing is known of other prices")
    own, others = found.own[shelf.product], (shelf.beside(surprise) * found.cross[shelf.product]).sum(axis=1)
    level = expected.log_units + others
    level = level + _calibration(shelf, level + own * surprise)
    usual = norm.pdf(shelf.log_price, expected.log_price, deviation)
    ratio = np.minimum(norm.pdf(shelf.log_price, log_price, JITTER) / usual, _MOST)
    if ratio.sum() == 0:
        raise ValueError("no logged price is near the policy's: take smaller steps")
    # Expected profit over the policy's chance: moments of a lognormal price.
    moved = log_price - expected.log_price
    direct = _earned(level, own, moved, log_price, cost)
    said = (np.exp(shelf.log_price) - cost) * np.exp(level + own * surprise)
    made = (np.exp(shelf.log_price) - cost) * shelf.units
    share = ratio / ratio.mean()
    rows = direct + share * (made - said)
    gain, error = _mean(rows - made, shelf.week // BLOCK)
    return Value(
        float(rows.mean()),
        Interval(gain, gain - _WIDE * error, gain + _WIDE * error),
        float(direct.mean()),
        float((share * made).mean()),
        float(ratio.sum() ** 2 / (ratio**2).sum() / len(ratio)),
    )


def _calibration(shelf: Shelf, level: Floats) -> Floats:
    """Per row the logarithm of a product's sales over what was foretold."""
    sold = np.bincount(shelf.product, shelf.units.astype(np.float64))
    foretold = np.bincount(shelf.product, np.exp(level))
    found: Floats = np.log(np.maximum(sold, 0.5) / foretold)[shelf.product]
    return found


def _earned(level: Floats, own: Floats, moved: Floats, log_price: Floats, cost: Floats) -> Floats:
    units = np.exp(level + own * moved + (own * JITTER) ** 2 / 2)
    takings = np.exp(level + own * moved + log_price + ((own + 1) * JITTER) ** 2 / 2)
    found: Floats = takings - cost * units
    return found


def _mean(rows: Floats, block: NDArray[np.int64]) -> tuple[float, float]:
    """Mean, and its standard error where the rows of a block of weeks depend on each other."""
    _, group = np.unique(block, return_inverse=True)
    sums = np.bincount(group, rows - rows.mean())
    blocks = len(sums)
    return float(rows.mean()), float(np.sqrt((sums**2).sum() * blocks / max(1, blocks - 1)) / len(rows))
