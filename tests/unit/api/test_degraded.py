"""The app through HTTP with nothing else running: it answers, and says what it lacks."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from lambdas.api.app import KEPT_LISTS, create_app
from lambdas.api.last_good import Described, LastGood, save
from mercato.decisions.fallback import Popular
from mercato.settings import Settings

BANANAS, MILK, EGGS, BREAD = 1082185, 1029743, 981760, 883404
KEPT = LastGood(
    datetime(2026, 11, 22, tzinfo=UTC),
    {0: Popular([BANANAS, MILK, EGGS], [9.0, 8.0, 7.0]), 367: Popular([BREAD], [3.0])},
    {
        BANANAS: Described(BANANAS, "BANANAS", "TROPICAL FRUIT", "PRODUCE", "National", "40 LB", 0.99),
        BREAD: Described(BREAD, "MAINSTREAM WHITE BREAD", "BAKED BREAD/BUNS/ROLLS", "GROCERY", "Private"),
    },
)
CLICK = {"household_id": 1, "session_id": "s", "action": "view", "product_id": BANANAS}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The app after a restart on which nothing else came back; Kafka's address answers nothing."""
    save(tmp_path / KEPT_LISTS, KEPT)
    settings = Settings(home=tmp_path, kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1/0")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def _problem(response: Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["type"], body["status"]) == (f"/problems/{code}", status)
    assert body["title"]
    assert body["detail"]
    assert body["instance"]
    return body


def test_recommendations_come_from_the_lists_kept_on_disk(client: TestClient) -> None:
    answer = client.get("/v1/recommendations/1?store_id=367&n=3").json()
    assert (answer["fallback"], answer["fallback_reason"]) == (True, "online_unavailable")
    assert "out of reach" in answer["notice"]
    assert answer["model_version"] is None
    assert [item["product_id"] for item in answer["items"]] == [BREAD, BANANAS, MILK]
    assert [item["name"] for item in answer["items"]] == ["White bread", "Bananas", f"Product {MILK}"]
    assert answer["items"][0]["why"] == "Popular in store 367."
    assert answer["freshness_seconds"] > 0


def test_what_the_caller_has_or_does_not_want_is_left_out(client: TestClient) -> None:
    answer = client.get(f"/v1/recommendations/1?exclude={BANANAS}&cart={MILK}").json()
    assert [item["product_id"] for item in answer["items"]] == [EGGS]


def test_nothing_at_all_on_day_zero(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(home=tmp_path))) as client:
        answer = client.get("/v1/recommendations/1").json()
        assert (answer["items"], answer["fallback"]) == ([], True)
        page = client.get("/")
        assert page.status_code == 200
        assert "No household is online yet" in page.text
        assert client.get("/healthz").json()["status"] == "degraded"


def test_the_page_says_that_it_is_degraded(client: TestClient) -> None:
    page = client.get("/?household=1")
    assert page.status_code == 200
    assert "Live features are out of reach" in page.text
    assert "Bananas" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_health_names_each_dependency(client: TestClient) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "degraded"
    assert {name: one["ok"] for name, one in health["dependencies"].items()} == {
        "kafka": False,
        "redis": False,
        "scorer": False,
        "catalogue": False,
    }


def test_events_are_refused_while_kafka_is_away(client: TestClient) -> None:
    response = client.post("/v1/events", json=CLICK)
    _problem(response, 503, "events_unavailable")
    assert response.headers["retry-after"]


def test_health_is_public_and_says_nothing_of_the_inside(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    said = client.get("/healthz").json()["dependencies"]
    assert {said[name]["detail"] for name in ("kafka", "redis", "scorer")} == {"does not answer"}
    assert "127.0.0.1" in caplog.text  # what the owner needs to know is logged


def test_ids_that_the_caller_never_saw_come_with_the_refusal(client: TestClient) -> None:
    given = {"event_id": "mine", "event_time": "2026-11-22T10:00:00Z"}
    body = _problem(
        client.post("/v1/events", json=[{**CLICK, **given}, {**CLICK, "event_id": "mine"}, CLICK]),
        503,
        "events_unavailable",
    )
    assert "`filled_in`" in body["detail"]
    second, third = body["filled_in"]
    assert (second["index"], second["event_id"], third["index"]) == (1, "mine", 2)
    assert len(third["event_id"]) == 32
    # They are what the same events can be sent again with.
    known = {name: value for name, value in third.items() if name != "index"}
    again = client.post("/v1/events", json={**CLICK, **known})
    assert "filled_in" not in _problem(again, 503, "events_unavailable")


def test_filled_in_is_documented(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert "filled_in" in schemas["ProblemDetail"]["properties"]
    assert schemas["FilledIn"]["properties"].keys() == {"index", "event_id", "event_time"}


def test_two_problems_of_one_status_are_both_documented(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    down = paths["/v1/payments/decisions"]["post"]["responses"]["503"]
    assert ("model" in down["description"], "features" in down["description"]) == (True, True)
    examples = down["content"]["application/problem+json"]["examples"]
    assert examples.keys() == {"online_unavailable", "model_unavailable"}
    refused = paths["/v1/events"]["post"]["responses"]
    assert {"400", "413", "422", "503"} <= refused.keys()


@pytest.mark.parametrize(
    ("path", "status", "code", "fields"),
    [
        ("/v1/recommendations/0", 422, "invalid_parameters", ["path.household_id"]),
        ("/v1/recommendations/one", 422, "invalid_parameters", ["path.household_id"]),
        (f"/v1/recommendations/{2**53}", 422, "invalid_parameters", ["path.household_id"]),
        ("/v1/recommendations/1?n=0", 422, "invalid_parameters", ["query.n"]),
        ("/v1/recommendations/1?n=101&store_id=x", 422, "invalid_parameters", ["query.n", "query.store_id"]),
        ("/v1/recommendations/1?cart=-4", 422, "invalid_parameters", ["query.cart.0"]),
        ("/v1/households?limit=0&query=abc", 422, "invalid_parameters", ["query.limit", "query.query"]),
        ("/v1/households/1", 503, "online_unavailable", []),
        ("/v1/products/5", 404, "unknown_product", []),
        ("/v1/products/nope/similar", 422, "invalid_parameters", ["path.product_id"]),
        ("/v1/nothing", 404, "not_found", []),
        ("/static/nothing.css", 404, "not_found", []),
        ("/problems/nothing", 404, "unknown_problem", []),
    ],
)
def test_every_refusal_is_a_problem_document(
    client: TestClient, path: str, status: int, code: str, fields: list[str]
) -> None:
    body = _problem(client.get(path), status, code)
    assert [error["field"] for error in body["errors"]] == fields


def test_wrong_methods_and_bodies(client: TestClient) -> None:
    _problem(client.delete("/v1/events"), 405, "method_not_allowed")
    _problem(client.post("/v1/events", content=b"{"), 400, "malformed_body")
    _problem(client.post("/v1/events", content=b"\xff\xfe"), 400, "malformed_body")
    _problem(client.post("/v1/events", json={**CLICK, "action": "fly"}), 422, "contract_violation")
    _problem(client.post("/v1/events/nope.v1", json=CLICK), 404, "unknown_topic")
    _problem(client.post("/v1/events", content=b" " * 2_000_000), 413, "oversized")
    _problem(client.post("/v1/events", json={**CLICK, "session_id": "x" * 70_000}), 413, "oversized")


def test_a_bug_is_a_problem_document_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.api.answers.recommendations", lambda *_: 1 / 0)
    body = _problem(client.get("/v1/recommendations/1"), 500, "internal")
    assert "division" not in body["detail"]


def test_similar_of_an_unknown_product_is_what_is_popular(client: TestClient) -> None:
    answer = client.get("/v1/products/5/similar?n=2").json()
    assert (answer["fallback"], answer["fallback_reason"]) == (True, "unknown_product")
    assert [item["product_id"] for item in answer["items"]] == [BANANAS, MILK]


def test_a_list_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/v1/recommendations/1")
    again = client.get("/v1/recommendations/1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_changed_list_says_what_changed(client: TestClient) -> None:
    first = client.get("/v1/recommendations/1")
    again = client.get("/v1/recommendations/1?n=2", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.json()["changes"]["summary"] == "1 item left."


def test_metrics_count_by_route_and_reason(client: TestClient) -> None:
    client.get("/v1/recommendations/1")
    client.get("/v1/recommendations/x")
    text = client.get("/metrics").text
    assert 'mercato_api_fallbacks_total{reason="online_unavailable"} 1.0' in text
    route = 'route="/v1/recommendations/{household_id}"'
    assert f'mercato_api_requests_total{{method="GET",{route},status="200"}} 1.0' in text
    assert f'mercato_api_requests_total{{method="GET",{route},status="422"}} 1.0' in text


def test_the_reference_is_complete_and_whole(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {tag["name"] for tag in document["tags"]} == {
        tag for path in document["paths"].values() for route in path.values() for tag in route["tags"]
    }
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "ProblemDetail" in document["components"]["schemas"]


def test_each_example_on_the_page_of_routes_can_be_called(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    examples = re.findall(r"<pre><code>(curl .*?)</code></pre>", page.text)
    routes = [path for path in client.get("/openapi.json").json()["paths"].values() for _ in path]
    assert len(examples) == len(routes) > 10
    curl = ArgumentParser()
    for option, usual in (("-X", "GET"), ("-H", None), ("-d", None)):
        curl.add_argument(option, default=usual)
    curl.add_argument("url")
    for example in examples:
        asked = curl.parse_args(shlex.split(unescape(example))[1:])
        headers = dict([asked.H.split(": ")]) if asked.H else None
        answer = client.request(asked.X, asked.url, content=asked.d, headers=headers)
        # Nothing runs here, so that some cannot be answered; but none may be asked wrongly.
        assert answer.status_code in (200, 503), (example, answer.text)
