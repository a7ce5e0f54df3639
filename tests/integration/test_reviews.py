"""Payments that were not simply approved, from Kafka to the panel and back as what they turned out to be."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from fastapi.testclient import TestClient

from lambdas.admin.app import create_app
from mercato.contracts.events import PAYMENT_DECISIONS, PAYMENT_OUTCOMES, PaymentOutcome
from mercato.online.cases import CaseBook
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream.online_features import GROUP
from tests.integration.following import following
from tests.integration.payment_cases import NOW, decided, disputed
from tests.integration.records import consume
from tests.integration.sending import send
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

NOTE = "The cardholder was called"
TOLD = {"fraud": True, "note": NOTE, "reviewer": "ada"}
OTHERWISE = {"fraud": False, "note": "Looked at the receipt", "reviewer": "bob"}
LIST = "/admin/v1/payments"


@pytest.fixture
def book(own: Settings) -> CaseBook:
    return CaseBook(OnlineStore(own).redis)


@pytest.fixture
def away(own: Settings) -> Settings:
    """The same without Kafka."""
    return own.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})


def listed(client: TestClient, query: str = "") -> list[str]:
    return [each["payment_id"] for each in client.get(f"{LIST}{query}").json()["payments"]]


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
        assert [each["text"] for each in waiting[0]["reasons"]] == [
            "The amount is unusual for this customer",
            "Of the next release",
        ]

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


def test_a_review_that_kafka_may_not_have_is_the_first_and_its_case_stays_open(
    own: Settings, away: Settings, book: CaseBook
) -> None:
    book.open([decided(1)])
    with TestClient(create_app(away)) as client:
        refused = client.post(f"{LIST}/p1/review", json=TOLD)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/events_unavailable")
        assert "Send the same again" in refused.json()["detail"]
        assert listed(client) == ["p1"]
    with TestClient(create_app(own)) as client:
        other = client.post(f"{LIST}/p1/review", json=OTHERWISE)
        assert (other.status_code, other.json()["type"]) == (409, "/problems/already_reviewed")
        assert "ada may have to send it again" in other.json()["detail"]
        assert client.post(f"{LIST}/p1/review", json=TOLD | {"note": "Called again"}).json()["note"] == NOTE
        assert (listed(client), listed(client, "?state=closed")) == ([], ["p1"])
    (sent,) = consume(own, PAYMENT_OUTCOMES.name)
    outcome = PAYMENT_OUTCOMES.decode(sent.value(), datetime.now(UTC))
    assert isinstance(outcome, PaymentOutcome)
    assert (outcome.reviewer, outcome.fraud) == ("ada", True)


def test_a_recorded_review_stays_whoever_sends_what_while_kafka_is_away(
    own: Settings, away: Settings, book: CaseBook
) -> None:
    book.open([decided(1)])
    with TestClient(create_app(own)) as client:
        recorded = client.post(f"{LIST}/p1/review", json=TOLD).json()
    with TestClient(create_app(away)) as client:
        assert client.post(f"{LIST}/p1/review", json=TOLD).json() == recorded
        assert client.post(f"{LIST}/p1/review", json=OTHERWISE).status_code == 409
        assert listed(client, "?state=closed") == ["p1"]
    assert len(consume(own, PAYMENT_OUTCOMES.name)) == 1


def test_a_review_that_arrived_unnoticed_closes_its_case(
    own: Settings, away: Settings, book: CaseBook
) -> None:
    """Kafka has it, and the panel was never told so."""
    book.open([decided(1)])
    with TestClient(create_app(away)) as client:
        assert client.post(f"{LIST}/p1/review", json=TOLD).status_code == 503
    case = book.case("p1")
    assert case is not None
    claimed = book.claim(msgspec.structs.replace(disputed(1), reviewer="bob"))
    assert claimed.reviewer == "ada"
    with following(own), TestClient(create_app(own)) as client:
        send(own, PAYMENT_OUTCOMES, [claimed])
        eventually(lambda: listed(client, "?state=closed") == ["p1"], seconds=30)
        assert (
            client.post(f"{LIST}/p1/review", json=OTHERWISE).json()["detail"]
            == "ada found it a fraud before."
        )


def test_old_open_cases_are_found_behind_new_closed_ones(own: Settings, book: CaseBook) -> None:
    book.open([decided(number) for number in range(253)])
    book.close([disputed(number) for number in range(3, 253)], NOW)
    with TestClient(create_app(own)) as client:
        assert listed(client) == ["p2", "p1", "p0"]
        page = client.get("/admin").text
        assert "Payments to review (3)" in page
        assert all(f'data-payment="p{number}"' in page for number in range(3))
        first = client.get(f"{LIST}?limit=2").json()
        assert (first["total"], first["next_offset"]) == (3, 2)
        last = client.get(f"{LIST}?limit=2&offset=2").json()
        assert ([each["payment_id"] for each in last["payments"]], last["next_offset"]) == (["p0"], None)
        closed = client.get(f"{LIST}?state=closed&limit=200").json()
        assert (len(closed["payments"]), closed["total"], closed["next_offset"]) == (200, 250, 200)
        assert client.get(f"{LIST}?state=all").json()["total"] == 253
        # What was found last is shown first, however old the payment.
        assert client.post(f"{LIST}/p0/review", json=TOLD).status_code == 200
        assert listed(client, "?state=all&limit=1&offset=252") == ["p0"]
        assert listed(client) == ["p2", "p1"]


def test_the_page_shows_all_open_cases_some_at_a_time(own: Settings, book: CaseBook) -> None:
    book.open([decided(number) for number in range(101)])
    with TestClient(create_app(own)) as client:
        first, last, beyond = (client.get(f"/admin?offset={offset}").text for offset in (0, 100, 9_999))
        assert "1 to 50 of 101" in first
        assert 'href="/admin?offset=50">Next' in first
        assert 'data-payment="p0"' in last
        assert 'href="/admin?offset=50">Before' in last
        assert "101 to 101 of 101" in beyond
        assert client.get(f"/admin?offset={'9' * 500}").status_code == 200
        form = {"fraud": "true", "note": NOTE, "reviewer": "ada"}
        back = client.post("/admin/payments/p0/review?offset=100", data=form, follow_redirects=False)
        assert (back.status_code, back.headers["location"]) == (303, "/admin?offset=100")
        assert "51 to 100 of 100" in client.get(back.headers["location"]).text


def test_the_page_answers_with_the_status_of_what_went_wrong(
    own: Settings, away: Settings, book: CaseBook
) -> None:
    book.open([decided(1)])
    form = {"fraud": "true", "note": NOTE, "reviewer": "ada"}
    with TestClient(create_app(own)) as client:
        unknown = client.post("/admin/payments/p9/review", data=form)
        assert (unknown.status_code, "waits for a review" in unknown.text) == (404, True)
        nobody = client.post("/admin/payments/p1/review", data={**form, "reviewer": ""})
        assert (nobody.status_code, "Say who decides" in nobody.text) == (422, True)
        assert client.post("/admin/payments/p1/review", data={"note": NOTE}).status_code == 422
    with TestClient(create_app(away)) as client:
        later = client.post("/admin/payments/p1/review", data=form)
        assert (later.status_code, "Send the same again" in later.text) == (503, True)
    with TestClient(create_app(own)) as client:
        second = client.post("/admin/payments/p1/review", data={**form, "fraud": "false"})
        assert (second.status_code, "ada found it a fraud before" in second.text) == (409, True)
