"""Chance that depends only on what it is about, never on the order in which it is asked.

A simulated basket draws the same numbers whichever chunk, subset of time or resumed run it is made in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Change it to simulate another year around the same baskets.
SEED = 20_170_101


def mix(*columns: Any, seed: int = SEED) -> NDArray[np.uint64]:
    """64 random bits for each row of integer columns (splitmix64 over the columns in turn)."""
    state = np.full(np.broadcast_shapes(*(np.shape(column) for column in columns)), seed, np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            state = (state ^ np.asarray(column).astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state ^= state >> np.uint64(31)
    return state


def uniform(*columns: Any, seed: int = SEED) -> NDArray[np.float64]:
    """A number in [0, 1) for each row."""
    return (mix(*columns, seed=seed) >> np.uint64(11)).astype(np.float64) / 2**53


def below(limit: Any, *columns: Any, seed: int = SEED) -> NDArray[np.int64]:
    """An integer in [0, limit) for each row; `limit` may be a column."""
    drawn = mix(*columns, seed=seed) % np.asarray(limit).astype(np.uint64)
    return drawn.astype(np.int64)
