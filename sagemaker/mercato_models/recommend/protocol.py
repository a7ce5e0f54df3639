"""The evaluation protocol's cut of the data: whose last basket is the test, and what is history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.recommend.channels import CONTEXTS, TEST, TRAIN

_L = BASKET_LINES.c
_C = CONTEXTS.c

#: A household in the evaluation has as many baskets of history, a product as many lines.
MIN_BASKETS, MIN_LINES = 3, 5
#: Older baskets are predicted by nobody: of households that left, without the figures that stores have now.
NEWEST = timedelta(weeks=53)


@dataclass(frozen=True, slots=True)
class Cut:
    """Basket lines in two parts; both have the columns of gold.basket_lines.

    Attributes:
        history: lines of earlier baskets, of households and products with enough of them.
        test: all lines of the last basket of each household that is in the history.
    """

    history: pa.Table
    test: pa.Table


def cut(lines: pa.Table) -> Cut:
    """Cut gold.basket_lines; a basket's place in a household's life is its `basket_seq`."""
    household, product, place = (
        lines[name].to_numpy() for name in (_L.household_id, _L.product_id, _L.basket_seq)
    )
    owner, owner_of = np.unique(household, return_inverse=True)
    newest = np.zeros(len(owner), place.dtype)
    np.maximum.at(newest, owner_of, place)
    last = place == newest[owner_of]
    kept = _core(household, place, product, ~last)
    test = last & np.isin(household, np.unique(household[kept]))
    return Cut(lines.filter(pa.array(kept)), lines.filter(pa.array(test)))


def contexts(divided: Cut, targets: int) -> pa.Table:
    """Baskets of the last year to predict, columns as in CONTEXTS: the test, and the newest of each history.

    Args:
        targets: training baskets per household at most.
    """
    newest = divided.history.group_by(_L.household_id).aggregate([(_L.basket_seq, "max")])
    recent = divided.history.join(newest, _L.household_id)
    place, top = recent[_L.basket_seq], recent[f"{_L.basket_seq}_max"]
    recent = recent.filter(pc.greater(place, pc.subtract(top, targets)))
    baskets = pa.concat_tables([_baskets(recent, TRAIN), _baskets(divided.test, TEST)])
    since = pc.subtract(pc.max(baskets[_C.event_timestamp]), pa.scalar(NEWEST))
    return baskets.filter(pc.greater(baskets[_C.event_timestamp], since))


def _baskets(lines: pa.Table, split: str) -> pa.Table:
    """One row per basket."""
    keys = [_L.household_id, _L.basket_id, _L.store_id, _L.basket_time]
    baskets = lines.group_by(keys).aggregate([(_L.product_id, "list")])
    columns = {
        _C.household_id: baskets[_L.household_id],
        _C.store_id: baskets[_L.store_id],
        _C.event_timestamp: baskets[_L.basket_time],
        _C.truth: baskets[f"{_L.product_id}_list"],
        _C.split: pa.array([split] * len(baskets), pa.string()),
    }
    return pa.table(columns).cast(CONTEXTS.arrow_schema)


def _core(
    household: NDArray[np.int64],
    place: NDArray[np.int32],
    product: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Drop households with few baskets and products with few lines until none is left."""
    names, products = np.unique(product, return_inverse=True)
    owners, owner = np.unique(household, return_inverse=True)
    # Not its id: other households' baskets may have the same.
    basket = owner * (place.max(initial=0) + 1) + place
    _, first, basket = np.unique(basket, return_index=True, return_inverse=True)
    while True:
        alive = np.zeros(len(first), bool)
        alive[basket[kept]] = True
        baskets = np.bincount(owner[first[alive]], minlength=len(owners))
        smaller = kept & (baskets >= MIN_BASKETS)[owner]
        smaller &= (np.bincount(products[smaller], minlength=len(names)) >= MIN_LINES)[products]
        if smaller.sum() == kept.sum():
            return smaller
        kept = smaller
