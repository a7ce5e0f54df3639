"""A household's recent baskets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.tables.features import HOUSEHOLD_HISTORY

_C = HOUSEHOLD_HISTORY.c


@dataclass(frozen=True, slots=True)
class History:
    """Recent baskets, oldest first.

    Attributes:
        basket_times: seconds since 1970; basket_stores, basket_sizes: one element per basket.
        products: the baskets' products one after another; quantities, values (US dollars) beside it.
    """

    basket_times: NDArray[np.int64]
    basket_stores: NDArray[np.int64]
    basket_sizes: NDArray[np.int64]
    products: NDArray[np.int64]
    quantities: NDArray[np.float32]
    values: NDArray[np.float32]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> History:
        """From the columns of gold.household_history; a null list is an empty one.

        Raises:
            ValueError: the lists do not fit together.
        """
        return cls.of(*(row[name] for name in HISTORY_COLUMNS))

    @classmethod
    def of(
        cls,
        basket_times: Sequence[int] | NDArray[Any] | None = None,
        basket_stores: Sequence[int] | NDArray[Any] | None = None,
        basket_sizes: Sequence[int] | NDArray[Any] | None = None,
        products: Sequence[int] | NDArray[Any] | None = None,
        quantities: Sequence[int] | NDArray[Any] | None = None,
        values: Sequence[float] | NDArray[Any] | None = None,
    ) -> History:
        """From plain lists or arrays."""
        whole = [
            np.asarray([] if given is None else given, dtype=np.int64)
            for given in (basket_times, basket_stores, basket_sizes, products)
        ]
        real = [np.asarray([] if given is None else given, np.float32) for given in (quantities, values)]
        times, stores, sizes, lines = whole
        if not len(times) == len(stores) == len(sizes):
            raise ValueError(f"{len(times)} basket times, {len(stores)} stores and {len(sizes)} sizes")
        if not int(sizes.sum()) == len(lines) == len(real[0]) == len(real[1]):
            raise ValueError(f"basket sizes sum to {int(sizes.sum())}, but there are {len(lines)} products")
        return cls(times, stores, sizes, lines, real[0], real[1])

    @property
    def baskets(self) -> int:
        """Number of baskets."""
        return len(self.basket_times)

    def grouped(self, groups: NDArray[np.int64]) -> History:
        """The same baskets with groups of products in place of the products, each once a basket.

        Args:
            groups: number of each line's group, -1 for lines to leave out.
        """
        known = groups >= 0
        span = int(groups.max(initial=0)) + 1
        keys, line = np.unique(self.line_baskets[known] * span + groups[known], return_inverse=True)
        return History(
            self.basket_times,
            self.basket_stores,
            np.bincount(keys // span, minlength=self.baskets),
            keys % span,
            np.bincount(line, self.quantities[known], len(keys)).astype(np.float32),
            np.bincount(line, self.values[known], len(keys)).astype(np.float32),
        )

    @property
    def line_baskets(self) -> NDArray[np.int64]:
        """Position of the basket of each line."""
        return np.repeat(np.arange(self.baskets), self.basket_sizes)


#: Columns of gold.household_history that `History.from_row` reads, in its order.
HISTORY_COLUMNS: tuple[str, ...] = (
    _C.basket_times, _C.basket_stores, _C.basket_sizes, _C.products, _C.quantities, _C.values,
)  # fmt: skip
