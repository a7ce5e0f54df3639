"""A chain of stores whose elasticities are known, and whose prices follow demand.

Demand of a product in a store and week is a count around
``exp(base + lift * promotion + answer(index) + own * log(price) + sum(cross * log(other price)))``. Whoever
sets the prices sees the demand index and raises prices as it rises, so that sales regressed on prices alone
show too small an elasticity. Prices also move by chance, which is what elasticities are learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.price.panel import PANEL

_C = PANEL.c
#: When the first week began.
_START = pd.Timestamp("2017-01-01", tz="UTC")


@dataclass(frozen=True, slots=True)
class Chain:
    """What is simulated.

    Attributes:
        category: products in each category.
        own: mean own-price elasticity; its deviation between categories, and within one.
        cross: cross-price elasticities are drawn evenly from 0 to this.
        units: median weekly units of a product in a store.
        noise: deviation of a week's log demand beyond what the count itself varies.
        chance: deviation of log prices that follows nothing.
        follows: the most by which a log price follows demand.
    """

    categories: int = 12
    category: int = 5
    stores: int = 24
    weeks: int = 52
    own: tuple[float, float, float] = (-2.2, 0.45, 0.35)
    cross: float = 0.3
    units: float = 10.0
    noise: float = 0.25
    chance: float = 0.1
    follows: float = 0.2


@dataclass(frozen=True, slots=True)
class World:
    """A simulated chain. Arrays are products x stores x weeks unless said otherwise.

    Attributes:
        elasticity: products x products: by how many percent demand of the row's product rises as the price
            of the column's product rises by one; 0 outside of a category.
        drift: log demand at a price of 1 dollar for every product.
        index: the demand index.
        log_price, units: what was charged and sold.
        promoted: whether it was.
    """

    elasticity: Floats
    drift: Floats
    index: Floats
    log_price: Floats
    units: Ints
    promoted: Mask
    category: Ints

    def expected(self, log_price: Floats) -> Floats:
        """Expected units at other prices (as `log_price`), all else as it was."""
        means: Floats = np.exp(self.drift + np.einsum("pq,qsw->psw", self.elasticity, log_price))
        return means

    @property
    def panel(self) -> pd.DataFrame:
        """What a retailer would have recorded, who has a list of prices; promotions are displays."""
        product, store, week = np.indices(self.units.shape).reshape(3, -1)
        price = np.exp(self.log_price).ravel()
        return pd.DataFrame(
            {
                _C.product_id: product,
                _C.store_id: store,
                _C.week: week.astype(np.int32),
                _C.began: _START + pd.to_timedelta(7 * week, unit="D"),
                _C.category_id: self.category[product],
                _C.units: self.units.ravel(),
                _C.price: price,
                _C.planned_price: price,
                _C.displayed: self.promoted.ravel(),
                _C.mailed: False,
                _C.demand_index: self.index.ravel(),
            }
        )


def simulate(seed: int, chain: Chain | None = None) -> World:
    """Draw a chain."""
    chain = chain or Chain()
    draw = np.random.default_rng(seed)
    products = chain.categories * chain.category
    category = np.repeat(np.arange(chain.categories), chain.category)
    elasticity = _elasticities(draw, chain, category)
    index = _index(draw, chain)[category]
    shape = index.shape
    rare = 1 / (1 + np.exp(2 + 0.5 * index))
    promoted = draw.random(shape) < rare
    log_price = (
        draw.normal(np.log(3.0), 0.4, (products, 1, 1))
        + draw.normal(0, 0.05, (1, chain.stores, 1))
        + draw.uniform(chain.follows / 4, chain.follows, (products, 1, 1)) * np.tanh(index)
        - draw.uniform(0.1, 0.3, shape) * promoted
        + _persistent(draw, shape, chain.chance, 0.6)
    )
    answer = draw.normal(0.3, 0.1, (products, 1, 1)) * (index + 0.3 * (index**2 - 1))
    lift = draw.normal(0.5, 0.15, (products, 1, 1)) * promoted
    drift = answer + lift + draw.normal(0, 0.2, (products, chain.stores, 1))
    drift += draw.normal(0, 0.4, (1, chain.stores, 1))
    level = np.log(chain.units) + draw.normal(0, 0.5, (products, 1, 1))
    drift += level - np.einsum("pq,qsw->psw", elasticity, log_price).mean(axis=(1, 2), keepdims=True)
    drift += draw.normal(0, chain.noise, shape)
    world = World(elasticity, drift, index, log_price, np.empty(0, np.int64), promoted, category)
    units = draw.poisson(world.expected(log_price))
    return World(elasticity, drift, index, log_price, units, promoted, category)


def _elasticities(draw: np.random.Generator, chain: Chain, category: Ints) -> Floats:
    mean, between, within = chain.own
    own = draw.normal(mean, between, chain.categories)[category] + draw.normal(0, within, len(category))
    together = category[:, None] == category[None, :]
    matrix = np.where(together, draw.uniform(0, chain.cross, together.shape), 0.0)
    np.fill_diagonal(matrix, np.minimum(own, -0.3))
    return matrix


def _index(draw: np.random.Generator, chain: Chain) -> Floats:
    """Categories x stores x weeks, with about unit variance: seasons, the store's traffic, the category's."""
    season = np.sin(2 * np.pi * (np.arange(chain.weeks) / 52 + draw.random((chain.categories, 1, 1))))
    traffic = _persistent(draw, (1, chain.stores, chain.weeks), 0.5, 0.8)
    shape = (chain.categories, chain.stores, chain.weeks)
    index: Floats = 0.8 * season + traffic + _persistent(draw, shape, 0.6, 0.7)
    return index


def _persistent(draw: np.random.Generator, shape: tuple[int, ...], deviation: float, keeps: float) -> Floats:
    """Stationary autoregressive series along the last axis."""
    shocks = draw.normal(0, deviation * np.sqrt(1 - keeps**2), shape)
    shocks[..., 0] /= np.sqrt(1 - keeps**2)
    for week in range(1, shape[-1]):
        shocks[..., week] += keeps * shocks[..., week - 1]
    return shocks
