"""What is remembered of each card and each terminal, as pure functions of what happened there.

Both are logs of the newest events. Merging events into a log is idempotent and does not mind their order,
so that duplicates, retries and late arrivals end in the same state; what a model is told of a payment
follows from the logs (`mercato_models.fraud.live`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isnan
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from mercato.contracts.events import Payment, PaymentOutcome
from mercato.contracts.tables.base import Table
from mercato.online.session import micros, moment

Numbers = NDArray[np.float64]

#: Payments from whose amounts the usual one follows, and newest payments that may not have an outcome yet.
AMOUNTS, RECENT = 200, 48
#: Payments kept per card: the usual amount is known for each of the newest.
KEEP_PAYMENTS = AMOUNTS + RECENT
#: A terminal's newest outcomes from which features follow, in training too. More are kept, because those of
#: the last week, from reviews and early disputes, do not count yet and must not push out any that do.
OUTCOMES = 256
KEEP_OUTCOMES = OUTCOMES + 128
#: How long a card or a terminal is remembered of which nothing new is heard.
KEEP_IDLE = timedelta(days=400)
#: Ratio to one's median from which an amount does not count as usual any more.
OUTLIER = 2.5
MIN_AMOUNT = 0.01
_UNTOLD = 0


class CardPayments(msgspec.Struct, frozen=True, kw_only=True):
    """Newest payments of a card, oldest first; one element per payment.

    `times` are in microseconds since 1970, `amounts` in US dollars; `forgotten` counts older payments.
    """

    card_id: str
    event_timestamp: datetime  # of the newest payment
    forgotten: int
    payment_ids: list[str]
    times: list[int]
    amounts: list[float]


class TerminalOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest payments at a terminal turned out to be, by time of payment; one element per payment.

    `times` are in microseconds since 1970; `ratios` tell each amount over what is usual for its card; `told`
    is when each outcome was.
    """

    terminal_id: str
    event_timestamp: datetime  # of the newest payment whose outcome is known
    payment_ids: list[str]
    times: list[int]
    frauds: list[bool]
    ratios: list[float]
    told: list[int]


CARD_PAYMENTS = Table("online.card_payments", CardPayments, ("card_id",), "A card's newest payments.")
TERMINAL_OUTCOMES = Table(
    "online.terminal_outcomes", TerminalOutcomes, ("terminal_id",), "Known outcomes at a terminal."
)


class Paid(NamedTuple):
    """A payment of a card; payments sort by time, then id."""

    time: int
    payment_id: str
    amount: float


class Known(NamedTuple):
    """The newest outcome of a payment at a terminal; outcomes sort by the time of the payment, then id.

    `ratio` is nan where it is not known; `told` is the outcome's own time.
    """

    time: int
    payment_id: str
    fraud: bool
    ratio: float
    told: int

    def merged(self, other: Known) -> Known:
        """What is known from two outcomes of one payment: of two told at the same instant, a fraud counts.

        The ratio is the payment's, and one that comes late may find the payment forgotten: any will do.
        """
        newest = max(self, other, key=lambda known: (known.told, known.fraud, known.time))
        return newest._replace(ratio=float(np.fmin(self.ratio, other.ratio)))

    @property
    def facts(self) -> tuple[int | float | str | None, ...]:
        """What is equal if nothing changed, as nan is not."""
        return (*self[:3], self.told, None if isnan(self.ratio) else self.ratio)


class Card(NamedTuple):
    """A card's newest payments, oldest first, and how many were before them."""

    paid: tuple[Paid, ...] = ()
    forgotten: int = 0

    def merged(self, payments: Iterable[Payment]) -> Card:
        """With these payments, in any order; one that is known, or that was forgotten, changes nothing."""
        new = (Paid(micros(each.event_time), each.event_id, each.amount) for each in payments)
        known = {paid.payment_id: paid for paid in self.paid}
        # Of several at the oldest's instant, those before it were forgotten.
        forgotten = self.paid[0][:2] if self.paid and self.forgotten else (0, "")
        fresh = {paid.payment_id: paid for paid in new if paid[:2] >= forgotten}
        everything = sorted((fresh | known).values())
        cut = max(0, len(everything) - KEEP_PAYMENTS)
        return Card(tuple(everything[cut:]), self.forgotten + cut)

    def ratio(self, payment_id: str) -> float:
        """A payment's amount over what was usual for the card; nan if that is not known."""
        place = next((at for at, paid in enumerate(self.paid) if paid.payment_id == payment_id), None)
        if place is None:
            return float("nan")
        earlier = [paid.amount for paid in self.paid[max(0, place - AMOUNTS) : place]]
        usual = float(usual_amount(np.array([earlier]))[0])
        return self.paid[place].amount / max(usual, MIN_AMOUNT)

    def row(self, card_id: str) -> CardPayments:
        """As it is served; there is at least one payment."""
        return CardPayments(
            card_id=card_id,
            event_timestamp=moment(self.paid[-1].time),
            forgotten=self.forgotten,
            payment_ids=[paid.payment_id for paid in self.paid],
            times=[paid.time for paid in self.paid],
            amounts=[paid.amount for paid in self.paid],
        )


class Terminal(NamedTuple):
    """Outcomes of the newest payments at a terminal, by time of payment."""

    known: tuple[Known, ...] = ()

    def merged(self, outcomes: Iterable[tuple[PaymentOutcome, float]]) -> Terminal:
        """With these outcomes and the ratios of their amounts, in any order; a payment's newest counts."""
        everything = {known.payment_id: known for known in self.known}
        for each, ratio in outcomes:
            told = Known(micros(each.paid_at), each.payment_id, each.fraud, ratio, micros(each.event_time))
            everything[told.payment_id] = told.merged(everything.get(told.payment_id, told))
        return Terminal(tuple(sorted(everything.values(), key=lambda known: known[:2])[-KEEP_OUTCOMES:]))

    def changed(self, before: Terminal) -> int:
        """How many outcomes are new or others than they were before."""
        return len({known.facts for known in self.known} - {known.facts for known in before.known})

    def row(self, terminal_id: str) -> TerminalOutcomes:
        """As it is served; there is at least one outcome."""
        return TerminalOutcomes(
            terminal_id=terminal_id,
            event_timestamp=moment(self.known[-1].time),
            payment_ids=[known.payment_id for known in self.known],
            times=[known.time for known in self.known],
            frauds=[known.fraud for known in self.known],
            ratios=[known.ratio for known in self.known],
            told=[known.told for known in self.known],
        )


def card_of(row: dict[str, Any]) -> Card:
    """The card of a served row, given as a mapping of its columns."""
    c = CARD_PAYMENTS.c
    columns = (row[c.times], row[c.payment_ids], row[c.amounts])
    return Card(tuple(map(Paid, *columns)), row[c.forgotten])


def terminal_of(row: dict[str, Any]) -> Terminal:
    """The terminal of a served row, given as a mapping of its columns."""
    c = TERMINAL_OUTCOMES.c
    # Rows that an earlier release wrote, maybe over newer ones, do not say when; any outcome that comes again
    # or anew is then the newer one.
    told = row[c.told]
    if told is None or len(told) != len(row[c.times]):
        told = [_UNTOLD] * len(row[c.times])
    columns = (row[c.times], row[c.payment_ids], row[c.frauds], row[c.ratios], told)
    return Terminal(tuple(map(Known, *columns)))


def usual_amount(amounts: Numbers) -> Numbers:
    """Mean of each row's amounts, outliers left out; nan for a row without any.

    Args:
        amounts: cards x payments in any order; where there are fewer, the rest is inf.
    """
    counts = np.isfinite(amounts).sum(axis=1)
    if not (width := int(counts.max(initial=0))):
        return np.full(len(amounts), np.nan)
    ordered = np.sort(amounts, axis=1)[:, :width]
    row = np.arange(len(ordered))
    twice = ordered[row, np.maximum(counts - 1, 0) // 2] + ordered[row, np.minimum(counts // 2, width - 1)]
    usual = (ordered <= OUTLIER * twice[:, None] / 2) & np.isfinite(ordered)
    mean: Numbers = np.where(usual, ordered, 0).sum(axis=1) / np.where(counts, usual.sum(axis=1), np.nan)
    return mean
