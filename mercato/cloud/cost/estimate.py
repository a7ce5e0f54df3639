"""From resources, prices and usage to line items and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import fsum

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.free import FREE
from mercato.cloud.cost.prices import PriceError, PriceList
from mercato.cloud.cost.rules import RULES
from mercato.cloud.cost.usage import Usage
from mercato.cloud.template import Assembly, NotStatedError, Resource

MILLION = 1e6


@dataclass(frozen=True)
class LineItem:
    """One thing that a resource is billed for.

    Attributes:
        stack: name of the stack.
        resource: logical name in its template.
        service: name of the AWS service.
        what: is billed.
        price: key of its price.
        quantity: in `unit`, a month.
        idle_quantity: the part of it that needs no traffic.
        unit: of the price.
        unit_price: dollars.
        basis: how the quantity came about.
        assumed: whether no source confirms the price.
    """

    stack: str
    resource: str
    service: str
    what: str
    price: str
    quantity: float
    idle_quantity: float
    unit: str
    unit_price: float
    basis: str
    assumed: bool

    @property
    def monthly(self) -> float:
        """Dollars a month with the traffic assumed."""
        return self.quantity * self.unit_price

    @property
    def idle(self) -> float:
        """Dollars a month without any traffic."""
        return self.idle_quantity * self.unit_price


@dataclass(frozen=True)
class NotPriced:
    """A resource that may cost something, but nobody knows here how much.

    Attributes:
        stack: name of the stack.
        resource: logical name in its template.
        type: of the resource.
        reason: why it has no price.
    """

    stack: str
    resource: str
    type: str
    reason: str


@dataclass(frozen=True)
class Cost:
    """Sums of some line items, in dollars a month.

    Attributes:
        monthly: with the traffic assumed.
        idle: without any traffic.
    """

    monthly: float
    idle: float

    def per_million(self, decisions: float) -> float | None:
        """Dollars for a million decisions, all included; `None` if there are none."""
        return self.monthly / decisions * MILLION if decisions else None


@dataclass(frozen=True)
class Estimate:
    """What an assembly costs.

    Attributes:
        stacks: names, in the order of the deploy.
        items: everything that is billed.
        not_priced: what has no price here.
        usage: what was assumed of the month.
        prices: what was paid with.
    """

    stacks: tuple[str, ...]
    items: tuple[LineItem, ...]
    not_priced: tuple[NotPriced, ...]
    usage: Usage
    prices: PriceList

    @cached_property
    def total(self) -> Cost:
        """Sum of all items."""
        return total(self.items)

    def of(self, stack: str) -> Cost:
        """Sum of a stack's items."""
        return total(each for each in self.items if each.stack == stack)


def total(items: Iterable[LineItem]) -> Cost:
    """Sum of items."""
    listed = tuple(items)
    return Cost(fsum(each.monthly for each in listed), fsum(each.idle for each in listed))


def estimate(assembly: Assembly, prices: PriceList, usage: Usage) -> Estimate:
    """Price every resource of an assembly.

    A resource that is neither free nor priced is listed, never left out.
    """
    context = Context(assembly, usage)
    items: list[LineItem] = []
    not_priced: list[NotPriced] = []
    for resource in assembly.resources:
        if resource.type in FREE:
            continue
        try:
            items.extend(tuple(_items(resource, context, prices)))
        except (NotStatedError, PriceError) as error:
            not_priced.append(NotPriced(resource.stack, resource.name, resource.type, str(error)))
    return Estimate(assembly.stacks, tuple(items), tuple(not_priced), usage, prices)


def next_million(assembly: Assembly, prices: PriceList, usage: Usage) -> float:
    """Dollars that a million decisions more would cost, with all else as it is."""
    more = usage.model_copy(update={"decisions": usage.decisions + MILLION})
    return estimate(assembly, prices, more).total.monthly - estimate(assembly, prices, usage).total.monthly


def _items(resource: Resource, context: Context, prices: PriceList) -> Iterator[LineItem]:
    rule = RULES.get(resource.type)
    if rule is None:
        raise NotStatedError("no rule says how it is billed.")
    for charge in rule(resource, context):
        yield _item(resource, charge, prices)


def _item(resource: Resource, charge: Charge, prices: PriceList) -> LineItem:
    rate = prices.rate(charge.price, charge.size)
    return LineItem(
        stack=resource.stack,
        resource=resource.name,
        service=rate.service,
        what=charge.what,
        price=charge.price,
        quantity=charge.fixed + charge.varying,
        idle_quantity=charge.fixed,
        unit=rate.unit,
        unit_price=rate.usd,
        basis=charge.basis,
        assumed=rate.assumed,
    )
