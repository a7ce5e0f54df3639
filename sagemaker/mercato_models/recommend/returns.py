"""How likely a product is in a household's next basket, by how often and how long ago it was bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.tables.features import PRODUCT_RETURNS, RETURN_BASKETS, RETURN_TIMES

_C = PRODUCT_RETURNS.c
#: Columns of what `Returns.at` answers: chances of the product and of its type, and the first by that of all.
RETURNS: tuple[str, ...] = ("return_chance", "type_return_chance", "return_lift")
_STEPS = len(RETURN_TIMES), len(RETURN_BASKETS)
#: So many baskets of waiting as is usual are added to what was counted, for a product and for its type.
_PRIOR_BASKETS = 60.0


@dataclass(frozen=True, slots=True)
class Returns:
    """Share of the baskets waited through in which a product came again.

    Steps are those of RETURN_TIMES and RETURN_BASKETS.

    Attributes:
        chances: products x steps; a product that is seldom bought is like its type.
        of_types: types x steps, the last row is that of unknown types; usual: steps, of all products,
            NaN where nobody has waited so long.
        types: of every product, -1 where unknown.
    """

    chances: NDArray[np.float32]
    of_types: NDArray[np.float32]
    usual: NDArray[np.float32]
    types: NDArray[np.int64]

    @classmethod
    def of(cls, types: NDArray[np.int64], rows: NDArray[np.int64], table: pa.Table) -> Returns:
        """From rows of gold.product_returns.

        Args:
            types: of every product, -1 where unknown.
            rows: the product of each row of `table`, -1 for those not listed.
        """
        known = rows >= 0
        came, waited = np.zeros((2, len(types), *_STEPS))
        for counts, name in ((came, _C.returned), (waited, _C.waited)):
            values = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            counts[rows[known]] = values.reshape(-1, *_STEPS)[known]
        total = waited.sum(axis=0)
        usual = np.divide(came.sum(axis=0), total, out=np.full(_STEPS, np.nan), where=total > 0)
        kinds = (int(types.max(initial=-1)) + 2, *_STEPS)
        came_type, waited_type = np.zeros(kinds), np.zeros(kinds)
        np.add.at(came_type, types, came)  # the last row is that of unknown types
        np.add.at(waited_type, types, waited)
        of_types = _chance(came_type, waited_type, usual)
        chances = _chance(came, waited, of_types[types])
        return cls(chances.astype(np.float32), of_types.astype(np.float32), usual.astype(np.float32), types)

    def at(
        self, rows: NDArray[np.int64], bought: NDArray[np.floating], ago: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Rows x RETURNS, NaN for products never bought, and where nobody has waited so long yet.

        Args:
            rows: of products.
            bought: in how many baskets of its history the household has each, 0 or NaN for never.
            ago: how many baskets after the newest of these the next one is: 1 where that was the last.
        """
        result = np.full((len(rows), len(RETURNS)), np.nan, np.float32)
        own = bought > 0
        step = _step(RETURN_TIMES, bought[own]), _step(RETURN_BASKETS, ago[own])
        chance, usual = self.chances[rows[own], *step], self.usual[step]
        of_type, lift = self.of_types[self.types[rows[own]], *step], chance / np.maximum(usual, 1e-6)
        result[own] = np.stack([chance, of_type, lift], axis=1)
        return result


def _chance(
    came: NDArray[np.float64], waited: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = (came + _PRIOR_BASKETS * prior) / (waited + _PRIOR_BASKETS)
    return chances


def _step(least: tuple[int, ...], values: NDArray[Any]) -> NDArray[np.int64]:
    return np.searchsorted(least, values, "right") - 1
