"""What the recommendation benchmarks share: the year's lines, what is to be predicted, means in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.replay.dataset import Dataset
from mercato_models.intervals import bootstrap

_L = BASKET_LINES.c
#: By household: products, best first.
Lists = Mapping[int, list[int]]
#: By household: the products of the basket to predict.
Truths = Mapping[int, frozenset[int]]


def basket_lines() -> pa.Table:
    """What gold.basket_lines holds that the protocol needs."""
    lines = Dataset().lines
    rows = pd.DataFrame(
        {
            _L.household_id: lines.household_id,
            _L.basket_id: lines.basket_id,
            _L.product_id: lines.product_id,
            _L.basket_time: pd.to_datetime(lines.time, unit="us"),
        }
    )
    rows[_L.basket_time] = rows.groupby(_L.basket_id)[_L.basket_time].transform("max")
    rows = rows.drop_duplicates([_L.basket_id, _L.product_id])
    rows = rows.sort_values([_L.household_id, _L.basket_time, _L.basket_id], kind="stable")
    changed = rows.groupby(_L.household_id)[_L.basket_id].transform(lambda ids: (ids != ids.shift()).cumsum())
    return pa.Table.from_pandas(rows.assign(**{_L.basket_seq: changed}), preserve_index=False)


def truths(lines: pa.Table) -> dict[int, frozenset[int]]:
    """Products of each household's basket."""
    baskets = lines.group_by(_L.household_id).aggregate([(_L.product_id, "distinct")])
    products = baskets[f"{_L.product_id}_distinct"].to_pylist()
    return {
        int(household): frozenset(bought)
        for household, bought in zip(baskets[_L.household_id].to_pylist(), products, strict=True)
    }


def mean(households: list[int], values: NDArray[np.float64]) -> str:
    """Mean of a value per household, in words with its 95 % interval."""
    interval = bootstrap(households, lambda weights: float(weights @ values / weights.sum()))
    return f"{interval.estimate:.4f} ({interval.low:.4f} to {interval.high:.4f})"
