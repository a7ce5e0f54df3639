"""What the events of a topic change in the online store: at least once, with states that don't mind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from mercato.contracts.events import (
    CLICKSTREAM,
    PAYMENT_DECISIONS,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRICE_DECISIONS,
    Click,
    Event,
    Payment,
    PaymentDecided,
    PaymentOutcome,
    PriceDecided,
    Topic,
)
from mercato.online import views
from mercato.online.cases import CaseBook
from mercato.online.codec import Codec
from mercato.online.connection import OnlineKeyError, OnlineUnavailableError
from mercato.online.payments import Card, Terminal, card_of, terminal_of
from mercato.online.prices import PriceBook
from mercato.online.session import HOUSEHOLD_SESSION, KEEP, Step, household_session, log_of, reduce, step
from mercato.online.store import OnlineStore

_LOG = tuple(name for name in HOUSEHOLD_SESSION.c if name.startswith("log_"))


class Counts(msgspec.Struct):
    """What became of the events: `written + unchanged + stale + invalid + failed` of them were read.

    Attributes:
        failed: satisfy the contract and cannot be merged all the same.
        invalid: broke the contract; the lake quarantines them.
        stale: too old to matter to a session that is still open.
        unchanged: already known, cut off by newer ones, or nothing that the store keeps.
        written: are in Redis now.
    """

    failed: int = 0
    invalid: int = 0
    stale: int = 0
    unchanged: int = 0
    written: int = 0

    def add(self, more: Counts) -> None:
        """Count these, too."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(more, name))


class Failed(NamedTuple):
    """An event that cannot be merged, and what happened when it was tried alone."""

    topic: Topic
    event: Event
    error: Exception


def update(
    store: OnlineStore, events: Mapping[str, Sequence[Event]], now: datetime
) -> tuple[Counts, list[Failed]]:
    """Merge events, by their topic's name, into what is known of those whom they are about.

    Idempotent, and indifferent to the order of a topic's events; one process at a time may do this
    for a household, a card or a terminal, which Kafka's partitioning sees to. An event that cannot
    be merged holds up no other.

    Raises:
        OnlineUnavailableError: Redis is gone or refuses them all; do the same again.
    """
    counts, failed = Counts(), list[Failed]()
    for topic in FOLLOWED:
        if batch := events.get(topic.name):
            counts.add(_apart(store, topic, batch, now, failed))
    return counts, failed


def _apart(
    store: OnlineStore, topic: Topic, events: Sequence[Event], now: datetime, failed: list[Failed]
) -> Counts:
    """Merge a topic's events; if that fails, the halves of them in their order, down to those that do."""
    try:
        return _MERGES[topic.name](store, events, now)
    except Exception as error:  # whatever it is, it must not stop what comes after
        if isinstance(error, OnlineUnavailableError) and not isinstance(error, OnlineKeyError):
            raise
        if len(events) == 1:
            failed.append(Failed(topic, events[0], error))
            return Counts(failed=1)
    half = len(events) // 2
    counts = _apart(store, topic, events[:half], now, failed)
    counts.add(_apart(store, topic, events[half:], now, failed))
    return counts


def _sessions(store: OnlineStore, clicks: Iterable[Event], now: datetime) -> Counts:
    counts = Counts()
    new: dict[int, list[Step]] = defaultdict(list)
    for click in clicks:
        assert isinstance(click, Click)
        if click.event_time < now - KEEP:
            counts.stale += 1
        else:
            new[click.household_id].append(step(click))
    codec = Codec(views.HOUSEHOLD_SESSION, _LOG)
    known = {household: log_of(row) for household, row in store.read_many(codec, new)}
    rows = []
    for household, steps in new.items():
        before = known.get(household, ())
        after = reduce(before, steps)
        fresh = len(set(after) - set(before))
        counts.written += fresh
        counts.unchanged += len(steps) - fresh
        if fresh:
            rows.append(household_session(household, after, datetime.now(UTC)))
    _write(store, views.HOUSEHOLD_SESSION, rows)
    return counts


def _cards(store: OnlineStore, paid: Iterable[Event], _now: datetime) -> Counts:
    new: dict[str, list[Payment]] = defaultdict(list)
    for payment in paid:
        assert isinstance(payment, Payment)
        new[payment.card_id].append(payment)
    known = _known_cards(store, new)
    counts, rows = Counts(), []
    for card_id, made in new.items():
        before = known.get(card_id, Card())
        after = before.merged(made)
        fresh = len(after.paid) + after.forgotten - len(before.paid) - before.forgotten
        counts.written += fresh
        counts.unchanged += len(made) - fresh
        if fresh:
            rows.append(after.row(card_id))
    _write(store, views.CARD_PAYMENTS, rows)
    return counts


def _terminals(store: OnlineStore, outcomes: Iterable[Event], now: datetime) -> Counts:
    new: dict[str, list[PaymentOutcome]] = defaultdict(list)
    for outcome in outcomes:
        assert isinstance(outcome, PaymentOutcome)
        new[outcome.terminal_id].append(outcome)
    cards = _known_cards(store, {outcome.card_id for batch in new.values() for outcome in batch})
    stored = store.read_many(Codec(views.TERMINAL_OUTCOMES), new)
    known = {terminal: terminal_of(row) for terminal, row in stored}
    counts, rows = Counts(), []
    for terminal_id, batch in new.items():
        before = known.get(terminal_id, Terminal())
        ratios = [cards.get(each.card_id, Card()).ratio(each.payment_id) for each in batch]
        after = before.merged(zip(batch, ratios, strict=True))
        fresh = after.changed(before)
        counts.written += fresh
        counts.unchanged += len(batch) - fresh
        if fresh:
            rows.append(after.row(terminal_id))
    _write(store, views.TERMINAL_OUTCOMES, rows)
    CaseBook(store.redis).close((outcome for batch in new.values() for outcome in batch), now)
    return counts


def _decisions(store: OnlineStore, decided: Iterable[Event], _now: datetime) -> Counts:
    made = [each for each in decided if isinstance(each, PaymentDecided)]
    fresh = CaseBook(store.redis).open(made)
    return Counts(written=fresh, unchanged=len(made) - fresh)


def _prices(store: OnlineStore, decided: Iterable[Event], _now: datetime) -> Counts:
    made = [each for each in decided if isinstance(each, PriceDecided)]
    fresh = PriceBook(store.redis).follow(made)
    return Counts(written=fresh, unchanged=len(made) - fresh)


def _known_cards(store: OnlineStore, cards: Iterable[str]) -> dict[str, Card]:
    return {card: card_of(row) for card, row in store.read_many(Codec(views.CARD_PAYMENTS), cards)}


def _write(store: OnlineStore, view: views.View, rows: Iterable[msgspec.Struct]) -> None:
    store.write(view, (msgspec.structs.asdict(row) for row in rows))


_MERGES: Mapping[str, Callable[[OnlineStore, Iterable[Event], datetime], Counts]] = {
    CLICKSTREAM.name: _sessions,
    PAYMENTS.name: _cards,
    PAYMENT_DECISIONS.name: _decisions,
    PAYMENT_OUTCOMES.name: _terminals,
    PRICE_DECISIONS.name: _prices,
}
#: Topics whose events change the online store, payments before their outcomes, for which they are looked up.
FOLLOWED = (CLICKSTREAM, PAYMENTS, PAYMENT_DECISIONS, PAYMENT_OUTCOMES, PRICE_DECISIONS)
