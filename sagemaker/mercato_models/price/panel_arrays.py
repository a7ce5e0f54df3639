"""A price panel as arrays: products, the stores that hold them, and which other products stand beside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models.arrays import Floats, Ints
from mercato_models.price.panel import PANEL

_C = PANEL.c
_YEAR = 52
#: The most sold others of a category whose prices may matter for a product.
MATES = 4


@dataclass(frozen=True)
class PanelArrays:
    """A panel; an element per row unless said otherwise.

    Attributes:
        product_ids: of each product; products are numbered by their place here.
        product, store, week, category: numbers from 0 on but for the week.
        cell: number of the product in its store.
        log_price: of the planned price. What a store's own checkouts took is known in weeks with a sale only,
            and depends on who bought: an elasticity of it would be one of that selection, too.
        mates: products x MATES, numbers of products, -1 where there are fewer.
    """

    product_ids: Ints
    product: Ints
    store: Ints
    week: Ints
    cell: Ints
    units: Ints
    log_price: Floats
    known: Floats
    category: Ints
    mates: Ints

    def __len__(self) -> int:
        return len(self.product)

    @classmethod
    def of(cls, panel: pd.DataFrame) -> PanelArrays:
        """Of a panel that `mercato_models.price.panel.checked` has seen."""
        ids, product = np.unique(panel[_C.product_id].to_numpy(), return_inverse=True)
        _, store = np.unique(panel[_C.store_id].to_numpy(), return_inverse=True)
        _, cell = np.unique(product * (store.max() + 1) + store, return_inverse=True)
        units = panel[_C.units].to_numpy(np.int64)
        _, category = np.unique(panel[_C.category_id].to_numpy(), return_inverse=True)
        of_product = np.zeros(len(ids), np.int64)
        of_product[product] = category
        known = panel[[_C.demand_index, _C.displayed, _C.mailed]].to_numpy(np.float64)
        return cls(
            ids,
            product,
            store,
            panel[_C.week].to_numpy(np.int64),
            cell,
            units,
            np.log(panel[_C.planned_price].to_numpy(np.float64)),
            known,
            category,
            _mates(of_product, np.bincount(product, units)),
        )

    @cached_property
    def rows_by_product(self) -> list[Ints]:
        """For each product the places of its rows."""
        order = np.argsort(self.product, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.product))[:-1])

    @cached_property
    def controls(self) -> Floats:
        """Rows x controls: what moves prices and demand at once, and is known."""
        turn = 2 * np.pi * self.week / _YEAR
        return np.column_stack([self.known, np.sin(turn), np.cos(turn)])

    def beside(self, values: Floats) -> Floats:
        """Rows x MATES: the values of the mates in the same store and week, 0 where they have none."""
        week = self.week - self.week.min()
        grid = np.zeros((len(self.product_ids) + 1, int(self.store.max()) + 1, int(week.max()) + 1))
        grid[self.product, self.store, week] = values
        result: Floats = grid[self.mates[self.product], self.store[:, None], week[:, None]]
        return result


def _mates(category: Ints, sold: NDArray[Any]) -> Ints:
    mates = np.full((len(category), MATES), -1)
    for number in np.unique(category):
        members = np.flatnonzero(category == number)
        members = members[np.argsort(-sold[members], kind="stable")][: MATES + 1]
        for product in np.flatnonzero(category == number):
            others = members[members != product][:MATES]
            mates[product, : len(others)] = others
    return mates
