"""What the API depends on is asked seldom, however often its health is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.api import health
from lambdas.api.health import Dependencies


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Redis:
    """What is pinged: counts, and may be down or hang."""

    def __init__(self) -> None:
        self.asked = 0
        self.up = True
        self.going = threading.Event()
        self.going.set()

    def ping(self) -> None:
        self.asked += 1
        self.going.wait(10)
        if not self.up:
            raise ConnectionError("redis.internal:6379 refused")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(health, "time", clock)
    return clock


def test_an_answer_is_given_again_for_a_second(clock: Clock) -> None:
    redis = Redis()
    dependencies = Dependencies(redis=redis.ping, kafka=None)
    assert [dependencies.states()["redis"].ok for _ in range(1_000)] == [True] * 1_000
    assert redis.asked == 1
    redis.up = False
    clock.now += health.KEPT
    found = dependencies.states()
    assert (found["redis"].ok, found["redis"].detail) == (False, "does not answer")
    assert (found["kafka"].ok, found["kafka"].detail) == (False, "never started")
    assert redis.asked == 2


def test_many_at_once_ask_once_and_only_the_first_of_all_waits(clock: Clock) -> None:
    redis = Redis()
    dependencies = Dependencies(redis=redis.ping)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: dependencies.states()["redis"].ok, range(200)))
    assert (answers, redis.asked) == ([True] * 200, 1)
    clock.now += health.KEPT
    redis.going.clear()
    redis.up = False
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(dependencies.states)
        while redis.asked < 2:
            pass
        assert dependencies.states()["redis"].ok  # what was known before; it does not wait
        redis.going.set()
        assert not asking.result()["redis"].ok
    assert (dependencies.states()["redis"].ok, redis.asked) == (False, 2)


def test_who_changes_an_answer_changes_no_other(clock: Clock) -> None:
    dependencies = Dependencies(redis=Redis().ping)
    dependencies.states().clear()
    assert dependencies.states().keys() == {"redis"}
