"""What a pricing policy would have earned, told from sales at the prices that were: off-policy evaluation.

Doubly robust for a continuous action (Kallus and Zhou, AISTATS 2018; Demirer et al., NeurIPS 2019): what the
elasticities predict, corrected by how far sales were off near the policy's prices. It holds if either the
elasticities or the distribution of the logged prices is right. Elasticities are learned on other weeks than
those that they are judged on, and so must the policy be: what it gained by chance where it was made, it does
not gain elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.intervals import Interval
from mercato_models.price.elasticity import Elasticities, learn
from mercato_models.price.nuisances import BLOCK, Expected
from mercato_models.price.panel_arrays import PanelArrays

#: A row counts at most this often, lest a few rare prices decide.
_MAX_RATIO = 10.0
#: Sets of blocks of weeks that are judged in turn, by what the others taught.
FOLDS = 4
#: Deviation of the policy's own log prices: one that always sets the very same price cannot be judged.
JITTER = 0.03


@dataclass(frozen=True, slots=True)
class Fold:
    """Weeks that are judged, and what was learned without them.

    Attributes:
        judged: rows of the panel.
    """

    judged: Mask
    found: Elasticities


@dataclass(frozen=True, slots=True)
class Value:
    """Mean weekly profit of a product in a store, US dollars.

    Attributes:
        gain: over the other prices, with its 95 % interval.
        direct: what the elasticities alone predict.
        weighted: what sales at such prices alone tell (self-normalised inverse propensity).
        overlap: effective share of the rows that tell of the policy.
    """

    estimate: float
    gain: Interval
    direct: float
    weighted: float
    overlap: float


@dataclass(frozen=True, slots=True)
class _Logged:
    """What happened and what is expected, an element per row that counts.

    Attributes:
        usual: mean of the log price.
        deviation: of it, by chance.
        own: the product's elasticity.
        level: expected log units at the usual price.
    """

    log_price: Floats
    units: Ints
    cost: Floats
    usual: Floats
    deviation: Floats
    own: Floats
    level: Floats

    @property
    def made(self) -> Floats:
        """Profit."""
        result: Floats = (np.exp(self.log_price) - self.cost) * self.units
        return result


@dataclass(frozen=True, slots=True)
class _Told:
    """What a policy earns, an element per row: doubly robust, and by its two parts alone.

    Attributes:
        ratio: how often each row counts.
    """

    both: Floats
    direct: Floats
    weighted: Floats
    ratio: Floats


def crossfit(arrays: PanelArrays, expected: Expected) -> list[Fold]:
    """Folds that cover every row once."""
    fold = arrays.week // BLOCK % FOLDS
    numbers = np.unique(fold)
    return [Fold(fold == number, learn(arrays, expected, fold != number)) for number in numbers]


def evaluate(
    arrays: PanelArrays,
    expected: Expected,
    folds: Sequence[Fold],
    log_price: Floats,
    cost: Floats,
    *,
    before: Floats | None = None,
    among: Mask | None = None,
) -> Value:
    """Value of setting other prices, with a little chance (JITTER) around them.

    Args:
        folds: what `crossfit` makes; the policy's prices in a fold's weeks should rest on that fold's
            elasticities.
        log_price: the policy's, an element per row; a product's own cross effects on others are left out.
        cost: of a unit, an element per row.
        before: another policy's log prices, over which the gain is counted; the logged prices by default.
        among: rows that count; all by default.

    Raises:
        ValueError: no logged price is near a policy's, or too few weeks are judged.
    """
    among = np.ones(len(arrays), np.bool_) if among is None else among
    logged = _logged(arrays, expected, folds, cost, among)
    estimates = _told(logged, log_price[among])
    other = logged.made if before is None else _told(logged, before[among]).both
    return Value(
        float(estimates.both.mean()),
        by_blocks(estimates.both - other, arrays.week[among] // BLOCK),
        float(estimates.direct.mean()),
        float(estimates.weighted.mean()),
        float(estimates.ratio.sum() ** 2 / (estimates.ratio**2).sum() / len(estimates.ratio)),
    )


def _logged(
    arrays: PanelArrays, expected: Expected, folds: Sequence[Fold], cost: Floats, among: Mask
) -> _Logged:
    residual = arrays.log_price - expected.log_price
    deviation = np.array([residual[rows].std() for rows in arrays.rows_by_product])[arrays.product]
    if (deviation[among] <= 0).any():
        raise ValueError("prices of some product never moved by chance: nothing is known of other prices")
    own, others, beside = np.zeros(len(arrays)), np.zeros(len(arrays)), arrays.beside(residual)
    for fold in folds:
        product = arrays.product[fold.judged]
        own[fold.judged] = fold.found.own[product]
        others[fold.judged] = (beside[fold.judged] * fold.found.cross[product]).sum(axis=1)
    level = expected.log_units + others
    # Over all rows: those of all weeks say how much a product sells.
    level = level + _calibration(arrays, level + own * residual)
    return _Logged(
        arrays.log_price[among],
        arrays.units[among],
        cost[among],
        expected.log_price[among],
        deviation[among],
        own[among],
        level[among],
    )


def _told(logged: _Logged, log_price: Floats) -> _Told:
    density = norm.pdf(logged.log_price, logged.usual, logged.deviation)
    ratio = np.minimum(norm.pdf(logged.log_price, log_price, JITTER) / density, _MAX_RATIO)
    if ratio.sum() == 0:
        raise ValueError("no logged price is near the policy's: take smaller steps")
    # Expected profit over the policy's chance: moments of a lognormal price.
    direct = _earned(logged.level, logged.own, log_price - logged.usual, log_price, logged.cost)
    foreseen = logged.level + logged.own * (logged.log_price - logged.usual)
    modelled = (np.exp(logged.log_price) - logged.cost) * np.exp(foreseen)
    share = ratio / ratio.mean()
    return _Told(direct + share * (logged.made - modelled), direct, share * logged.made, ratio)


def _calibration(arrays: PanelArrays, level: Floats) -> Floats:
    """Per row the logarithm of a product's sales over what was predicted."""
    sold = np.bincount(arrays.product, arrays.units.astype(np.float64))
    predicted = np.bincount(arrays.product, np.exp(level))
    result: Floats = np.log(np.maximum(sold, 0.5) / predicted)[arrays.product]
    return result


def _earned(level: Floats, own: Floats, moved: Floats, log_price: Floats, cost: Floats) -> Floats:
    units = np.exp(level + own * moved + (own * JITTER) ** 2 / 2)
    revenue = np.exp(level + own * moved + log_price + ((own + 1) * JITTER) ** 2 / 2)
    result: Floats = revenue - cost * units
    return result


def by_blocks(rows: Floats, block: Ints) -> Interval:
    """Mean of rows that depend on each other within a block of weeks, with its 95 % interval.

    Raises:
        ValueError: there is only one block.
    """
    _, group = np.unique(block, return_inverse=True)
    sums = np.bincount(group, rows - rows.mean())
    if (blocks := len(sums)) < 2:
        raise ValueError(f"one block of {BLOCK} weeks says nothing of how much weeks differ")
    error = np.sqrt((sums**2).sum() * blocks / (blocks - 1)) / len(rows)
    mean, reach = float(rows.mean()), float(t.ppf(0.975, blocks - 1) * error)
    return Interval(mean, mean - reach, mean + reach)
