"""How products sell of late, and when and in what baskets they are bought: figures by catalogue row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS, HOUR_SECONDS
from mercato.contracts.tables.features import EPOCH_WEEKDAY, PRODUCT_OCCASIONS, PRODUCT_TRENDS, SLOT_HOURS

_T, _O = PRODUCT_TRENDS.c, PRODUCT_OCCASIONS.c
_WINDOWS = (_T.baskets_1d, _T.baskets_3d, _T.baskets_7d)
#: Columns of what `trends` answers: a product's share of all that was bought, how that compares with
#: its share of the four weeks up to the last week's end, and its price beside that of 13 weeks.
TRENDS: tuple[str, ...] = (
    "share_1d", "share_3d", "share_7d",
    "rise_1d", "rise_3d", "rise_7d",
    "price_rise_7d",
)  # fmt: skip
#: Columns of `Occasions.sizes`.
SIZES: tuple[str, ...] = ("product_log_size", "product_inverse_size", "product_small_share")
#: So many baskets as usual are added to what was counted, for a product and for its type.
_PRIOR_TREND, _PRIOR_LIFT, _PRIOR_SMALL = 2.0, 8.0, 5.0
SLOTS, WEEKDAYS = 24 // SLOT_HOURS, 7


@dataclass(frozen=True, slots=True)
class Occasions:
    """When and in what baskets products are bought.

    Attributes:
        slots, weekdays: products x SLOTS or WEEKDAYS, how much likelier the product is there than
            anywhere, beside all products; a product that is seldom bought is like its type.
        sizes: products x SIZES, NaN for products that are seldom bought.
    """

    slots: NDArray[np.float32]
    weekdays: NDArray[np.float32]
    sizes: NDArray[np.float32]

    @classmethod
    def of(cls, types: NDArray[np.int64], rows: NDArray[np.int64], table: pa.Table) -> Occasions:
        """From rows of gold.product_occasions.

        Args:
            types: of every product, -1 where unknown.
            rows: the product of each row of `table`, -1 for those not listed.
        """
        known = rows >= 0
        slots, weekdays = np.zeros((len(types), SLOTS)), np.zeros((len(types), WEEKDAYS))
        sizes = np.full((len(types), len(SIZES)), np.nan)
        for counts, name in ((slots, _O.by_slot), (weekdays, _O.by_weekday)):
            values = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            counts[rows[known]] = values.reshape(len(rows), -1)[known] if len(rows) else 0
        small = (table[_O.small_baskets].to_numpy()[known] + 0.5) / (
            weekdays[rows[known]].sum(axis=1) + _PRIOR_SMALL
        )
        means = (table[name].to_numpy()[known] for name in (_O.mean_log_size, _O.mean_inverse_size))
        sizes[rows[known]] = np.stack([*means, small], axis=1)
        return cls(_lifts(slots, types), _lifts(weekdays, types), sizes.astype(np.float32))

    def at(self, rows: NDArray[np.int64], time: float | None) -> NDArray[np.float32]:
        """Products x (lift of the slot, of the weekday), NaN where the time is unknown."""
        if time is None:
            return np.full((len(rows), 2), np.nan, np.float32)
        slot = int(time % DAY_SECONDS // (SLOT_HOURS * HOUR_SECONDS))
        weekday = int(time // DAY_SECONDS + EPOCH_WEEKDAY) % WEEKDAYS
        return np.stack([self.slots[rows, slot], self.weekdays[rows, weekday]], axis=1)


def trends(
    rows: NDArray[np.int64], table: pa.Table, usual: NDArray[Any], price: NDArray[Any]
) -> NDArray[np.float32]:
    """Products x TRENDS from rows of gold.product_trends; a product not among them was not bought.

    Args:
        rows: the product of each row of `table`, -1 for those not listed.
        usual: baskets of every product in four weeks.
        price: of every product, mean of 13 weeks, US dollars.
    """
    known = rows >= 0
    counts, now = np.zeros((len(usual), len(_WINDOWS))), np.full(len(usual), np.nan)
    counts[rows[known]] = np.stack([table[name].to_numpy()[known] for name in _WINDOWS], axis=1)
    now[rows[known]] = table[_T.mean_price_7d].to_numpy()[known]
    total = np.maximum(1.0, counts.sum(axis=0))
    expected = total * np.nan_to_num(usual / max(1.0, float(np.nansum(usual))))[:, None]
    rise = (counts + _PRIOR_TREND) / (expected + _PRIOR_TREND)
    ratio = now / np.maximum(price, 0.01)
    result: NDArray[np.float32] = np.column_stack([counts / total, rise, ratio]).astype(np.float32)
    return result


def _lifts(counts: NDArray[np.float64], types: NDArray[np.int64]) -> NDArray[np.float32]:
    """How much likelier each column is for a product than for all of them."""
    usual = np.maximum(1e-9, counts.sum(axis=0) / max(1.0, float(counts.sum())))
    of_types = np.zeros((int(types.max(initial=-1)) + 2, counts.shape[1]))
    np.add.at(of_types, types, counts)  # the last row is that of unknown types
    like_type = _share(of_types, usual)[types]
    lifts: NDArray[np.float32] = (_share(counts, like_type) / usual).astype(np.float32)
    return lifts


def _share(counts: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = (counts + _PRIOR_LIFT * prior) / (
        counts.sum(axis=1, keepdims=True) + _PRIOR_LIFT
    )
    return shares
