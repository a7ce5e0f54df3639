"""Which price to propose for a product: what earns most inside of guardrails; and what held it back.

Nothing here knows who will pay: a price is one per product and store, the same for everybody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

#: What a unit costs as a share of its usual price, unless somebody says it: the data know no costs.
COST_SHARE = 0.7
#: Farthest that a price is looked for where no step limits it, as a share of the present one.
_FARTHEST = 0.5
#: Less than half a cent, and what sums of floating point numbers may be off by.
_SAME, _TINY = 0.004, 1e-6


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
        elasticity: own-price elasticity; `low` and `high` are the ends of its 95 % interval.
        stock: units that can be sold in the week; `None` if nobody counts them.
        minimum_advertised: the manufacturer's, `None` without one.
        lowest_30_days: lowest price of the last 30 days, the present one included.
        days_unchanged: for which the present price has stood for sure.
    """

    price: float
    cost: float
    units: float
    elasticity: float
    low: float
    high: float
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
        breaks: of floor, minimum advertised price and ceiling those that the present price breaks.
    """

    price: float
    profit: float
    gain: float
    least_gain: float
    most_gain: float
    held: tuple[Guardrail, ...]
    breaks: tuple[Guardrail, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is this price: what the present one breaks, then what held it."""
        broken = (f"breaks_{rail}" for rail in self.breaks)
        return (*broken, *(rail for rail in self.held if rail not in self.breaks))


def propose(product: Priced, rules: Guardrails | None = None) -> Proposal:
    """The price, in whole cents, expected to earn most of those that every guardrail allows.

    Where the present price is below the floor or the minimum advertised price, or above the ceiling, the
    proposed one is as near to what they allow as the step, the least time between changes and the lowest
    price of 30 days let it come, whether that earns more or not. Where they contradict each other, the
    ceiling counts.

    Raises:
        ValueError: a price, cost or expected demand is not a positive number, or the elasticity is not within
            its interval.
    """
    rules = rules or Guardrails()
    best = best_price(product, rules)
    lifted = _lifted(product, rules)
    held = tuple(rail for rail in Guardrail if abs(_best(*lifted[rail]) - best) > _SAME)
    ends = [_gain(product, best, elasticity) for elasticity in (product.low, product.high)]
    profit = (best - product.cost) * _units(product, best, product.elasticity)
    gain = _gain(product, best, product.elasticity)
    return Proposal(best, profit, gain, min(ends), max(ends), held, _broken(product, rules))


def best_price(product: Priced, rules: Guardrails) -> float:
    """The price alone that `propose` finds, in a fraction of its time.

    Raises:
        ValueError: as there.
    """
    _check(product)
    return _best(product, rules)


def _best(product: Priced, rules: Guardrails) -> float:
    paced = [price for price in _reached(product, rules) if _may_change(product, rules, price)]
    # The present price if it may stand, else what comes nearest to the prices that may.
    start = min(paced, key=lambda price: (_outside(product, rules, price), abs(price - product.price)))
    least = _outside(product, rules, start)
    fair = [price for price in paced if _outside(product, rules, price) <= least]
    allowed = [price for price in fair if _pays(product, start, price)]
    return max(allowed, key=lambda price: _gain(product, price, product.elasticity))


def _lifted(product: Priced, rules: Guardrails) -> Mapping[Guardrail, tuple[Priced, Guardrails]]:
    """The product and the rules without each guardrail."""
    sure = replace(product, low=product.elasticity, high=product.elasticity)
    return {
        Guardrail.FLOOR: (product, replace(rules, margin=-math.inf)),
        Guardrail.MAP: (replace(product, minimum_advertised=None), rules),
        Guardrail.CEILING: (replace(product, ceiling=None), rules),
        Guardrail.STEP: (product, replace(rules, step=_FARTHEST)),
        Guardrail.FREQUENCY: (product, replace(rules, days=0)),
        Guardrail.LOWEST_30_DAYS: (product, replace(rules, announced=False)),
        Guardrail.STOCK: (replace(product, stock=None), rules),
        Guardrail.UNSURE: (sure, rules),
    }


def _limits(product: Priced, rules: Guardrails) -> tuple[float, float, float]:
    """Floor, minimum advertised price and ceiling, in the whole cents that keep to them."""
    floor = math.ceil(100 * product.cost / (1 - rules.margin) - _TINY) / 100
    advertised = math.ceil(100 * (product.minimum_advertised or 0.0) - _TINY) / 100
    ceiling = math.inf if product.ceiling is None else math.floor(100 * product.ceiling + _TINY) / 100
    return floor, advertised, ceiling


def _outside(product: Priced, rules: Guardrails, price: float) -> float:
    """By how much a price is beyond what the limits allow; infinite if that is the other side than now."""
    floor, advertised, ceiling = _limits(product, rules)
    least = min(max(floor, advertised), ceiling)
    below, above = least - price, price - ceiling
    if (below > _SAME and product.price > ceiling) or (above > _SAME and product.price < least):
        return math.inf
    beyond = max(below, above)
    return beyond if beyond > _SAME else 0.0


def _broken(product: Priced, rules: Guardrails) -> tuple[Guardrail, ...]:
    """Limits that the present price breaks."""
    floor, advertised, ceiling = _limits(product, rules)
    beyond = {
        Guardrail.FLOOR: floor - product.price,
        Guardrail.MAP: advertised - product.price,
        Guardrail.CEILING: product.price - ceiling,
    }
    return tuple(rail for rail, by in beyond.items() if by > _SAME)


def _reached(product: Priced, rules: Guardrails) -> list[float]:
    """The present price, and whole cents within a step of it."""
    lowest, highest = product.price * (1 - rules.step), product.price * (1 + rules.step)
    cents = range(math.ceil(100 * lowest - _SAME), math.floor(100 * highest + _SAME) + 1)
    return [product.price, *(cent / 100 for cent in cents if cent > 0)]


def _may_change(product: Priced, rules: Guardrails, price: float) -> bool:
    """Whether the price may become this one now."""
    if product.days_unchanged < rules.days and abs(price - product.price) > _SAME:
        return False
    cut = price < product.price - _SAME
    return not (cut and rules.announced) or price < product.lowest_30_days - _SAME


def _pays(product: Priced, start: float, price: float) -> bool:
    """Whether a price can be supplied, and surely loses nothing beside the one to start from."""
    stock = math.inf if product.stock is None else product.stock
    if price < start - _SAME and _units(product, price, product.elasticity) > stock:
        return False
    ends = (product.low, product.high)
    return min(_gain(product, price, end) - _gain(product, start, end) for end in ends) >= 0


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
    known = all(map(math.isfinite, (product.low, product.high)))
    if not (known and product.low <= product.elasticity <= product.high):
        raise ValueError(f"the elasticity must be a number within its interval: {product}")
