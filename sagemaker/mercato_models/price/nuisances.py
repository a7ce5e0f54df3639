"""What demand and prices were to be expected without the prices' own moves.

The first stage of double machine learning (Chernozhukov et al., The Econometrics Journal 21, 2018),
cross-fitted over blocks of weeks: what is expected in a block is never learned from that block. A ridge
regression on a wide basis of the controls learns from all products together, then one per product what is
particular to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.poisson import fit_poisson

#: From columns, values, an offset and a ridge to weights of the columns.
Learn = Callable[[Floats, Floats, Floats, float], Floats]
#: Weeks that are left out together: sales of adjacent weeks resemble each other.
BLOCK = 4
#: Units of a product never sold in a store, lest their logarithm be infinite.
_MIN_UNITS = 1e-3
#: Deviations beyond which a control tells no more.
_FARTHEST = 3.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the first stage; found on simulated chains with seeds from 1000 on.

    Attributes:
        folds: sets of blocks that are left out in turn.
        pooled, particular: ridge of all products' regression and of each one's.
    """

    folds: int = 8
    pooled: float = 10.0
    particular: float = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """Out-of-fold expectations, an element per row of the panel.

    Attributes:
        log_units: logarithm of the expected units, whatever the price.
    """

    log_price: Floats
    log_units: Floats


def expect(arrays: PanelArrays, settings: Settings) -> Expected:
    """Expectations of every row."""
    fold = arrays.week // BLOCK % settings.folds
    basis, units = _basis(arrays.controls), arrays.units.astype(np.float64)
    log_price, log_units = np.zeros(len(arrays)), np.zeros(len(arrays))
    for out in np.unique(fold):
        learned = fold != out
        usual = _means(arrays.log_price, arrays.cell, learned)
        priced = _twice(arrays, basis, arrays.log_price, usual, learned, settings, _ridge)
        sold = np.log(np.maximum(_means(units, arrays.cell, learned), _MIN_UNITS))
        wanted = _twice(arrays, basis, units, sold, learned, settings, _counts)
        log_price[~learned], log_units[~learned] = priced[~learned], wanted[~learned]
    return Expected(log_price, log_units)


def _twice(
    arrays: PanelArrays,
    basis: Floats,
    values: Floats,
    usual: Floats,
    learned: Mask,
    settings: Settings,
    learn: Learn,
) -> Floats:
    """`usual`, corrected by what all products learn together, then by what each one learns."""
    expected = usual + basis @ learn(basis[learned], values[learned], usual[learned], settings.pooled)
    for rows in arrays.rows_by_product:
        # Levels of stores are learned anew beside the controls, whose means differ between stores.
        stores = arrays.store[rows, None] == np.unique(arrays.store[rows])
        matrix, train = np.column_stack([basis[rows], stores]), learned[rows]
        if train.any():
            weights = learn(matrix[train], values[rows][train], expected[rows][train], settings.particular)
            expected[rows] += matrix @ weights
    return np.asarray(expected, np.float64)


def _ridge(matrix: Floats, values: Floats, offset: Floats, ridge: float) -> Floats:
    square = matrix.T @ matrix + ridge * np.eye(matrix.shape[1])
    return np.asarray(np.linalg.solve(square, matrix.T @ (values - offset)), np.float64)


def _counts(matrix: Floats, values: Floats, offset: Floats, ridge: float) -> Floats:
    return fit_poisson(matrix, values, offset, ridge=ridge).weights


def _means(values: Floats, cell: Ints, learned: Mask) -> Floats:
    """Per row the mean of its cell over learned rows, that of all learned rows where it has none."""
    size = int(cell.max()) + 1
    count = np.bincount(cell[learned], minlength=size)
    total = np.bincount(cell[learned], values[learned], minlength=size)
    means = np.where(count > 0, total / np.maximum(count, 1), values[learned].mean())
    result: Floats = means[cell]
    return result


def _basis(controls: Floats) -> Floats:
    """1 and Hermite polynomials to the second degree of each control that varies."""
    deviation = controls.std(axis=0)
    scaled = (controls - controls.mean(axis=0))[:, deviation > 0] / deviation[deviation > 0]
    scaled = np.clip(scaled, -_FARTHEST, _FARTHEST)
    return np.column_stack([np.ones(len(scaled)), scaled, scaled**2 - 1])
