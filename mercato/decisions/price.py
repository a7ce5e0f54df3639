"""Which price to propose for a product: what earns most inside of guardrails; and what held it back.

Nothing here knows who will pay: a price is one per product and store, the same for everybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

#: Half the width of a 95 % interval, in standard errors.
_WIDE = 1.96
#: Farthest that a price is looked for where no step limits it, as a share of the present one.
_FARTHEST = 0.5
#: Less than half a cent.
_SAME = 0.004


class Guardrail(StrEnum):
    """What may hold a price back."""

    FLOOR = "floor"
    MAP = "minimum_advertised_price"
    CEILING = "ceiling"
    STEP = "maximum_step"
    FREQUENCY = "change_frequency"
    LOWEST_30_DAYS = "lowest_price_of_30_days"
    STOCK = "stock"
    UNSURE = "no_sure_gain"


@dataclass(frozen=True, slots=True)
class Priced:
    """A product in a store as it stands. Money per unit in US dollars.

    Attributes:
        units: expected weekly units at the present price.
        elasticity, error: own-price elasticity and its standard error.
        stock: units that can be sold in the week; `None` if nobody counts them.
        minimum_advertised: the manufacturer's, `None` without one.
        lowest_30_days: lowest price of the last 30 days, the present one included.
        days_unchanged: since the price last changed.
    """

    price: float
    cost: float
    units: float
    elasticity: float
    error: float
    lowest_30_days: float
    days_unchanged: int
    stock: float | None = None
    minimum_advertised: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Guardrails:
    """A shop's rules.

    Attributes:
        margin: least share of the price that is earned.
        step: most by which a price moves at once, as a share of it.
        days: between two changes, at least.
        announced: whether a lower price is advertised as a cut. Then it must lie below the lowest of the last
            30 days (EU directive 98/6/EC, article 6a), or not be lowered at all.
    """

    margin: float = 0.05
    step: float = 0.1
    days: int = 7
    announced: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price and what it is expected to change.

    Attributes:
        profit: expected weekly profit at the proposed price, US dollars.
        gain: over the present price; `least_gain` and `most_gain` at the ends of the elasticity's interval.
        held: guardrails without any one of which the price would be another.
    """

    price: float
    profit: float
    gain: float
    least_gain: float
    most_gain: float
    held: tuple[Guardrail, ...]


def propose(product: Priced, rules: Guardrails | None = None) -> Proposal:
    """The price, in whole cents, expected to earn most of those that every guardrail allows.

    The present price stays where none is allowed.

    Raises:
        ValueError: a price, cost or expected demand is not a positive number, or the error is negative.
    """
    _check(product)
    rules = rules or Guardrails()
    best = _best(product, rules)
    held = tuple(rail for rail in Guardrail if abs(_best(product, rules, without=rail) - best) > _SAME)
    ends = [_gain(product, best, elasticity) for elasticity in _interval(product)]
    profit = (best - product.cost) * _units(product, best, product.elasticity)
    return Proposal(best, profit, _gain(product, best, product.elasticity), min(ends), max(ends), held)


def _best(product: Priced, rules: Guardrails, without: Guardrail | None = None) -> float:
    allows = {rail: allow for rail, allow in _allowing(product, rules).items() if rail is not without}
    step = rules.step if without is not Guardrail.STEP else _FARTHEST
    lowest, highest = product.price * (1 - step), product.price * (1 + step)
    cents = range(math.ceil(100 * lowest - _SAME), math.floor(100 * highest + _SAME) + 1)
    prices = [product.price, *(cent / 100 for cent in cents if cent > 0)]
    fair = [price for price in prices if all(allow(price) for allow in allows.values())]
    return max(fair, key=lambda price: _gain(product, price, product.elasticity), default=product.price)


def _allowing(product: Priced, rules: Guardrails) -> Mapping[Guardrail, Callable[[float], bool]]:
    """Which prices each guardrail allows, but for the step."""
    floor = product.cost / (1 - rules.margin) - _SAME
    advertised = (product.minimum_advertised or 0.0) - _SAME
    ceiling = (product.ceiling or math.inf) + _SAME
    stock = math.inf if product.stock is None else product.stock
    waits = product.days_unchanged < rules.days
    lowered = product.price - _SAME
    return {
        Guardrail.FLOOR: lambda price: price >= floor,
        Guardrail.MAP: lambda price: price >= advertised,
        Guardrail.CEILING: lambda price: price <= ceiling,
        Guardrail.FREQUENCY: lambda price: not waits or abs(price - product.price) <= _SAME,
        Guardrail.LOWEST_30_DAYS: lambda price: (
            not rules.announced or price >= lowered or price < product.lowest_30_days - _SAME
        ),
        Guardrail.STOCK: lambda price: (
            price >= lowered or _units(product, price, product.elasticity) <= stock
        ),
        Guardrail.UNSURE: lambda price: (
            min(_gain(product, price, elasticity) for elasticity in _interval(product)) >= 0
        ),
    }


def _interval(product: Priced) -> tuple[float, float]:
    reach = _WIDE * product.error
    return product.elasticity - reach, product.elasticity + reach


def _units(product: Priced, price: float, elasticity: float) -> float:
    return float(product.units * (price / product.price) ** elasticity)


def _gain(product: Priced, price: float, elasticity: float) -> float:
    """Weekly profit at a price beyond that at the present one."""
    present = (product.price - product.cost) * product.units
    return (price - product.cost) * _units(product, price, elasticity) - present


def _check(product: Priced) -> None:
    positive = (product.price, product.cost, product.units, product.lowest_30_days)
    if not all(math.isfinite(value) and value > 0 for value in positive):
        raise ValueError(f"price, cost, units and lowest price must be above 0: {product}")
    if not (math.isfinite(product.elasticity) and product.error >= 0 and math.isfinite(product.error)):
        raise ValueError(f"the elasticity and its error must be numbers, the error at least 0: {product}")
