"""The API through HTTP over a real Redis, a scorer process and Kafka."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from confluent_kafka import Consumer

from mercato.contracts.events import CLICKSTREAM, INVENTORY, Click, Topic
from mercato.contracts.tables.outlook import HouseholdOutlook
from mercato.online import views
from mercato.online.prices import PriceBook
from mercato.settings import Settings
from mercato.stream.online_features import Updater
from mercato.stream.topics import ensure_topics, kafka_name
from tests.integration.price_offers import decided
from tests.integration.rig import Rig
from tests.integration.seed import HOUSEHOLDS, STORES
from tests.waiting import eventually

pytestmark = pytest.mark.integration


def _click(action: str, product_id: int, household_id: int = 1) -> Click:
    return Click(
        event_id=f"{action}-{product_id}-{time.monotonic_ns()}",
        event_time=datetime.now(UTC),
        household_id=household_id,
        session_id="tab",
        action=action,  # type: ignore[arg-type]
        product_id=product_id,
    )


def test_a_personal_list_with_reasons(api: httpx2.Client) -> None:
    answer = api.get("/v1/recommendations/1?n=4").json()
    assert (answer["fallback"], answer["store_id"], answer["session"]["cart"]) == (False, STORES[1], [])
    assert answer["model_version"] == "7"
    first = answer["items"][0]
    assert (first["product_id"], first["rank"], first["name"]) == (5, 1, "Eggs, large")
    assert first["why"].startswith("You bought it 10 times, about every 7 days; last 2 days ago.")
    assert [item["score"] for item in answer["items"][:3]] == [10.0, 10.0, 10.0]
    assert answer["freshness_seconds"] < 200_000
    assert answer["timings"]["total"] < 1_000


def test_the_cart_leaves_the_list_and_brings_its_companions(api: httpx2.Client) -> None:
    answer = api.get("/v1/recommendations/1", params={"cart": [31, 5]}).json()
    ids = [item["product_id"] for item in answer["items"]]
    assert {5, 31}.isdisjoint(ids)
    assert set(ids[:2]) == {6, 32}
    assert "in your cart" in answer["items"][0]["why"]


def test_a_long_poll_answers_when_the_click_arrives_and_says_what_it_did(
    rig: Rig, api: httpx2.Client
) -> None:
    first = api.get("/v1/recommendations/1")
    click = _click("add_to_cart", 31)
    timer = threading.Timer(0.3, rig.click, (click,))
    started = time.monotonic()
    timer.start()
    answer = api.get(
        "/v1/recommendations/1", headers={"If-None-Match": first.headers["etag"], "Prefer": "wait=5"}
    )
    timer.join()
    assert answer.status_code == 200
    assert 0.3 <= time.monotonic() - started < 2
    body = answer.json()
    assert [product["product_id"] for product in body["session"]["cart"]] == [31]
    assert body["session"]["last_event_id"] == click.event_id
    assert body["session"]["reached_online_ms"] >= 300
    assert [move["product_id"] for move in body["changes"]["entered"]] == [32]
    assert body["changes"]["summary"].startswith("You added")
    assert "is now 1st: often bought with" in body["changes"]["summary"]


def test_a_long_poll_without_a_click_ends_as_unchanged(api: httpx2.Client) -> None:
    first = api.get("/v1/recommendations/1")
    headers = {"If-None-Match": first.headers["etag"], "Prefer": "wait=1"}
    started = time.monotonic()
    assert api.get("/v1/recommendations/1", headers=headers).status_code == 304
    assert time.monotonic() - started >= 1


def test_a_click_that_changes_nothing_is_answered_too(rig: Rig, api: httpx2.Client) -> None:
    rig.click(_click("view", 31))
    first = api.get("/v1/recommendations/1")
    rig.click(_click("view", 31))
    again = api.get("/v1/recommendations/1", headers={"If-None-Match": first.headers["etag"]})
    assert again.json()["changes"]["summary"].endswith("The list stays as it was.")


def test_what_was_taken_out_of_the_cart_is_not_offered_again(rig: Rig, api: httpx2.Client) -> None:
    rig.click(_click("add_to_cart", 5), _click("remove_from_cart", 5))
    answer = api.get("/v1/recommendations/1").json()
    assert 5 not in [item["product_id"] for item in answer["items"]]
    assert answer["session"]["cart"] == []


def test_an_unknown_household_gets_what_is_popular_in_the_store(api: httpx2.Client) -> None:
    answer = api.get(f"/v1/recommendations/999?store_id={STORES[1]}&n=3").json()
    assert (answer["fallback_reason"], answer["store_id"]) == ("unknown_household", STORES[1])
    assert [item["product_id"] for item in answer["items"]] == [60, 59, 58]
    other = api.get("/v1/recommendations/999?store_id=1&n=3").json()
    assert (other["fallback_reason"], other["store_id"]) == ("unknown_store", None)
    assert [item["product_id"] for item in other["items"]] == [1, 2, 3]


def test_a_store_is_told_what_was_accepted(rig: Rig, api: httpx2.Client) -> None:
    nothing = {"store_id": 367, "prices": [], "total": 0, "next_offset": None}
    assert api.get("/v1/stores/367/prices").json() == nothing
    accepted = decided("accept", 50, 0)
    others = [msgspec.structs.replace(accepted, product_id=number) for number in (7, 9)]
    elsewhere = msgspec.structs.replace(accepted, store_id=368)
    PriceBook(rig.store.redis).follow([accepted, *others, elsewhere])
    page = api.get("/v1/stores/367/prices?limit=2").json()
    assert [each["product_id"] for each in page["prices"]] == [1, 7]
    assert (page["total"], page["next_offset"]) == (3, 2)
    asked = api.get("/v1/stores/367/prices", params={"product_id": [9, 10]}).json()
    assert [(each["product_id"], each["price"], each["week"]) for each in asked["prices"]] == [(9, 3.1, 50)]
    rig.kill("redis")
    down = api.get("/v1/stores/367/prices")
    assert (down.status_code, down.json()["type"]) == (503, "/problems/online_unavailable")


def test_households_and_products(rig: Rig, api: httpx2.Client) -> None:
    page = api.get("/v1/households?limit=5&offset=10").json()
    assert [one["household_id"] for one in page["items"]] == [11, 12]
    assert (page["total"], page["next_offset"]) == (len(HOUSEHOLDS), None)
    assert [one["household_id"] for one in api.get("/v1/households?query=1").json()["items"]] == [
        1,
        10,
        11,
        12,
    ]
    household = api.get("/v1/households/1?baskets=2").json()
    assert [len(basket["lines"]) for basket in household["recent_baskets"]] == [4, 4]
    assert household["recent_baskets"][0]["value"] == 6.0
    assert household["outlook"] is None
    outlook = HouseholdOutlook(
        household_id=1,
        event_timestamp=datetime(2026, 11, 1, tzinfo=UTC),
        churn_probability=0.25,
        expected_spend=410.5,
        reasons=["away_long", "comes_less"],
        model_version="3",
    )
    rig.store.write(views.HOUSEHOLD_OUTLOOK, [msgspec.structs.asdict(outlook)])
    found = api.get("/v1/households/1").json()["outlook"]
    assert (found["churn_probability"], found["expected_spend"]) == (0.25, 410.5)
    assert found["reasons"][0] == {"code": "away_long", "text": "It has been away for long, for its habits"}
    assert api.get("/v1/households/999").json()["type"] == "/problems/unknown_household"
    assert api.get("/v1/products/2").json()["name"] == "Strawberries"
    similar = api.get("/v1/products/2/similar").json()
    assert [item["product_id"] for item in similar["items"]] == [1]
    assert api.get("/v1/products/999").status_code == 404


def test_events_are_on_kafka_when_the_answer_comes(rig: Rig, settings: Settings) -> None:
    topics = (CLICKSTREAM, INVENTORY)
    names = [kafka_name(settings, topic.name) for topic in topics]
    ensure_topics(settings)
    with rig.serve(_with_kafka(rig, settings)) as client:
        click = {"household_id": 1, "session_id": "s", "action": "view", "product_id": 7}
        stock = {"topic": INVENTORY.name, "store_id": 3, "product_id": 9, "on_hand": 1, "reason": "count"}
        answer = client.post("/v1/events", json=[click, stock])
        assert answer.status_code == 202
        taken = answer.json()["events"]
        refused = client.post("/v1/events", json=[click, {**click, "action": "fly"}])
        assert refused.status_code == 422
    found = _read_all(settings, topics)
    assert [(record.topic(), record.key()) for record in found] == [(names[0], b"1"), (names[1], b"9")]
    assert [json.loads(record.value())["event_id"] for record in found] == [one["event_id"] for one in taken]
    decoded = CLICKSTREAM.decode(found[0].value(), datetime.now(UTC))
    assert isinstance(decoded, Click)


def test_a_click_goes_through_kafka_into_the_features_and_changes_the_list(
    rig: Rig, settings: Settings
) -> None:
    both = _with_kafka(rig, settings)
    ensure_topics(both)
    stop = threading.Event()
    updater = threading.Thread(target=eventually(lambda: Updater(both)).run, args=(stop,))
    updater.start()
    try:
        with rig.serve(both) as client:
            first = client.get("/v1/recommendations/3")
            product = first.json()["items"][0]["product_id"]
            click = {"household_id": 3, "session_id": "s", "action": "add_to_cart", "product_id": product}
            event = client.post("/v1/events", json=click).json()["events"][0]

            def answer() -> Any:
                headers = {"If-None-Match": first.headers["etag"], "Prefer": "wait=5"}
                return client.get("/v1/recommendations/3", headers=headers).json()

            body = eventually(answer)
            assert body["session"]["last_event_id"] == event["event_id"]
            assert [one["product_id"] for one in body["session"]["cart"]] == [product]
            assert product in [move["product_id"] for move in body["changes"]["left"]]
            assert body["changes"]["entered"]
    finally:
        stop.set()
        updater.join()


def _with_kafka(rig: Rig, settings: Settings) -> Settings:
    """Kafka of the shared stack, Redis of the rig."""
    return settings.model_copy(update={"redis_url": rig.settings.redis_url})


def _read_all(settings: Settings, topics: Sequence[Topic]) -> list[Any]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": "test",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([kafka_name(settings, topic.name) for topic in topics])
    found, open_partitions = [], sum(topic.partitions for topic in topics)
    deadline = time.monotonic() + 20
    while open_partitions and time.monotonic() < deadline:
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            open_partitions -= 1
        else:
            found.append(record)
    consumer.close()
    return sorted(found, key=lambda record: str(record.topic()))
