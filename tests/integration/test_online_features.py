"""Clicks reach Redis through Kafka, soon, once each, and whatever stops the updater."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from confluent_kafka import Producer

from mercato.contracts.events import CLICKSTREAM, PAYMENT_OUTCOMES, Click, Event, PaymentOutcome
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import OnlineFeatures, Session
from mercato.online.session import SESSION_GAP, household_session, reduce, step
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream import updates
from mercato.stream.online_features import GROUP, Updater
from mercato.stream.quarantine import NOT_MERGED
from mercato.stream.topics import kafka_name
from mercato.stream.updates import Counts
from tests.integration.following import following
from tests.integration.records import consume
from tests.integration.sending import send
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

ROOT = Path(__file__).parents[2]


class Clicker:
    """Produces clicks as the API does: keyed by household."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer({"bootstrap.servers": settings.require("kafka_bootstrap"), "linger.ms": 0})
        self._topic = kafka_name(settings, CLICKSTREAM.name)

    def send(self, *clicks: Click) -> None:
        for click in clicks:
            self.send_raw(click.household_id, CLICKSTREAM.encode(click))
        assert self._producer.flush(10) == 0

    def send_raw(self, household_id: int, value: bytes) -> None:
        self._producer.produce(self._topic, value, str(household_id))
        self._producer.poll(0)


@pytest.fixture
def clicker(own: Settings) -> Clicker:
    return Clicker(own)


def click(household_id: int, product_id: int, ago: float = 0, action: str = "add_to_cart") -> Click:
    return Click(
        event_id=uuid.uuid4().hex,
        event_time=datetime.now(UTC) - timedelta(seconds=ago),
        household_id=household_id,
        session_id="s",
        action=action,  # type: ignore[arg-type]
        product_id=product_id,
        basket_id=1 if action == "checkout" else None,
        store_id=367,
    )


def session(online: OnlineFeatures, household_id: int) -> Session:
    household = online.household(household_id)
    return household.session if household else Session()


def in_cart(online: OnlineFeatures, household_id: int, product_id: int) -> Callable[[], bool]:
    return lambda: product_id in session(online, household_id).cart


def has_clicks(online: OnlineFeatures, household_id: int, count: int) -> Callable[[], bool]:
    return lambda: session(online, household_id).clicks == count


def warm(clicker: Clicker, online: OnlineFeatures) -> None:
    """Wait until the consumer group has its partitions: a click of every partition has come through."""
    for household in range(9_000, 9_016):
        clicker.send(click(household, 1))
        assert eventually(in_cart(online, household, 1))


def test_a_click_is_served_within_a_second(own: Settings, online: OnlineFeatures, clicker: Clicker) -> None:
    with following(own):
        warm(clicker, online)
        for product in range(1, 51):
            sent = time.monotonic()
            clicker.send(click(1, product))
            assert eventually(in_cart(online, 1, product))
            assert time.monotonic() - sent < 1
    found = session(online, 1)
    assert (found.cart, found.clicks, found.store_id) == (tuple(range(1, 51)), 50, 367)
    assert found.updated_at is not None
    assert found.last_event_time is not None
    assert found.updated_at - found.last_event_time < timedelta(seconds=2)


def test_what_was_there_before_the_first_start_is_left_and_what_comes_after_is_not(
    own: Settings, online: OnlineFeatures, clicker: Clicker
) -> None:
    clicker.send(click(1, 1))
    with following(own):
        pass  # started once, stopped before it could take anything
    clicker.send(click(1, 2))
    with following(own):
        assert eventually(lambda: session(online, 1).cart == (2,))


def test_duplicates_invalid_and_stale_clicks_change_nothing(
    own: Settings, online: OnlineFeatures, clicker: Clicker
) -> None:
    known = click(1, 5)
    with following(own):
        clicker.send_raw(1, b"not json")
        clicker.send_raw(1, CLICKSTREAM.encode(known).replace(b"add_to_cart", b"steal"))
        clicker.send(known, known, click(1, 6, ago=3 * 86_400), known, click(1, 8, ago=5))
        assert eventually(lambda: sum(online.store.counts(GROUP).values()) == 7)
    assert session(online, 1).cart == (8, 5)
    assert online.store.counts(GROUP) == {"failed": 0, "invalid": 2, "stale": 1, "unchanged": 2, "written": 2}


def test_an_event_that_can_not_be_merged_is_put_aside_and_stops_nothing(
    own: Settings, online: OnlineFeatures, clicker: Clicker, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = updates._MERGES[CLICKSTREAM.name]

    def fails_for_thirteen(store: OnlineStore, events: Iterable[Event], now: datetime) -> Counts:
        clicks = list(events)
        if any(isinstance(each, Click) and each.product_id == 13 for each in clicks):
            raise OverflowError("thirteen")
        return merge(store, clicks, now)

    monkeypatch.setattr(updates, "_MERGES", {**updates._MERGES, CLICKSTREAM.name: fails_for_thirteen})
    bad = click(1, 13)
    with following(own):
        clicker.send(click(1, 5, ago=3), click(1, 6, ago=2), bad, click(1, 8), click(2, 9))
        assert eventually(lambda: online.store.counts(GROUP).get("failed") == 1)
        assert eventually(lambda: session(online, 1).cart == (5, 6, 8))
        assert eventually(in_cart(online, 2, 9))
    (aside,) = consume(own, CLICKSTREAM.quarantine)
    assert (aside.key(), aside.value()) == (b"1", CLICKSTREAM.encode(bad))
    said = {name: text.decode() for name, text in aside.headers()}
    assert said == {
        "code": NOT_MERGED, "field": "$", "reason": "OverflowError('thirteen')", "topic": CLICKSTREAM.name,
    }  # fmt: skip
    with following(own):  # it was read, and is not read again
        clicker.send(click(1, 10))
        assert eventually(in_cart(online, 1, 10))
    assert online.store.counts(GROUP)["failed"] == 1


def test_outcomes_of_payments_that_nobody_can_have_made_yet_change_nothing(
    own: Settings, online: OnlineFeatures
) -> None:
    """A terminal remembers its newest payments' outcomes: those of the future would be all that it has."""
    now = datetime.now(UTC)

    def told(name: str, paid_at: datetime) -> PaymentOutcome:
        return PaymentOutcome(
            event_id=name, event_time=now, payment_id=name, paid_at=paid_at, card_id="1", terminal_id="1",
            fraud=True,
        )  # fmt: skip

    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1)))
    ahead = [told(f"far{number}", now + timedelta(days=9_999)) for number in range(300)]
    with following(own):
        send(own, PAYMENT_OUTCOMES, [told("last", last), *ahead, told("true", now - timedelta(days=7))])
        assert eventually(lambda: online.store.counts(GROUP).get("written") == 1)
    assert online.store.counts(GROUP)["invalid"] == 301
    assert [each.payment_id for each in online.payment("1", "1")[1].known] == ["true"]


def test_checkout_ends_the_session(own: Settings, online: OnlineFeatures, clicker: Clicker) -> None:
    with following(own):
        clicker.send(click(1, 5), click(1, 5, action="checkout"))
        assert eventually(lambda: session(online, 1).last_action == "checkout")
        assert session(online, 1).cart == ()
        clicker.send(click(1, 9, action="view"))
        assert eventually(lambda: session(online, 1).viewed == (9,))
    assert session(online, 1).clicks == 1


def test_a_silent_session_is_over(own: Settings, online: OnlineFeatures, clicker: Clicker) -> None:
    with following(own):
        clicker.send(click(1, 5))
        assert eventually(lambda: session(online, 1).cart == (5,))
    later = online.household(1, now=datetime.now(UTC) + SESSION_GAP)
    assert later is not None
    assert later.session == Session()


def test_restarts_by_sigkill_lose_and_double_nothing(
    own: Settings, online: OnlineFeatures, clicker: Clicker
) -> None:
    rng = random.Random(4)
    actions = ("view", "add_to_cart", "remove_from_cart")
    sent: dict[int, list[Click]] = defaultdict(list)
    environment = os.environ | {
        "MERCATO_HOME": str(own.home),
        "MERCATO_TOPIC_PREFIX": own.topic_prefix,
        "MERCATO_KAFKA_BOOTSTRAP": own.require("kafka_bootstrap"),
        "MERCATO_REDIS_URL": own.require("redis_url"),
    }
    command = [sys.executable, "-m", "mercato", "features", "serve-stream"]
    Updater(own)._consumer.close()  # the first start: from here on nothing may be missed
    for _ in range(5):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        kill_at = time.monotonic() + rng.uniform(1, 5)
        while time.monotonic() < kill_at:
            one = click(rng.randint(1, 20), rng.randint(1, 9), rng.uniform(0, 60), rng.choice(actions))
            sent[one.household_id].append(one)
            clicker.send(one)
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        for household, clicks in sent.items():
            wanted = household_session(household, reduce((), map(step, clicks)), datetime.now(UTC))
            assert eventually(has_clicks(online, household, wanted.clicks), seconds=40)
            found = session(online, household)
            assert list(found.cart) == wanted.cart
            assert list(found.removed) == wanted.removed
            assert found.last_event_id == wanted.last_event_id
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_without_redis_it_fails_clearly_and_fast() -> None:
    online = OnlineFeatures(Settings(redis_url="redis://127.0.0.1:9/0"))
    started = time.monotonic()
    with pytest.raises(OnlineUnavailableError, match="Redis does not answer"):
        online.household(1)
    assert time.monotonic() - started < 1.5
