"""A small town of card payments."""

from __future__ import annotations

from mercato_models.fraud.payments import Payments
from mercato_models.fraud.simulator import World, simulate

SMALL = World(customers=150, terminals=60, days=40, radius=20.0, terminals_a_day=1, customers_a_day=1)


def small_town() -> Payments:
    return simulate(SMALL)[0]
