"""For whom, where and when a list is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.tables.features import HOUSEHOLD_PROFILE
from mercato_models.recommend.history import History

_C = HOUSEHOLD_PROFILE.c

#: Columns of gold.household_profile that the model reads.
PROFILE: tuple[str, ...] = (
    _C.baskets, _C.mean_basket_size, _C.mean_basket_value, _C.mean_gap_days, _C.last_gap_days,
    _C.baskets_28d, _C.spend_28d, _C.retail_discount_share, _C.coupon_share,
)  # fmt: skip
#: A household's usual store is the most frequent one of its last baskets.
USUAL_STORE_BASKETS = 10


@dataclass(frozen=True, slots=True)
class Context:
    """A household at one moment. All of it is known before the basket to come.

    Attributes:
        history: its recent baskets.
        profile: values of PROFILE by name; what is missing counts as unknown.
        store_id: where it shops, `None` if unknown.
        time: when, seconds since 1970 (UTC), `None` if unknown.
        cart, viewed: products of the open session.
    """

    history: History
    profile: Mapping[str, float | None] = field(default_factory=dict)
    store_id: int | None = None
    time: float | None = None
    cart: tuple[int, ...] = ()
    viewed: tuple[int, ...] = ()


def usual_store(basket_stores: NDArray[np.int64]) -> int | None:
    """The store of most of the last baskets, given oldest first; the newer one of two equals."""
    recent = basket_stores[-USUAL_STORE_BASKETS:].tolist()[::-1]
    return int(Counter(recent).most_common(1)[0][0]) if recent else None
