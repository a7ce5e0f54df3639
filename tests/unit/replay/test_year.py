"""The same year every time, in order, and each event as its contract wants it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from mercato.contracts.events import (
    PROMOTIONS,
    TOPICS,
    Click,
    Event,
    Inventory,
    Payment,
    PaymentOutcome,
    Promotion,
    Violation,
)
from mercato.replay.clock import DAY, WEEKS, Clock
from mercato.replay.dataset import Dataset
from mercato.replay.events import REPLAYED, Year
from mercato.replay.simulate.frauds import struck

HOUSEHOLDS = 20
SIMULATED = {"clickstream.v1", "inventory.v1", "payments.v1", "payment_outcomes.v1"}
Record = tuple[str, bytes, bytes]


class Timed(msgspec.Struct):
    """Any event, its time alone."""

    event_time: datetime


@pytest.fixture(scope="module")
def year() -> Year:
    return Year(Dataset(HOUSEHOLDS))


@pytest.fixture(scope="module")
def records(year: Year) -> list[Record]:
    return [record for batch in year.batches(Clock()) for record in batch.records]


def events(records: list[Record], topic: str) -> list[Event]:
    decoded = [TOPICS[name].decode(value, datetime.now(UTC)) for name, _, value in records if name == topic]
    refused = [one for one in decoded if isinstance(one, Violation)]
    assert refused == []
    return [one for one in decoded if isinstance(one, Event)]


def test_a_second_year_has_the_same_bytes(records: list[Record]) -> None:
    again = Year(Dataset(HOUSEHOLDS))
    assert [record for batch in again.batches(Clock()) for record in batch.records] == records


@pytest.mark.parametrize("part", [0.0, 0.137, 0.5, 0.99, 1.0])
def test_what_is_left_does_not_depend_on_where_the_last_run_stopped(
    year: Year, records: list[Record], part: float
) -> None:
    cut = int(len(records) * part)
    done: dict[str, int] = defaultdict(int)
    for name, _, _ in records[:cut]:
        done[name] += 1
    left = [record for batch in year.batches(Clock(), done) for record in batch.records]
    assert left == records[cut:]


def test_a_year_of_one_topic_is_that_part_of_the_whole(records: list[Record]) -> None:
    for topic in REPLAYED:
        alone = Year(Dataset(HOUSEHOLDS), [topic])
        assert [r for batch in alone.batches(Clock()) for r in batch.records] == [
            record for record in records if record[0] == topic
        ]


def test_until_cuts_the_year_at_a_time(year: Year, records: list[Record]) -> None:
    until = year.start + 40 * DAY
    early = [record for batch in year.batches(Clock(), until=until) for record in batch.records]
    assert early == records[: len(early)]
    assert len(early) == sum(year.totals(until).values())
    assert all(when < until for batch in year.batches(Clock(), until=until) for when in batch.times)


@pytest.mark.parametrize("topic", REPLAYED)
def test_events_satisfy_their_contract(year: Year, records: list[Record], topic: str) -> None:
    found = events(records, topic)
    assert len(found) == year.totals()[topic] > 0
    assert len({event.event_id for event in found}) == len(found)
    later = {event.simulated for event in found if isinstance(event, Promotion) and event.week > WEEKS}
    recorded = {event.simulated for event in found if not isinstance(event, Promotion) or event.week <= WEEKS}
    assert recorded == {topic in SIMULATED}
    assert later == ({True} if topic == PROMOTIONS.name else set())
    keys = [key for name, key, _ in records if name == topic]
    assert keys == [str(getattr(event, TOPICS[topic].key)).encode() for event in found]


def test_the_week_after_the_year_is_planned_as_it_was_a_year_before(records: list[Record]) -> None:
    plans: dict[int, dict[int, Promotion]] = defaultdict(dict)
    for promotion in events(records, PROMOTIONS.name):
        assert isinstance(promotion, Promotion)
        plans[promotion.week][promotion.product_id] = promotion
    before, after = plans[2], plans[54]
    assert max(plans) == 54
    assert {product: plan.placements for product, plan in after.items()} == {
        product: plan.placements for product, plan in before.items()
    }
    ends = {plan.valid_to for plan in plans[53].values()}
    assert {plan.valid_from for plan in after.values()} == ends
    assert {plan.valid_to for plan in after.values()} == {end + timedelta(weeks=1) for end in ends}
    assert {plan.event_time for plan in after.values()} == {end - timedelta(days=2) for end in ends}


def test_records_are_in_time_order_over_all_topics(records: list[Record]) -> None:
    times = [msgspec.json.decode(value, type=Timed).event_time for _, _, value in records]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "now", [datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2027, 7, 9, 23, 59, tzinfo=UTC)]
)
def test_the_year_moves_by_whole_weeks_to_end_now(year: Year, now: datetime) -> None:
    clock = Clock.ending_by(now, year.last)
    original = Clock()
    assert timedelta() <= now - clock.move(year.last) < timedelta(weeks=1)
    assert clock.source(clock.move(year.last)) == year.last
    sample = year.feeds[-1].times[::500]
    for before, after in zip(original.moves(sample), clock.moves(sample), strict=True):
        assert (before.weekday(), before.time()) == (after.weekday(), after.time())
        assert (after - before) % timedelta(weeks=1) == timedelta()


def test_shifted_events_are_never_in_the_future(year: Year) -> None:
    clock = Clock.ending_by(datetime.now(UTC), year.last)
    for batch in year.batches(clock):
        for name, _, value in batch.records[-1:]:
            assert not isinstance(TOPICS[name].decode(value, datetime.now(UTC)), Violation)


def test_a_session_leads_to_its_checkout(year: Year, records: list[Record]) -> None:
    sessions: dict[str, list[Click]] = defaultdict(list)
    for click in events(records, "clickstream.v1"):
        assert isinstance(click, Click)
        sessions[click.session_id].append(click)
    assert len(sessions) == len(year.dataset.baskets)
    bought = defaultdict(set)
    for basket, product in zip(
        year.dataset.lines.basket_id.tolist(), year.dataset.lines.product_id.tolist(), strict=True
    ):
        bought[basket].add(product)
    instants = dict(
        zip(year.dataset.baskets.basket_id.tolist(), Clock().moves(year.dataset.baskets.time), strict=True)
    )
    for clicks in sessions.values():
        *steps, checkout = clicks
        assert checkout.action == "checkout"
        assert checkout.basket_id is not None
        assert checkout.event_time == instants[checkout.basket_id]
        times = [click.event_time for click in clicks]
        assert len(set(times)) == len(times)
        added = [step.product_id for step in steps if step.action == "add_to_cart"]
        removed = [step.product_id for step in steps if step.action == "remove_from_cart"]
        viewed = {step.product_id for step in steps if step.action == "view"}
        assert set(added) - set(removed) <= bought[checkout.basket_id]
        assert bought[checkout.basket_id].isdisjoint(removed)
        assert set(added) <= viewed
    assert 7 < sum(map(len, sessions.values())) / len(sessions) < 9
    assert {click.action for clicks in sessions.values() for click in clicks} == {
        "view", "search", "add_to_cart", "remove_from_cart", "checkout",
    }  # fmt: skip


def test_every_basket_is_paid_once_before_its_receipt(year: Year, records: list[Record]) -> None:
    paid = {
        payment.basket_id: payment
        for payment in events(records, "payments.v1")
        if isinstance(payment, Payment)
    }
    outcomes = {
        outcome.payment_id: outcome
        for outcome in events(records, "payment_outcomes.v1")
        if isinstance(outcome, PaymentOutcome)
    }
    frauds = {int(payment) for payment, outcome in outcomes.items() if outcome.fraud}
    baskets = year.dataset.baskets
    for basket, instant, amount in zip(
        baskets.basket_id.tolist(), Clock().moves(baskets.time), baskets.paid.tolist(), strict=True
    ):
        assert timedelta() < instant - paid[basket].event_time <= timedelta(seconds=40)
        assert paid[basket].amount == amount or basket in frauds
    assert baskets.paid.sum() == pytest.approx(
        year.dataset.lines.sales_value.sum() - year.dataset.lines.coupon_disc.sum(), rel=0.001
    )
    cards = defaultdict(set)
    for payment in paid.values():
        cards[payment.household_id].add(payment.card_id)
    assert {len(owned) for owned in cards.values()} <= {1, 2, 3}


def test_every_payment_but_the_last_weeks_has_an_outcome_a_week_later(records: list[Record]) -> None:
    paid = {one.event_id: one for one in events(records, "payments.v1") if isinstance(one, Payment)}
    outcomes = [one for one in events(records, "payment_outcomes.v1") if isinstance(one, PaymentOutcome)]
    for outcome in outcomes:
        payment = paid[outcome.payment_id]
        assert (outcome.card_id, outcome.terminal_id) == (payment.card_id, payment.terminal_id)
        assert outcome.paid_at == payment.event_time == outcome.event_time - timedelta(days=7)
    open_ = paid.keys() - {outcome.payment_id for outcome in outcomes}
    last = max(payment.event_time for payment in paid.values())
    assert open_ == {name for name, one in paid.items() if one.event_time > last - timedelta(days=7)}


def test_frauds_come_as_the_handbook_has_them() -> None:
    number = np.arange(200_000)
    card, terminal = number % 5000, number % 3000
    day, amount = number * 180 // len(number), np.full(len(number), 40.0)
    charged, fraud = struck(number, (card, card), (terminal, terminal), day, amount)
    stolen, leaked = charged >= 220, charged == 200
    assert fraud[stolen | leaked].all()
    assert set(charged[~fraud]) == {40.0}
    assert stolen.mean() == pytest.approx(0.0005, rel=0.3)
    assert leaked.mean() == pytest.approx(14 * 0.0006 / 3, rel=0.2)
    at_terminal = fraud & ~stolen & ~leaked
    assert at_terminal.mean() == pytest.approx(28 * 0.0002, rel=0.2)
    struck_terminal = terminal[at_terminal][0]
    days = day[at_terminal & (terminal == struck_terminal)]
    there = (terminal == struck_terminal) & (day >= days.min()) & (day <= days.max())
    assert fraud[there].all()
    assert np.ptp(days) < 28


def test_stock_changes_only_by_sales_and_deliveries(year: Year, records: list[Record]) -> None:
    sales = defaultdict(list)
    lines = year.dataset.lines
    for store, product, when, units in zip(
        lines.store_id.tolist(),
        lines.product_id.tolist(),
        Clock().moves(lines.time),
        lines.quantity.tolist(),
        strict=True,
    ):
        sales[store, product].append((when, units))
    visits = defaultdict(list)
    for visit in events(records, "inventory.v1"):
        assert isinstance(visit, Inventory)
        visits[visit.store_id, visit.product_id].append(visit)
    reasons = set()
    for shelf, seen in visits.items():
        for visit, following in zip(seen, [*seen[1:], None], strict=True):
            end = following.event_time if following else datetime.max.replace(tzinfo=UTC)
            left = visit.on_hand - sum(u for when, u in sales[shelf] if visit.event_time <= when < end)
            assert left >= 0
            if following:
                reasons.add(following.reason)
                assert following.on_hand == left if following.reason == "count" else following.on_hand > left
    assert reasons == {"count", "delivery"}


def test_times_are_sorted_in_every_feed(year: Year) -> None:
    for feed in year.feeds:
        assert np.all(np.diff(feed.times) >= 0)
