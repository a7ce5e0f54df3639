"""The session is a function of the set of clicks: order and repetition don't matter."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mercato.contracts.events import Click
from mercato.online.session import (
    KEEP,
    KEEP_CLICKS,
    SESSION_GAP,
    HouseholdSession,
    Log,
    Step,
    household_session,
    log_of,
    micros,
    moment,
    open_session,
    reduce,
    step,
)

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
ACTIONS = ("view", "search", "add_to_cart", "remove_from_cart", "checkout")


def at(minutes: float, event_id: str, action: str = "view", product_id: int = 7, store_id: int = 0) -> Step:
    return Step(micros(START + timedelta(minutes=minutes)), event_id, "s", action, product_id, store_id)


@st.composite
def clicks(draw: st.DrawFn) -> list[Step]:
    """Clicks over two days with unique ids, so that gaps, checkouts and forgetting all occur."""
    count = draw(st.integers(1, 40))
    return [
        at(draw(st.integers(0, 2_880)), f"e{i}", draw(st.sampled_from(ACTIONS)), draw(st.integers(1, 6)))
        for i in range(count)
    ]


def fold(steps: list[Step]) -> Log:
    log: Log = ()
    for one in steps:
        log = reduce(log, [one])
    return log


@given(clicks(), st.randoms(use_true_random=False))
def test_any_order_with_duplicates_ends_in_the_same_log(steps: list[Step], rng: random.Random) -> None:
    shuffled = steps + rng.choices(steps, k=len(steps))
    rng.shuffle(shuffled)
    assert fold(shuffled) == fold(steps) == reduce((), steps)


@given(clicks(), st.data())
def test_of_several_clicks_with_one_id_the_same_counts_in_any_order(
    steps: list[Step], data: st.DataObject
) -> None:
    moved = [
        data.draw(st.sampled_from(steps))._replace(time=micros(START + timedelta(minutes=minutes)))
        for minutes in data.draw(st.lists(st.integers(0, 2_880), min_size=1, max_size=5))
    ]
    shuffled = data.draw(st.permutations(steps + moved))
    assert fold(shuffled) == reduce((), steps + moved)
    ids = [kept.event_id for kept in reduce((), steps + moved)]
    assert len(ids) == len(set(ids))


@given(clicks(), st.integers(0, 40))
def test_batches_may_be_cut_anywhere(steps: list[Step], cut: int) -> None:
    assert reduce(reduce((), steps[:cut]), steps[cut:]) == reduce((), steps)


@given(clicks())
def test_a_served_row_carries_its_whole_log(steps: list[Step]) -> None:
    log = reduce((), steps)
    row = household_session(1, log, START)
    assert log_of(msgspec.structs.asdict(row)) == log


@given(clicks())
def test_a_session_has_no_long_silence_and_no_checkout_inside(steps: list[Step]) -> None:
    session = open_session(reduce((), steps))
    assert session[-1] == max(steps)
    assert all(kept.action != "checkout" for kept in session[:-1])
    gaps = [after.time - before.time for before, after in itertools.pairwise(session)]
    assert all(gap <= SESSION_GAP / timedelta(microseconds=1) for gap in gaps)


@given(clicks())
def test_no_product_is_both_in_the_cart_and_removed(steps: list[Step]) -> None:
    row = household_session(1, reduce((), steps), START)
    assert not set(row.cart) & set(row.removed)


def served(*steps: Step) -> HouseholdSession:
    return household_session(1, reduce((), steps), START)


def test_a_gap_of_exactly_thirty_minutes_stays_one_session() -> None:
    assert served(at(0, "a", "add_to_cart", 1), at(30, "b", "add_to_cart", 2)).cart == [1, 2]
    assert served(at(0, "a", "add_to_cart", 1), at(30.001, "b", "add_to_cart", 2)).cart == [2]


def test_a_late_click_joins_two_sessions() -> None:
    apart = [at(0, "a", "add_to_cart", 1), at(50, "c", "add_to_cart", 3)]
    assert served(*apart).cart == [3]
    assert served(*apart, at(25, "b", "view", 2)).cart == [1, 3]


def test_removing_and_adding_again() -> None:
    added = [at(0, "a", "add_to_cart", 1), at(1, "b", "add_to_cart", 2), at(2, "c", "remove_from_cart", 1)]
    assert (served(*added).cart, served(*added).removed) == ([2], [1])
    again = served(*added, at(3, "d", "add_to_cart", 1))
    assert (again.cart, again.removed) == ([2, 1], [])


def test_a_removal_that_arrives_before_its_addition_still_counts() -> None:
    removal, addition = at(1, "b", "remove_from_cart", 1), at(0, "a", "add_to_cart", 1)
    assert fold([removal, addition]) == fold([addition, removal])
    assert served(removal, addition).cart == []


def test_checkout_empties_the_cart_and_the_next_click_starts_anew() -> None:
    bought = [at(0, "a", "view", 1), at(1, "b", "add_to_cart", 1), at(2, "c", "checkout", 0)]
    row = served(*bought)
    assert (row.cart, row.viewed, row.last_action, row.last_product_id) == ([], [], "checkout", None)
    assert served(*bought, at(3, "d", "view", 9)).clicks == 1


def test_the_newest_store_wins_over_clicks_without_one() -> None:
    steps = [at(0, "a", store_id=5), at(1, "b", store_id=6), at(2, "c")]
    assert served(*steps).store_id == 6


def test_only_the_newest_clicks_are_kept() -> None:
    many = [at(i / 60, f"e{i:04}") for i in range(KEEP_CLICKS + 10)]
    assert reduce((), many) == tuple(many[10:])
    old = at(-KEEP / timedelta(minutes=1) - 0.1, "old")
    assert old not in reduce((), [old, at(0, "new")])


def test_a_step_keeps_microseconds() -> None:
    time = START + timedelta(microseconds=123_457)
    click = Click(
        event_id="e", event_time=time, household_id=1, session_id="s", action="view", product_id=3, store_id=4
    )
    kept = step(click)
    assert moment(kept.time) == time
    assert (kept.product_id, kept.store_id) == (3, 4)
