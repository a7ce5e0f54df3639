"""Decisions on prices in the order in which they come, more than once, and after their time."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from mercato.online import prices
from mercato.online.prices import KEEP_TIME, PriceBook
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from tests.integration.price_offers import STORE, decided

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]


def test_events_again_leave_the_price_that_was_accepted_last(own: Settings) -> None:
    book = PriceBook(OnlineStore(own).redis)
    first, second, back = decided("accept", 50, 0), decided("accept", 51, 1, 3.2), decided("withdraw", 50, 2)
    assert book.follow([first, second]) == 2
    assert book.follow([first, second, back, back, decided("reject", 51, 3)]) == 0
    assert [each.proposed_price for each in book.charged(STORE)] == [3.2]
    assert book.follow([decided("reject", 52, 4)]) == 1
    assert [each.proposed_price for each in book.charged(STORE, [1, 2])] == [3.2]
    assert book.follow([decided("withdraw", 51, 5)]) == 1
    assert book.charged(STORE) == [] == book.charged_anywhere()
    assert book.follow([first, second]) == 0
    assert book.charged(STORE) == []


def test_an_older_price_does_not_come_back_when_its_week_is_forgotten(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = OnlineStore(own).redis
    book = PriceBook(redis)
    first, second = decided("accept", 53, 0, 1.5), decided("accept", 62, 1, 2.5)
    assert book.follow([first]) == 1
    kept = int(KEEP_TIME.total_seconds())
    assert redis.ttl("mercato:prices:decided:53") in (kept, kept - 1)
    monkeypatch.setattr(prices, "KEEP_TIME", timedelta(seconds=1))
    book.follow([decided("reject", 53, 1), second])
    redis.expire("mercato:prices:decided:53", 1)
    time.sleep(1.1)
    assert book.decided([first, second]) == [None, None]
    for again in ([first], [first, second], [second, first]):
        assert book.follow(again) == 0
        assert [each.proposed_price for each in book.charged(STORE)] == [2.5]

    assert book.follow([decided("withdraw", 62, 2)]) == 1
    time.sleep(1.1)
    assert book.follow([first, second, decided("withdraw", 62, 2)]) == 0
    assert book.charged(STORE) == book.charged(STORE, [1]) == book.charged_anywhere() == []
    assert book.charged_in([(1, STORE)]) == [None]
    assert book.follow([decided("accept", 63, 3, 2.7)]) == 1
    assert [each.proposed_price for each in book.charged(STORE)] == [2.7]


def test_a_store_that_lost_everything_follows_to_the_same_prices(own: Settings) -> None:
    book = PriceBook(OnlineStore(own).redis)
    told = [
        decided("accept", 50, 0, 1.5),
        decided("reject", 51, 1),
        decided("accept", 52, 2, 2.5),
        decided("withdraw", 50, 3),
    ]
    for _ in range(2):
        assert book.follow(told) == 3
        assert [each.proposed_price for each in book.charged(STORE)] == [2.5]
        OnlineStore(own).redis.flushdb()
