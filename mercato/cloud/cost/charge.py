"""What a rule says of a resource: quantities, without prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mercato.cloud.cost.usage import Usage
from mercato.cloud.template import Assembly, Resource


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A quantity that AWS bills, in the unit of its price.

    Attributes:
        what: is billed.
        price: key of its price.
        size: of what is billed, where the price depends on it.
        fixed: a month without any traffic.
        varying: on top of it, with the traffic assumed.
        basis: how the quantity came about.
    """

    what: str
    price: str
    size: str | None = None
    fixed: float = 0.0
    varying: float = 0.0
    basis: str


@dataclass(frozen=True)
class Context:
    """What a rule knows beside its resource.

    Attributes:
        assembly: all stacks.
        usage: what is assumed of the month.
    """

    assembly: Assembly
    usage: Usage

    def share(self, resource: Resource) -> float:
        """What one resource gets of something that all of its type have together."""
        return 1 / self.assembly.counts[resource.type]


Rule = Callable[[Resource, Context], Iterable[Charge]]
