"""Card payments with known frauds, as the Fraud Detection Handbook describes its simulator.

Written from the published description; with the same seeds it draws the same numbers, so its counts are
the published ones. Customers live at random places and pay at terminals near them. Frauds are of three
kinds: amounts above a limit, terminals that are compromised for weeks (every payment there is a fraud), and
customers whose card data leaked (some of their payments are multiplied).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.fraud.payments import Payments

_SIDE = 100.0  # of the square in which everything lies


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated; the defaults give the published data set.

    Attributes:
        start: first day, YYYY-MM-DD.
        radius: how far from home a customer pays.
        customer_seed, terminal_seed: of the two kinds of profile; a customer's own payments have the
            customer's number as seed, the compromised of a day that day's number.
    """

    customers: int = 5_000
    terminals: int = 10_000
    days: int = 183
    start: str = "2018-04-01"
    radius: float = 5.0
    customer_seed: int = 0
    terminal_seed: int = 1
    limit: float = 220.0
    terminals_a_day: int = 2
    terminal_days: int = 28
    customers_a_day: int = 3
    customer_days: int = 14
    customer_share: int = 3
    customer_factor: float = 5.0


def simulate(world: World | None = None) -> tuple[Payments, NDArray[np.int8]]:
    """All payments of a world, about half a minute's work for the published one.

    Returns:
        The payments, and for each the kind of fraud that struck it last: 0 for none, else 1, 2 or 3 as listed
        above. The kind is for analysis; no model may see it.
    """
    world = world or World()
    homes, mean_amounts, daily_rates = _customers(world)
    places = np.random.RandomState(world.terminal_seed).uniform(0, _SIDE, (world.terminals, 2))
    rows: list[tuple[int, int, int, float]] = []
    for customer, (home, mean_amount, rate) in enumerate(
        zip(homes, mean_amounts.tolist(), daily_rates.tolist(), strict=True)
    ):
        near = np.flatnonzero(np.sqrt(((places - home) ** 2).sum(axis=1)) < world.radius).tolist()
        if near:
            rows += _payments(customer, mean_amount, rate, near, world.days)
    second, customer_ids, terminal_ids, amounts = (
        np.array(column) for column in (zip(*rows, strict=True) if rows else ((), (), (), ()))
    )
    order = np.argsort(second, kind="stable")
    honest = Payments(
        np.datetime64(world.start),
        second[order],
        customer_ids[order],
        terminal_ids[order],
        amounts[order],
        np.zeros(len(order), bool),
    )
    return honest, _strike(honest, world)


def _customers(world: World) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Home, mean amount and payments a day of each customer, drawn customer by customer."""
    low, high = [0.0, 0.0, 5.0, 0.0], [_SIDE, _SIDE, 100.0, 4.0]
    drawn = np.random.RandomState(world.customer_seed).uniform(low, high, (world.customers, 4))
    return drawn[:, :2], drawn[:, 2], drawn[:, 3]


def _payments(
    customer: int, mean_amount: float, rate: float, near: list[int], days: int
) -> Iterator[tuple[int, int, int, float]]:
    """Second, customer, terminal and amount of each payment of a customer."""
    numbers, choices = np.random.RandomState(customer), random.Random(customer)
    poisson, normal, uniform = numbers.poisson, numbers.normal, numbers.uniform
    for day in range(days):
        for _ in range(poisson(rate)):
            second = int(normal(DAY_SECONDS / 2, 20_000))
            if not 0 < second < DAY_SECONDS:
                continue
            amount = normal(mean_amount, mean_amount / 2)
            if amount < 0:
                amount = uniform(0, mean_amount * 2)
            yield second + day * DAY_SECONDS, customer, choices.choice(near), float(np.round(amount, 2))


def _strike(payments: Payments, world: World) -> NDArray[np.int8]:
    """Mark the frauds, and raise the amounts of those with leaked cards, in place."""
    fraud, day = payments.fraud, payments.day
    kind = np.zeros(len(fraud), np.int8)
    over = payments.amount > world.limit
    fraud[over], kind[over] = True, 1
    last = int(day.max(initial=0))
    starts = np.searchsorted(day, np.arange(last + 1 + max(world.terminal_days, world.customer_days)))
    for first in range(last):
        window = slice(starts[first], starts[first + world.terminal_days])
        struck = _some(world.terminals, world.terminals_a_day, first)
        hit = np.flatnonzero(np.isin(payments.terminal[window], struck)) + window.start
        fraud[hit], kind[hit] = True, 2
    for first in range(last):
        window = slice(starts[first], starts[first + world.customer_days])
        struck = _some(world.customers, world.customers_a_day, first)
        hit = np.flatnonzero(np.isin(payments.customer[window], struck)) + window.start
        chosen = random.Random(first).sample(hit.tolist(), len(hit) // world.customer_share)
        payments.amount[chosen] *= world.customer_factor
        fraud[chosen], kind[chosen] = True, 3
    return kind


def _some(of: int, number: int, seed: int) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = np.random.RandomState(seed).choice(of, number, replace=False)
    return chosen
