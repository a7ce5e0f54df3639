"""Off-policy evaluation of a price list by sales at past prices, each proposal on weeks not its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mercato.contracts.tables.proposals import Cell
from mercato.decisions.price import Guardrails, Priced, best_price
from mercato_models.intervals import Interval
from mercato_models.price import policy
from mercato_models.price.elasticity import Elasticities, telling
from mercato_models.price.nuisances import Settings, expect
from mercato_models.price.panel import CELL
from mercato_models.price.panel_arrays import PanelArrays


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a list changes in a week as those that were, all products and stores together. US dollars.

    Attributes:
        profit, revenue: with 95 % intervals.
        overlap: effective share of the weeks that tell of it.
    """

    profit: Interval
    revenue: Interval
    overlap: float

    def flat(self) -> dict[str, float]:
        """By name."""
        return self.profit.flat("profit") | self.revenue.flat("revenue") | {"overlap": self.overlap}


def evaluate(panel: pd.DataFrame, stands: Mapping[Cell, Priced], rules: Guardrails) -> Evaluation:
    """Had each price moved by the share by which the list moves it now.

    A week is judged by the list that the elasticities of other weeks lead to: its own would flatter it.

    Args:
        panel: checked; with the products that `stands` has.

    Raises:
        ValueError: the weeks do not tell, or the list moves no price; it says why.
    """
    rows = telling(panel)
    arrays = PanelArrays.of(rows)
    expected = expect(arrays, Settings())
    folds = policy.crossfit(arrays, expected)
    _, first = np.unique(arrays.cell, return_index=True)
    cells = list(zip(*(rows[name].to_numpy()[first].tolist() for name in CELL), strict=True))
    listed = [stands.get(cell) for cell in cells]
    moves = np.zeros(len(arrays))
    for fold in folds:
        product = arrays.product[first]
        moved = [_move(each, fold.found, number, rules) for each, number in zip(listed, product, strict=True)]
        moves[fold.judged] = np.array(moved)[arrays.cell[fold.judged]]
    among = moves != 0
    if not among.any():
        raise ValueError("no price moves by what other weeks tell")
    cost = np.array([each.cost if each else 0.0 for each in listed])[arrays.cell]
    values = [
        policy.evaluate(
            arrays, expected, folds, expected.log_price + moves, of, before=expected.log_price, among=among
        )
        for of in (cost, np.zeros(len(arrays)))
    ]
    # From the mean of the rows that move to the sum over a week's cells.
    known = np.array([each is not None for each in listed])
    weekly = float(among.sum() / known[arrays.cell].sum() * known.sum())
    profit, revenue = (_times(value.gain, weekly) for value in values)
    return Evaluation(profit, revenue, values[0].overlap)


def _move(stands: Priced | None, found: Elasticities, number: int, rules: Guardrails) -> float:
    """By how much the logarithm of a price moves if its elasticity is this one."""
    if stands is None:
        return 0.0
    own, low, high = (float(each[number]) for each in (found.own, found.low, found.high))
    price = best_price(replace(stands, elasticity=own, low=low, high=high), rules)
    return math.log(price / stands.price)


def _times(interval: Interval, factor: float) -> Interval:
    return Interval(*(float(each * factor) for each in (interval.estimate, interval.low, interval.high)))
