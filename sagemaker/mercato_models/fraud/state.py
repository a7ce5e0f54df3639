"""What is remembered of each customer and terminal, so that a payment's features need no history.

A state holds one row per entity. A call takes any number of payments of *different* entities: a replay of the
past calls with the n-th payment of every entity at once; what is served makes the same features from an
entity's log (`live`). Times are in seconds, the features' ages in days; nan is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mercato.contracts.durations import DAY_SECONDS
from mercato.online.payments import AMOUNTS, LEAST_AMOUNT, OUTLIER, RECENT, usual_amount
from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.fraud.days import LABEL_DELAY

if TYPE_CHECKING:
    from mercato_models.fraud.amount_likelihood import AmountLikelihood


#: Log of the likelihood ratio from which one amount is called surprising.
_STRONG = 1.5
_LEAST_GAIN = 1e-3

USUAL: tuple[str, ...] = ("amount", "amount_ratio", "usual_amount", "customer_payments")
SUSPICION: tuple[str, ...] = (
    "leak_log_odds", "leak_peak", "leak_peak_days", "leak_sum", "payments_unlabelled", "surprise_days",
    "surprises", "amount_surprise", "leak_fraud_log_odds",
)  # fmt: skip
TERMINAL: tuple[str, ...] = (
    "terminal_clean_days", "terminal_first_fraud_days", "terminal_last_fraud_days", "terminal_frauds",
    "terminal_least_ratio", "terminal_explained", "terminal_label_days", "terminal_before_days",
    "terminal_onset_days",
)  # fmt: skip
FEATURES: tuple[str, ...] = (*USUAL, *SUSPICION, *TERMINAL, "second_of_day")


class Usual:
    """Newest amounts by customer."""

    def __init__(self, number: int) -> None:
        self._amounts = np.full((number, AMOUNTS), np.inf)
        self._seen = np.zeros(number, np.int64)

    def read(self, who: Ints, amount: Floats) -> Floats:
        """Columns of USUAL for payments about to be made."""
        seen = self._seen[who]
        # A row's first columns are filled first, so that the rest need not be sorted.
        held = self._amounts[who, : seen.max(initial=0)]
        return beside_usual(amount, usual_amount(held), seen)

    def add(self, who: Ints, amount: Floats) -> None:
        """Remember a payment of each."""
        self._amounts[who, self._seen[who] % AMOUNTS] = amount
        self._seen[who] += 1


def beside_usual(amount: Floats, usual: Floats, seen: Ints) -> Floats:
    """Columns of USUAL from a customer's usual amount and the payments before."""
    return np.column_stack([amount, amount / np.maximum(usual, LEAST_AMOUNT), usual, seen])


class Recent:
    """Newest payments by customer, the newest last: what they say before anybody labels them."""

    def __init__(self, number: int) -> None:
        self._time = np.full((number, RECENT), -np.inf)
        self._ratio = np.full((number, RECENT), np.nan)

    def read(self, who: Ints, now: Floats, ratio: Floats, likelihood: AmountLikelihood) -> Floats:
        """Columns of SUSPICION for payments about to be made."""
        return suspicion(now[:, None] - self._time[who], self._ratio[who], ratio, likelihood)

    def add(self, who: Ints, now: Floats, ratio: Floats) -> None:
        """Remember a payment of each."""
        for held, new in ((self._time, now), (self._ratio, ratio)):
            held[who] = np.column_stack([held[who, 1:], new])


def suspicion(ages: Floats, ratios: Floats, ratio: Floats, likelihood: AmountLikelihood) -> Floats:
    """Columns of SUSPICION for payments about to be made.

    The odds that a card leaked at some moment since the oldest unlabelled payment are the sum, over the
    moments, of the likelihood ratios of all payments after it (Shiryaev's statistic).

    Args:
        ages: seconds since the customer's newest payments (payments x RECENT), the newest last; inf for none.
        ratios: what their amounts were to what was usual.
        ratio: the same of the payments about to be made.
    """
    age = np.minimum(ages, LABEL_DELAY)
    open_ = age < LABEL_DELAY
    known = np.log(1 - likelihood.share + likelihood.share * likelihood.of(ratios))
    evidence = np.where(open_, known, 0.0)
    since = evidence[:, ::-1].cumsum(axis=1)[:, ::-1]
    before = np.column_stack([np.full(len(age), LABEL_DELAY), age[:, :-1]])
    odds = ((before - age) * np.exp(since)).sum(axis=1) + age[:, -1]
    row = np.arange(len(age))
    start = np.where(open_, since, -np.inf).argmax(axis=1)
    peak = np.where(open_.any(axis=1), since[row, start], 0.0)
    strong = open_ & (evidence > _STRONG)
    latest = np.where(strong, age, np.inf).min(axis=1)
    gain = np.log(likelihood.of(ratio) + _LEAST_GAIN)
    return np.column_stack(
        [
            np.log(odds / DAY_SECONDS),
            peak,
            np.where(peak > 0, age[row, start] / DAY_SECONDS, np.nan),
            since[:, 0],
            open_.sum(axis=1),
            np.where(strong.any(axis=1), latest / DAY_SECONDS, np.nan),
            strong.sum(axis=1),
            gain,
            gain + np.log(odds / DAY_SECONDS),
        ]
    )


def _unknown(number: int) -> Floats:
    return np.full(number, np.nan)


@dataclass(slots=True)
class Terminals:
    """What labels said of each terminal; its run is the frauds since the last honest payment.

    A fraud whose amount is plainly its customer's doing says nothing of the terminal and does not join a run.
    """

    number: int
    clean: Floats = field(init=False)
    first: Floats = field(init=False)
    last: Floats = field(init=False)
    frauds: Floats = field(init=False)
    least: Floats = field(init=False)
    explained: Floats = field(init=False)
    label: Floats = field(init=False)
    before: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.clean, self.first, self.last = (_unknown(self.number) for _ in range(3))
        self.least, self.label, self.before = (_unknown(self.number) for _ in range(3))
        self.frauds, self.explained = np.zeros(self.number), np.zeros(self.number)

    def learn(self, who: Ints, time: Floats, fraud: Mask, ratio: Floats) -> None:
        """Take in a label of each: of a payment made at `time`, `ratio` its customer's usual amount."""
        own = ratio > OUTLIER
        run, at, by = who[fraud & ~own], time[fraud & ~own], ratio[fraud & ~own]
        self.first[run] = np.where(self.frauds[run] == 0, at, self.first[run])
        self.last[run] = at
        self.least[run] = np.fmin(self.least[run], by)
        self.frauds[run] += 1
        self.explained[who[fraud & own]] += 1
        honest = who[~fraud]
        self.before[honest] = np.where(self.frauds[honest] > 0, self.first[honest], self.before[honest])
        self.clean[honest] = time[~fraud]
        for forgotten in (self.first, self.last, self.least):
            forgotten[honest] = np.nan
        self.frauds[honest] = self.explained[honest] = 0
        self.label[who] = time

    def held(self, who: Ints) -> Floats:
        """Rows as they are now, for `describe`."""
        columns = (self.clean, self.first, self.last, self.frauds, self.least, self.explained)
        return np.column_stack([column[who] for column in (*columns, self.label, self.before)])


def describe(held: Floats, now: Floats) -> Floats:
    """Columns of TERMINAL for payments about to be made, from rows that `Terminals.held` gave."""
    clean, first, last, frauds, least, explained, label, before = held.T
    ages = [(now - time) / DAY_SECONDS for time in (clean, first, last, label, before)]
    return np.column_stack([*ages[:3], frauds, least, explained, *ages[3:], ages[0] - ages[1]])
