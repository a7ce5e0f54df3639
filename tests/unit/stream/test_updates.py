"""Events that cannot be merged hold up no other, and a later outcome replaces an earlier one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from mercato.contracts.events import CLICKSTREAM, PAYMENT_OUTCOMES, PAYMENTS, Click, Event, PaymentOutcome
from mercato.online.codec import Codec
from mercato.online.connection import OnlineUnavailableError, translated
from mercato.online.views import TERMINAL_OUTCOMES, View
from mercato.stream import updates
from mercato.stream.updates import Counts, update

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Merge = Callable[[Any, Iterable[Event], datetime], Counts]


def click(number: int) -> Click:
    return Click(
        event_id=str(number),
        event_time=NOW,
        household_id=1,
        session_id="s",
        action="view",
        product_id=number + 1,
    )


class Kept:
    """A store of one terminal, in the bytes that Redis would hold."""

    def __init__(self) -> None:
        self.redis = None
        self.stored: dict[str, dict[bytes, bytes]] = {}

    def read_many(self, codec: Codec, entities: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for entity in entities:
            stored = self.stored.get(entity, {})
            row = codec.decode([stored.get(field) for field in codec.fields])
            if row is not None:
                yield entity, row

    def write(self, view: View, rows: Iterable[dict[str, Any]]) -> None:
        self.stored |= {row[view.entity]: Codec(view).encode(row) for row in rows}


def told(event_id: str, days: int, fraud: bool) -> PaymentOutcome:
    return PaymentOutcome(
        event_id=event_id,
        event_time=NOW + timedelta(days=days),
        payment_id="1",
        paid_at=NOW,
        card_id="card",
        terminal_id="1",
        fraud=fraud,
    )


def test_an_outcome_that_changed_is_written_and_one_that_is_older_or_known_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(updates, "CaseBook", Mock())
    store = Kept()
    review, dispute = told("review", 1, fraud=False), told("dispute", 20, fraud=True)

    def after(*outcomes: PaymentOutcome) -> tuple[int, int, list[bool]]:
        counts, failed = update(store, {PAYMENT_OUTCOMES.name: outcomes}, NOW)  # type: ignore[arg-type]
        assert not failed
        ((_, row),) = store.read_many(Codec(TERMINAL_OUTCOMES), ["1"])
        return counts.written, counts.unchanged, list(row["frauds"])

    assert after(review) == (1, 0, [False])
    assert after(review) == (0, 1, [False])
    assert after(dispute) == (1, 0, [True])
    assert after(review, dispute) == (0, 2, [True])
    # What an earlier release wrote does not say when it was told, and is said anew.
    (stored,) = store.stored.values()
    del stored[Codec(TERMINAL_OUTCOMES, ["told"]).fields[1]]
    assert after(told("again", 30, fraud=False)) == (1, 0, [False])


def merging(merge: Merge) -> pytest.MonkeyPatch:
    patch = pytest.MonkeyPatch()
    patch.setattr(updates, "_MERGES", {CLICKSTREAM.name: merge, PAYMENTS.name: merge})
    return patch


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=6))
def test_all_others_are_merged_in_their_order_and_those_are_named(count: int, bad: set[int]) -> None:
    merged: list[str] = []

    def merge(_store: Any, events: Iterable[Event], _now: datetime) -> Counts:
        before, found = list(merged), list(events)
        for each in found:
            if int(each.event_id) in bad:
                merged[:] = before
                raise OverflowError(each.event_id)
            merged.append(each.event_id)
        return Counts(written=len(found))

    patch, clicks = merging(merge), [click(number) for number in range(count)]
    try:
        counts, failed = update(None, {CLICKSTREAM.name: clicks}, NOW)  # type: ignore[arg-type]
    finally:
        patch.undo()
    assert merged == [str(number) for number in range(count) if number not in bad]
    assert [int(each.event.event_id) for each in failed] == sorted(bad & set(range(count)))
    assert all(each.topic is CLICKSTREAM and str(each.error) == each.event.event_id for each in failed)
    assert counts == Counts(written=len(merged), failed=len(failed))


def test_a_store_that_is_gone_is_no_events_fault() -> None:
    def merge(_store: Any, _events: Iterable[Event], _now: datetime) -> Counts:
        raise OnlineUnavailableError("gone")

    patch = merging(merge)
    try:
        with pytest.raises(OnlineUnavailableError):
            update(None, {CLICKSTREAM.name: [click(1), click(2)]}, NOW)  # type: ignore[arg-type]
    finally:
        patch.undo()


def refusing(event: int, answer: redis.ResponseError) -> Merge:
    """A merge whose pipeline Redis refuses for one event."""

    def merge(_store: Any, events: Iterable[Event], _now: datetime) -> Counts:
        found = list(events)
        with translated():
            if str(event) in {each.event_id for each in found}:
                raise answer
        return Counts(written=len(found))

    return merge


def test_a_key_that_holds_something_else_is_its_events_own_fault() -> None:
    wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"
    patch = merging(
        refusing(1, redis.ResponseError(f"Command # 1 (HSET 1) of pipeline caused error: {wrong}"))
    )
    try:
        counts, (failed,) = update(None, {CLICKSTREAM.name: [click(n) for n in range(4)]}, NOW)  # type: ignore[arg-type]
    finally:
        patch.undo()
    assert counts == Counts(written=3, failed=1)
    assert failed.event == click(1)
    assert wrong in str(failed.error)


@pytest.mark.parametrize(
    "answer",
    [
        redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'"),
        redis.exceptions.NoPermissionError(
            "Command # 1 (HSET WRONGTYPE) of pipeline caused error: no permissions"
        ),
        redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    ],
)
def test_a_store_that_refuses_is_no_events_fault_and_is_said_to_run(answer: redis.ResponseError) -> None:
    patch = merging(refusing(1, answer))
    try:
        with pytest.raises(OnlineUnavailableError, match=f"^Redis refused: {re.escape(str(answer))}$"):
            update(None, {CLICKSTREAM.name: [click(1), click(2)]}, NOW)  # type: ignore[arg-type]
    finally:
        patch.undo()
