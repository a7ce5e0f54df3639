"""Proposed prices from the panel through Kafka to what shops are told to charge."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi.testclient import TestClient

from lambdas.admin.app import create_app
from lambdas.api.app import create_app as create_api
from mercato.contracts.events import PRICE_DECISIONS, PriceDecided
from mercato.online.prices import KEEP_PROPOSALS, PriceBook
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from tests.integration.following import following
from tests.integration.price_offers import STORE, decided, proposed, seen, verdict
from tests.integration.records import consume
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

_NOT_YET = {"ada": ["not_seen_yet"], "bob": ["not_seen_yet"]}
LIST, POST = "/admin/v1/prices", "/admin/v1/prices/decisions"


@pytest.fixture
def book(own: Settings) -> PriceBook:
    """Three proposals that move a price, the first of most gain, and one that does not."""
    book = PriceBook(OnlineStore(own).redis)
    assert book.propose([*map(proposed, (3, 1, 2)), proposed(4, price=3.0)]) == 3
    return book


def codes(answer: httpx2.Response) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    results: Sequence[dict[str, Any]] = answer.json()["results"]
    assert all(each["done"] == (each["code"] is None) for each in results)
    return [each["code"] for each in results]


@pytest.mark.usefixtures("book")
def test_what_is_accepted_is_charged_until_it_is_withdrawn(own: Settings) -> None:
    online = OnlineFeatures(own).prices
    with following(own), TestClient(create_app(own)) as client:
        waiting = client.get(LIST).json()
        assert [each["product_id"] for each in waiting["prices"]] == [1, 2, 3]
        assert waiting["prices"][0]["held_by"] == ["maximum_step", "stock"]
        assert client.get(f"{LIST}?limit=1&offset=1&store_id={STORE}").json()["next_offset"] == 2
        assert client.get(f"{LIST}?store_id=1").json()["total"] == 0

        assert codes(client.post(POST, json=verdict("accept", proposed(1), proposed(3)))) == [None, None]
        assert codes(client.post(POST, json=verdict("reject", proposed(2)))) == [None]
        told = online.charged(STORE)
        assert [(each.product_id, each.proposed_price, each.reviewer) for each in told] == [
            (1, 3.1, "ada"),
            (3, 3.3, "ada"),
        ]
        assert client.get(LIST).json()["total"] == 0

        assert codes(client.post(POST, json=verdict("withdraw", proposed(3), reviewer="bob"))) == [None]
        assert codes(client.post(POST, json=verdict("withdraw", proposed(3), reviewer="bob"))) == [None]
        assert codes(client.post(POST, json=verdict("withdraw", proposed(3)))) == ["unknown_price"]
        assert [each.product_id for each in online.charged(STORE)] == [1]
        events = _sent(own)
        assert sorted((each.product_id, each.action) for each in events) == [
            (1, "accept"), (2, "reject"), (3, "accept"), (3, "withdraw"),
        ]  # fmt: skip
        assert all(each.note == "As agreed" for each in events)


def test_the_first_decision_counts_and_the_same_again_changes_nothing(own: Settings, book: PriceBook) -> None:
    with following(own), TestClient(create_app(own)) as client:
        for _ in range(2):
            assert codes(client.post(POST, json=verdict("accept", proposed(1)))) == [None]
        late = client.post(POST, json=verdict("reject", proposed(1), proposed(2), reviewer="bob"))
        assert codes(late) == ["already_decided", None]
        assert late.json()["results"][0]["detail"] == "ada accepted 3.10 before."
        assert codes(client.post(POST, json=verdict("withdraw", proposed(1), proposed(2)))) == [
            None,
            "unknown_price",
        ]
        again = client.post(POST, json=verdict("accept", proposed(1)))
        assert codes(again) == ["already_decided"]
        book.propose([proposed(2, price=2.8)])
        other = client.post(POST, json=verdict("reject", proposed(2, price=2.8), reviewer="bob"))
        assert codes(other) == ["already_decided"]
    assert len({each.event_id for each in _sent(own)}) == 3


def test_nobody_decides_on_what_was_not_seen(own: Settings, book: PriceBook) -> None:
    other, unknown = proposed(1, price=2.5), proposed(9)
    with TestClient(create_app(own)) as client:
        answer = client.post(POST, json=verdict("accept", other, unknown, proposed(1, week=49)))
        assert codes(answer) == ["stale_price", "unknown_price", "stale_price"]
        assert answer.json()["results"][0]["detail"] == "It is 3.10 for week 50 now: look again."
        nobody = client.post(POST, json={"action": "accept", "prices": seen(proposed(1))})
        assert (nobody.status_code, nobody.json()["type"]) == (422, "/problems/invalid_parameters")
        none = client.post(POST, json={"action": "accept", "prices": [], "reviewer": "ada"})
        assert none.status_code == 422
        foreign = client.post("/admin/prices/decisions", headers={"sec-fetch-site": "cross-site"})
        assert (foreign.status_code, foreign.json()["type"]) == (403, "/problems/foreign_page")
    assert all(each.decided is None for each in book.offers())


def test_what_kafka_does_not_take_is_not_decided(own: Settings, book: PriceBook) -> None:
    away = own.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    book.follow([decided("accept", 50, 0)])
    with TestClient(create_app(away)) as client:
        for action, row in (("accept", proposed(2)), ("withdraw", proposed(1))):
            refused = client.post(POST, json=verdict(action, row))
            assert (refused.status_code, refused.json()["type"]) == (503, "/problems/events_unavailable")
    assert [each.product_id for each in book.charged(STORE)] == [1]
    assert [each.decided.action for each in book.offers() if each.decided] == ["accept"]


def test_who_sends_what_nobody_takes_up_is_told_so(own: Settings, book: PriceBook) -> None:
    with TestClient(create_app(own)) as client:
        assert codes(client.post(POST, json=verdict("accept", proposed(1)))) == ["not_seen_yet"]
        assert book.charged(STORE) == []
        with following(own):
            eventually(lambda: len(book.charged(STORE)) == 1, seconds=30)
        assert codes(client.post(POST, json=verdict("accept", proposed(1)))) == [None]
        book.propose([proposed(2)])  # the next list, without what is charged
        assert codes(client.post(POST, json=verdict("accept", proposed(1)))) == [None]
    assert len(_sent(own)) == 1


def test_of_two_who_decide_at_once_the_first_on_kafka_is_believed(own: Settings, book: PriceBook) -> None:
    with TestClient(create_app(own)) as client, ThreadPoolExecutor() as pool:
        ada = pool.submit(client.post, POST, json=verdict("accept", proposed(1)))
        bob = pool.submit(client.post, POST, json=verdict("reject", proposed(1), reviewer="bob"))
        eventually(lambda: len(_sent(own)) == 2, seconds=30)
        first, second = _sent(own)
        with following(own):
            told = {"ada": codes(ada.result()), "bob": codes(bob.result())}
            eventually(lambda: book.offers()[0].decided == first, seconds=30)
    assert told in ({first.reviewer: [None], second.reviewer: ["already_decided"]}, _NOT_YET)
    assert len(book.charged(STORE)) == (first.action == "accept")


def test_a_product_that_is_asked_for_twice_is_told_once(own: Settings) -> None:
    book = PriceBook(OnlineStore(own).redis)
    book.follow([decided("accept", 50, 0)])
    assert [each.product_id for each in book.charged(STORE, [2, 1, 1, 1])] == [1]
    with TestClient(create_api(own)) as client:
        answer = client.get(f"/v1/stores/{STORE}/prices?product_id=1&product_id=1").json()
    assert (len(answer["prices"]), answer["total"], answer["next_offset"]) == (1, 1, None)


def test_proposals_of_least_gain_are_left_out_beyond_the_limit(own: Settings) -> None:
    book = PriceBook(OnlineStore(own).redis)
    rows = [
        msgspec.structs.replace(proposed(1), product_id=number, gain=float(number))
        for number in range(1, KEEP_PROPOSALS + 3)
    ]
    assert book.propose(rows) == KEEP_PROPOSALS
    kept = [offer.proposed.product_id for offer in book.offers()]
    assert (kept[0], kept[-1], len(kept)) == (KEEP_PROPOSALS + 2, 3, KEEP_PROPOSALS)
    with TestClient(create_app(own)) as client:
        assert client.get(f"{LIST}?limit=1").json()["total"] == KEEP_PROPOSALS
        assert f"Prices to decide ({KEEP_PROPOSALS})" in client.get("/admin/prices").text


def test_the_page_answers_with_the_status_of_what_went_wrong(own: Settings, book: PriceBook) -> None:
    away = own.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    form = {"action": "accept", "price": "1:367:50:3.1", "reviewer": "ada"}
    with TestClient(create_app(away)) as client:
        later = client.post("/admin/prices/decisions", data=form)
        assert (later.status_code, "Send the same again" in later.text) == (503, True)
        nobody = client.post("/admin/prices/decisions", data={**form, "reviewer": ""})
        assert (nobody.status_code, "Say who decides" in nobody.text) == (422, True)
        stale = client.post("/admin/prices/decisions", data={**form, "price": "1:367:50:9"})
        assert stale.status_code == 409
        assert "Product 1 in store 367: It is 3.10 for week 50 now: look again." in stale.text
    assert book.charged(STORE) == []


def test_new_proposals_take_the_place_of_the_old_and_leave_what_is_charged(
    own: Settings, book: PriceBook
) -> None:
    book.follow([decided("accept", 50, 0), decided("reject", 51, 1)])
    assert book.propose([proposed(1, week=51), proposed(2, week=51)]) == 2
    assert [(each.proposed.product_id, each.decided is None) for each in book.offers()] == [
        (1, False),
        (2, True),
    ]
    with following(own), TestClient(create_app(own)) as client:
        page = client.get("/admin/prices?store=367&offset=999&select=x").text
        assert [action in page for action in ("accepted", "rejected", "1:367:50:3.1")] == [True] * 3
        assert codes(client.post(POST, json=verdict("withdraw", proposed(1)))) == [None]
        assert book.charged(STORE) == []
        assert "1:367:50:3.1" not in client.get("/admin/prices?store=&offset=abc").text
        assert client.get(f"/admin/prices?offset={'9' * 5_000}").status_code == 200


def _sent(own: Settings) -> list[PriceDecided]:
    messages = consume(own, PRICE_DECISIONS.name)
    found = [PRICE_DECISIONS.decode(message.value(), datetime.now(UTC)) for message in messages]
    return [each for each in found if isinstance(each, PriceDecided)]
