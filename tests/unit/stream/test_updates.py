"""Events that can not be merged hold up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.contracts.events import CLICKSTREAM, PAYMENTS, Click, Event
from mercato.online.connection import OnlineUnavailable
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
        raise OnlineUnavailable("gone")

    patch = merging(merge)
    try:
        with pytest.raises(OnlineUnavailable):
            update(None, {CLICKSTREAM.name: [click(1), click(2)]}, NOW)  # type: ignore[arg-type]
    finally:
        patch.undo()
