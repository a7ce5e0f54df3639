"""What is remembered of each customer and terminal, so that a payment's features need no history.

A customer's state holds one row per customer. A call takes any number of payments of *different* ones: a
replay of the past calls with the n-th payment of everybody at once; what is served makes the same features
from the card's log (`live`). A terminal's features follow from its newest outcomes, by one function on both
sides. Times are in seconds, the features' ages in days; nan is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercato.contracts.durations import DAY_SECONDS
from mercato.online.payments import AMOUNTS, MIN_AMOUNT, OUTCOMES, OUTLIER, RECENT, usual_amount
from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.fraud.days import LABEL_DELAY

if TYPE_CHECKING:
    from mercato_models.fraud.amount_likelihood import AmountLikelihood


#: Log of the likelihood ratio from which one amount is called surprising.
_STRONG = 1.5
_MIN_GAIN = 1e-3

USUAL: tuple[str, ...] = ("amount", "amount_ratio", "usual_amount", "customer_payments")
#: Column of the amount over the customer's usual one.
AMOUNT_RATIO = USUAL.index("amount_ratio")
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
#: Of these, what only ever grows.
GROWING = ("customer_payments",)


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
    return np.column_stack([amount, amount / np.maximum(usual, MIN_AMOUNT), usual, seen])


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
    gain = np.log(likelihood.of(ratio) + _MIN_GAIN)
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


def outcomes(
    time: Floats, fraud: Mask, ratio: Floats, oldest: Ints, newest: Ints, most: int = OUTCOMES
) -> Floats:
    """What is known of terminals by their newest outcomes, for `describe`; a row per question.

    A terminal's run is the frauds since its last honest payment. A fraud whose amount is plainly its
    customer's doing says nothing of the terminal and does not join a run.

    Args:
        time, fraud, ratio: of payments by terminal, then time; `ratio` of the amount to what is usual.
        oldest: per question the place of the terminal's first payment.
        newest: the place of its newest known one, ascending.
    """
    place, number = np.arange(len(time)), len(time)
    since = np.maximum(oldest, newest + 1 - most)
    joins = fraud & ~(ratio > OUTLIER)
    honest_before = np.maximum.accumulate(np.where(fraud, -1, place))
    join_before = np.maximum.accumulate(np.where(joins, place, -1))
    join_after = np.minimum.accumulate(np.where(joins, place, number)[::-1])[::-1]

    def at(places: Ints, there: Mask) -> Floats:
        return np.where(there, time[np.where(there, places, 0)], np.nan)

    honest = honest_before[newest]
    closed = honest >= since
    opens = np.where(closed, honest + 1, since)
    last = join_before[newest]
    runs = last >= opens
    joined, own = (np.append(0, np.cumsum(each)) for each in (joins, fraud & ~joins))
    # One reduction from each opening to the newest, one from there to the next opening.
    ends = np.column_stack([opens, newest + 1]).ravel()
    least = np.fmin.reduceat(np.append(np.where(joins, ratio, np.nan), np.nan), ends)[::2]
    earlier = np.where(closed, join_before[np.maximum(honest, 0)], -1)
    before = earlier >= since
    opened = np.maximum(honest_before[np.maximum(earlier, 0)] + 1, since)
    return np.column_stack(
        [
            at(honest, closed),
            at(join_after[np.minimum(opens, newest)], runs),
            at(last, runs),
            joined[newest + 1] - joined[opens],
            np.where(runs, least, np.nan),
            own[newest + 1] - own[opens],
            time[newest],
            at(join_after[np.where(before, opened, 0)], before),
        ]
    )


#: What `outcomes` gives where none is known.
NO_OUTCOMES = np.array([np.nan, np.nan, np.nan, 0, np.nan, 0, np.nan, np.nan])


def describe(held: Floats, now: Floats) -> Floats:
    """Columns of TERMINAL for payments about to be made, from rows that `outcomes` gave."""
    clean, first, last, frauds, least, explained, label, before = held.T
    ages = [(now - time) / DAY_SECONDS for time in (clean, first, last, label, before)]
    return np.column_stack([*ages[:3], frauds, least, explained, *ages[3:], ages[0] - ages[1]])
