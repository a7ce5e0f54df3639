"""How prices stand: what is charged and since when, what was lately, what is in stock, what limits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercato.contracts.events import PriceAction, PriceDecided
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.proposals import HALF_A_CENT, Cell
from mercato.contracts.tables.silver import INVENTORY, PRICE_DECISIONS, PRODUCTS
from mercato.decisions.price import Priced
from mercato.decisions.price_limits import Limits
from mercato_models.price.panel import CELL

_B, _D, _I = BASKET_LINES.c, PRICE_DECISIONS.c, INVENTORY.c
_CELL = list(CELL)
#: Rows of the lake stay rows, as those from before a field was added do not make an event.
_ACCEPT: PriceAction = "accept"
_REJECT: PriceAction = "reject"
_LATELY = timedelta(days=30)
#: Weeks that reach back 30 days and more, the running one among them, and those over which a price is usual.
_LOWEST_WEEKS, _USUAL_WEEKS = 6, 8
_DAY = np.timedelta64(1, "D")
_CENT = 0.01
#: A product that is expected to sell nothing is priced as if it sold this.
_MIN_UNITS = 1e-3


@dataclass(frozen=True)
class Shop:
    """What is known beside the weekly sales.

    Attributes:
        products, baskets, stock, decisions: rows of silver.products, gold.basket_lines, silver.inventory and
            silver.price_decisions. Nobody looks at whose a basket is.
        charged: acceptances whose prices are in force.
        limits: those that the shop wrote down.
    """

    products: pa.Table
    baskets: pa.Table
    stock: pa.Table
    decisions: pa.Table
    charged: Sequence[PriceDecided] = ()
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, read: Callable[[Table], pa.Table], charged: Sequence[PriceDecided], limits: Limits) -> Shop:
        """With the tables that a lake reads."""
        products, baskets, stock, decisions = map(read, (PRODUCTS, BASKET_LINES, INVENTORY, PRICE_DECISIONS))
        return cls(products, baskets, stock, decisions, charged, limits)


@dataclass(frozen=True)
class Standing:
    """What is known of products in stores.

    Attributes:
        charged: acceptances in force.
        lowest: least price of 30 days that a basket was charged or somebody decided on.
        first: when a proposal was accepted for the first time, and the price that it replaced.
        withdrawn: when an acceptance was taken back last.
        on_hand: units, by the newest count or delivery and what was sold since.
        limits: those that the shop wrote down.
        now: of which all of this is.
    """

    charged: Mapping[Cell, PriceDecided]
    lowest: Mapping[Cell, float]
    first: Mapping[Cell, tuple[datetime, float]]
    withdrawn: Mapping[Cell, datetime]
    on_hand: Mapping[Cell, float]
    limits: Limits
    now: datetime

    @classmethod
    def of(cls, shop: Shop, now: datetime) -> Standing:
        """Of a shop now."""
        lowest = _paid(shop.baskets)
        first: dict[Cell, tuple[datetime, float]] = {}
        withdrawn: dict[Cell, datetime] = {}
        for each in _decided(shop):
            cell = each[_D.product_id], each[_D.store_id]
            if each[_D.action] == _ACCEPT:
                accepted = each[_D.event_time], each[_D.price]
                first[cell] = min(accepted, first.get(cell, accepted))
            if each[_D.event_time] <= now - _LATELY:
                continue
            prices = [each[_D.proposed_price], lowest.get(cell, np.inf)]
            if each[_D.action] == _ACCEPT:
                # Until then the price before it was charged.
                prices.append(each[_D.price])
            else:
                withdrawn[cell] = max(each[_D.event_time], withdrawn.get(cell, each[_D.event_time]))
            lowest[cell] = min(prices)
        charged = {(each.product_id, each.store_id): each for each in shop.charged}
        on_hand = _on_hand(shop.stock, shop.baskets)
        return cls(charged, lowest, first, withdrawn, on_hand, shop.limits, now)

    def price(self, cell: Cell, last: float) -> float:
        """What is charged: the price accepted, else the one that the tills took last; in whole cents."""
        accepted = self.charged.get(cell)
        return max(_CENT, round(accepted.proposed_price if accepted else last, 2))

    def stand(
        self,
        cell: Cell,
        prices: NDArray[np.float64],
        began: NDArray[np.datetime64],
        units: float,
        elasticity: tuple[float, float, float],
        cost_share: float,
    ) -> Priced:
        """A product in a store.

        Args:
            prices: of its weeks so far.
            began: when each of these weeks did.
            units: expected at the price that is charged.
            elasticity: the estimate, and the ends of its interval.
        """
        price, limit = self.price(cell, float(prices[-1])), self.limits.of(*cell)
        lately = (price, float(prices[-_LOWEST_WEEKS:].min()), self.lowest.get(cell, np.inf))
        own, low, high = elasticity
        return Priced(
            price=price,
            cost=limit.unit_cost or cost_share * self._usual(cell, prices, began),
            units=max(units, _MIN_UNITS),
            elasticity=own,
            low=low,
            high=high,
            lowest_30_days=max(_CENT, round(min(lately), 2)),
            days_unchanged=self._days_unchanged(cell, prices, began),
            stock=self.on_hand.get(cell),
            minimum_advertised=limit.minimum_advertised,
            ceiling=limit.ceiling,
        )

    def _usual(self, cell: Cell, prices: NDArray[np.float64], began: NDArray[np.datetime64]) -> float:
        """Before any was accepted: else a cost would follow what is proposed because of it."""
        if first := self.first.get(cell):
            accepted, replaced = first
            prices = prices[began < _instant(accepted)]
            if not len(prices):  # training keeps no weeks so old
                return replaced
        return float(np.median(prices[-_USUAL_WEEKS:]))

    def _days_unchanged(self, cell: Cell, prices: NDArray[np.float64], began: NDArray[np.datetime64]) -> int:
        """For sure: the price may have changed on the last day of its first week."""
        if accepted := self.charged.get(cell):
            return (self.now - accepted.event_time).days
        other = np.flatnonzero(np.abs(prices - prices[-1]) > HALF_A_CENT)
        sure = began[int(other[-1]) + 2 :] if len(other) else began
        days = int((_instant(self.now) - sure[0]) / _DAY) if len(sure) else 0
        taken_back = self.withdrawn.get(cell)
        return days if taken_back is None else min(days, (self.now - taken_back).days)


def _instant(time: datetime) -> np.datetime64:
    """As numpy has it, which knows no time zones."""
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def _decided(shop: Shop) -> Iterator[Mapping[str, Any]]:
    """Decisions by which a price changed; the lake may not know the newest yet."""
    rows = shop.decisions.filter(pc.not_equal(shop.decisions[_D.action], _REJECT))
    yield from rows.to_pylist()
    for each in shop.charged:
        yield {name: getattr(each, name) for name in each.__struct_fields__}


def _paid(baskets: pa.Table) -> dict[Cell, float]:
    """The least price per unit in the baskets of the last 30 days, after the loyalty card's discount."""
    if not len(baskets):
        return {}
    since = pc.subtract(pc.max(baskets[_B.basket_time]), pa.scalar(_LATELY))
    lately = baskets.filter(
        pc.and_(pc.greater(baskets[_B.basket_time], since), pc.greater(baskets[_B.quantity], 0))
    )
    taken = pc.add(lately[_B.sales_value], lately[_B.coupon_match_disc])
    price = pc.divide(taken, lately[_B.quantity]).to_pandas()
    cells = lately.select(_CELL).to_pandas()
    return _by_cell(price[price > 0].groupby([cells[name] for name in _CELL]).min())


def _on_hand(stock: pa.Table, baskets: pa.Table) -> dict[Cell, float]:
    counts = stock.select([*_CELL, _I.event_time, _I.event_id, _I.on_hand]).to_pandas()
    newest = counts.sort_values([_I.event_time, _I.event_id]).drop_duplicates(_CELL, keep="last")
    sales = baskets.select([*_CELL, _B.basket_time, _B.quantity]).to_pandas().merge(newest, on=_CELL)
    sold = sales[sales[_B.basket_time] > sales[_I.event_time]].groupby(_CELL)[_B.quantity].sum()
    counted = newest.set_index(_CELL)[_I.on_hand]
    return _by_cell((counted - sold.reindex(counted.index).fillna(0)).clip(lower=0))


def _by_cell(found: pd.Series) -> dict[Cell, float]:
    return dict(zip(found.index.tolist(), map(float, found), strict=True))
