"""Payments that were not simply approved, from Kafka to the panel and back as what they turned out to be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from lambdas.admin.app import create_app
from mercato.contracts.events import PAYMENT_DECISIONS, PaymentDecided, PaymentOutcome
from mercato.online.cases import CaseBook
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream.online_features import GROUP
from mercato.stream.topics import ensure_topics
from tests.integration.following import following
from tests.integration.rig import eventually
from tests.integration.sending import send

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOTE = "The cardholder was called"


@pytest.fixture
def own(settings: Settings) -> Iterator[Settings]:
    """Settings with a Redis database that no other test uses."""
    own = settings.model_copy(update={"redis_url": settings.require("redis_url").replace("/0", "/8")})
    ensure_topics(own)
    yield own
    OnlineStore(own).redis.flushdb()


def decided(number: int, action: str = "review") -> PaymentDecided:
    return PaymentDecided(
        event_id=f"d{number}",
        event_time=NOW,
        payment_id=f"p{number}",
        paid_at=NOW + timedelta(minutes=number),
        card_id="1-1",
        terminal_id="367-1",
        amount=480.0 + number,
        action=action,  # type: ignore[arg-type]
        probability=0.4,
        reasons=["unusual_amount"],
        model_version="5",
    )


def disputed(number: int) -> PaymentOutcome:
    return PaymentOutcome(
        event_id=f"o{number}",
        event_time=NOW + timedelta(days=7),
        payment_id=f"p{number}",
        paid_at=NOW,
        card_id="1-1",
        terminal_id="367-1",
        fraud=True,
    )


def test_a_review_is_seen_by_everybody_and_by_the_online_features(own: Settings) -> None:
    store = OnlineStore(own)
    with following(own), TestClient(create_app(own)) as client:
        send(own, PAYMENT_DECISIONS, [decided(1), decided(2, "decline"), decided(3, "approve")])
        eventually(lambda: store.counts(GROUP).get("written") == 2, seconds=30)
        waiting = client.get("/admin/v1/payments").json()["payments"]
        assert [(each["payment_id"], each["action"]) for each in waiting] == [
            ("p2", "decline"),
            ("p1", "review"),
        ]
        assert waiting[0]["reasons"][0]["text"] == "The amount is unusual for this customer"

        told = {"fraud": True, "note": NOTE, "reviewer": "ada"}
        first = client.post("/admin/v1/payments/p1/review", json=told)
        assert (first.status_code, first.json()["reviewer"]) == (200, "ada")
        again = client.post("/admin/v1/payments/p1/review", json=told)
        assert again.json() == first.json()
        other = client.post("/admin/v1/payments/p1/review", json=told | {"reviewer": "bob", "fraud": False})
        assert (other.status_code, other.json()["type"]) == (409, "/problems/already_reviewed")
        assert other.json()["detail"] == "ada found it a fraud before."

        online = OnlineFeatures(own)
        eventually(lambda: len(online.payment("1-1", "367-1")[1].known) == 1, seconds=30)
        assert [each.fraud for each in online.payment("1-1", "367-1")[1].known] == [True]
        closed = client.get("/admin/v1/payments?state=closed").json()["payments"]
        assert [(each["payment_id"], each["outcome"]["note"]) for each in closed] == [("p1", NOTE)]
        assert [each["payment_id"] for each in client.get("/admin/v1/payments").json()["payments"]] == ["p2"]


def test_what_can_not_be_reviewed_says_why(own: Settings) -> None:
    CaseBook(OnlineStore(own).redis).open([decided(1)])
    told = {"fraud": True, "note": NOTE, "reviewer": "ada"}
    with TestClient(create_app(own)) as client:
        unknown = client.post("/admin/v1/payments/p9/review", json=told)
        assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown_case")
        nobody = client.post("/admin/v1/payments/p1/review", json={"fraud": True, "note": NOTE})
        assert (nobody.status_code, nobody.json()["type"]) == (422, "/problems/invalid_parameters")
        short = client.post("/admin/v1/payments/p1/review", json=told | {"note": " x "})
        assert [each["field"] for each in short.json()["errors"]] == ["$.note"]
        foreign = client.post("/admin/payments/p1/review", headers={"sec-fetch-site": "cross-site"})
        assert (foreign.status_code, foreign.json()["type"]) == (403, "/problems/foreign_page")


def test_a_review_that_kafka_does_not_take_is_not_decided(own: Settings) -> None:
    CaseBook(OnlineStore(own).redis).open([decided(1)])
    told = {"fraud": True, "note": NOTE, "reviewer": "ada"}
    away = own.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    with TestClient(create_app(away)) as client:
        refused = client.post("/admin/v1/payments/p1/review", json=told)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/events_unavailable")
        assert [each["payment_id"] for each in client.get("/admin/v1/payments").json()["payments"]] == ["p1"]
    with TestClient(create_app(own)) as client:
        assert client.post("/admin/v1/payments/p1/review", json=told).status_code == 200


def test_a_dispute_closes_a_case_and_a_later_one_changes_nothing(own: Settings) -> None:
    book = CaseBook(OnlineStore(own).redis)
    book.open([decided(1)])
    book.close([disputed(1), disputed(2)])
    (case,) = book.newest(10)
    assert case.outcome == disputed(1)
    assert book.case("p2") is None
    book.close([disputed(1)])
    assert book.open([decided(1)]) == 0
    assert book.newest(10) == [case]
