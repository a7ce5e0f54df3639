"""The decision API and the online features as they ship, with a real Redis and a model behind them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from itsdangerous import TimestampSigner

from lambdas.admin.people import PERSON, UNTIL
from mercato.contracts.events import (
    CLICKSTREAM,
    PAYMENT_DECISIONS,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRICE_DECISIONS,
    Click,
)
from mercato.online.connection import connect
from mercato.online.prices import PriceBook
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings
from tests.infra.function_events import click, kafka_variables, values
from tests.infra.lambda_runtime import Runtime, body, request
from tests.integration.price_offers import STORE, proposed, verdict
from tests.integration.rig import Rig
from tests.integration.scoring import served
from tests.integration.seed import STORES
from tests.unit.fraud.events import outcome, payment
from tests.unit.fraud.world import small_town, train

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

#: Signs sessions.
KEY = "k" * 64


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig.running(tmp_path) as rig:
        yield rig


@pytest.fixture
def guarded(rig: Rig, aws: str) -> dict[str, str]:
    """A function's environment for a Redis whose only user has its password in a secret, and an endpoint."""
    secret = boto3.client("secretsmanager").create_secret(
        Name="redis", SecretString=json.dumps({"username": "api", "password": "open-sesame"})
    )
    redis = rig.store.redis
    redis.execute_command("ACL", "SETUSER", "api", "on", ">open-sesame", "~*", "+@all")
    redis.execute_command("ACL", "SETUSER", "default", "resetpass", ">nobody-knows")
    return {
        "AWS_ENDPOINT_URL": aws,
        # Takes what SageMaker takes, at whatever path.
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://127.0.0.1:{rig.scorer_port}",
        "MERCATO_REDIS_URL": rig.settings.require("redis_url"),
        "MERCATO_REDIS_SECRET_ARN": secret["ARN"],
        "MERCATO_SCORER_ENDPOINT": "recommend",
    }


def _allowed(rig: Rig) -> Settings:
    """Settings of somebody who knows the password."""
    url = rig.settings.require("redis_url").replace("redis://", "redis://api:open-sesame@")
    return rig.settings.model_copy(update={"redis_url": url})


@pytest.fixture
def asking(guarded: dict[str, str]) -> dict[str, str]:
    """The same of the panel, where people sign in."""
    key = boto3.client("secretsmanager").create_secret(Name="panel-sessions", SecretString=KEY)
    return guarded | {
        "MERCATO_ADMIN_URL": "https://panel.example/admin",
        "MERCATO_SIGN_IN_DISCOVERY_URL": "https://people.example/.well-known/openid-configuration",
        "MERCATO_SIGN_IN_CLIENT_ID": "panel",
        "MERCATO_SESSION_SECRET_ARN": key["ARN"],
    }


def _page(path: str) -> dict[str, Any]:
    """A page as the browser of somebody who signed in asks for it."""
    session = json.dumps({PERSON: "ada@shop.example", UNTIL: time.time() + 60}).encode()
    signed = TimestampSigner(KEY).sign(base64.b64encode(session)).decode()
    return request("GET", path) | {"cookies": [f"__Host-mercato={signed}"]}


@pytest.mark.exercises("function-api")
def test_the_api_answers_from_redis_by_a_sagemaker_endpoint(
    runtime: Runtime, guarded: dict[str, str], topics: Settings, tmp_path: Path
) -> None:
    invoked = runtime.invoke(
        "api",
        request("GET", "/v1/recommendations/1", query="n=5"),
        request("GET", "/healthz"),
        request("GET", "/v1/households/1"),
        request("GET", "/", query="household=1"),
        request("GET", "/static/page.css"),
        request("POST", "/v1/events", json.dumps(click(1))),
        **kafka_variables(topics, tmp_path),
        **guarded,
    )
    assert [answer["statusCode"] for answer in invoked.answers] == [200, 200, 200, 200, 200, 202]
    lists, health, household, page, style, _ = map(body, invoked.answers)
    found = json.loads(lists)
    assert (found["fallback"], found["model_version"], len(found["items"])) == (False, "7", 5)
    assert json.loads(health)["status"] == "ok"
    assert json.loads(household)["favourite_store_id"] in STORES
    assert found["items"][0]["name"] in page
    assert "{" in style
    assert len(values(topics, CLICKSTREAM.name)) == 1


@pytest.mark.exercises("function-api")
def test_the_api_falls_back_to_popular_products_without_its_model(
    runtime: Runtime, rig: Rig, guarded: dict[str, str], tmp_path: Path
) -> None:
    rig.kill("scorer")
    (answer,) = runtime.invoke(
        "api", request("GET", "/v1/recommendations/1"), MERCATO_HOME=str(tmp_path / "x"), **guarded
    ).answers
    found = json.loads(body(answer))
    assert (answer["statusCode"], found["fallback"]) == (200, True)
    assert found["items"]


def _batch(topic: str, *values: bytes | None) -> dict[str, Any]:
    """Records of a topic, as an MSK event source gives them."""
    shared = {"topic": topic, "partition": 0, "timestampType": "CREATE_TIME", "headers": []}
    records = [
        {
            **shared,
            "offset": offset,
            "timestamp": int(datetime.now(UTC).timestamp() * 1000),
            "key": base64.b64encode(b"1").decode(),
            "value": None if value is None else base64.b64encode(value).decode(),
        }
        for offset, value in enumerate(values)
    ]
    source = "arn:aws:kafka:eu-central-1:000000000000:cluster/mercato/x"
    return {"eventSource": "aws:kafka", "eventSourceArn": source, "records": {f"{topic}-0": records}}


@pytest.mark.exercises("function-features")
def test_clicks_from_msk_are_in_the_session_once(
    runtime: Runtime, rig: Rig, guarded: dict[str, str], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    clicks = [
        Click(
            event_id=f"m{product}",
            event_time=now,
            household_id=1,
            session_id="tab",
            action="add_to_cart",
            product_id=product,
        )
        for product in (7, 9)
    ]
    batch = _batch(CLICKSTREAM.name, *map(CLICKSTREAM.encode, clicks), b"{", None)
    first, again = runtime.invoke(
        "features", batch, batch, MERCATO_HOME=str(tmp_path / "lambda"), **guarded
    ).answers
    assert first == {"written": 2, "unchanged": 0, "stale": 0, "invalid": 2, "failed": 0}
    assert again == {"written": 0, "unchanged": 2, "stale": 0, "invalid": 2, "failed": 0}
    online = OnlineFeatures(_allowed(rig))
    found = online.household(1)
    online.close()
    assert found is not None
    assert (found.session.clicks, sorted(found.session.cart)) == (2, [7, 9])


@pytest.mark.exercises("function-features")
@pytest.mark.exercises("function-api")
@pytest.mark.exercises("function-admin")
def test_payments_from_msk_are_known_when_the_next_one_is_decided_on_and_a_person_reviews_it(
    runtime: Runtime, guarded: dict[str, str], asking: dict[str, str], topics: Settings, tmp_path: Path
) -> None:
    town = small_town()
    train(town, tmp_path / "model")
    mine = np.flatnonzero(town.customer == town.customer[0])[:12].tolist()
    paid = [payment(town, number) for number in mine]
    outcomes = [outcome(paid[0], fraud=False), outcome(paid[1], fraud=True)]
    known = _batch(PAYMENTS.name, *map(PAYMENTS.encode, paid))
    told = _batch(PAYMENT_OUTCOMES.name, *map(PAYMENT_OUTCOMES.encode, outcomes))
    found = runtime.invoke("features", known, told, known, MERCATO_HOME=str(tmp_path / "x"), **guarded)
    assert [(each["written"], each["unchanged"]) for each in found.answers] == [(12, 0), (2, 0), (0, 12)]
    asked = {"card_id": paid[0].card_id, "terminal_id": paid[0].terminal_id, "amount": 700.0}
    decide = request("POST", "/v1/payments/decisions", json.dumps(asked))
    with served("fraud", tmp_path / "model") as address:
        kafka = kafka_variables(topics, tmp_path)
        judged = guarded | kafka | {"MERCATO_FRAUD_SCORER_URL": address}
        (answer,) = runtime.invoke("api", decide, **judged).answers
    assert answer["statusCode"] == 200, body(answer)
    decision = json.loads(body(answer))
    assert (decision["model_version"], decision["card_payments"]) == ("5", 12)
    assert decision["terminal_outcomes"] >= 1
    assert decision["reasons"][0]["code"] in {"high_amount", "unusual_amount"}

    held = _batch(PAYMENT_DECISIONS.name, *values(topics, PAYMENT_DECISIONS.name))
    assert runtime.invoke("features", held, **guarded | kafka).answers[0]["written"] == 1
    review = f"/admin/v1/payments/{decision['payment_id']}/review"
    verdict = json.dumps({"fraud": True, "note": "The cardholder was called", "reviewer": "not asked for"})
    asked_by = request("POST", review, verdict)
    asked_by["requestContext"]["authorizer"] = {"jwt": {"claims": {"client_id": "desk"}, "scopes": None}}
    listed = request("GET", "/admin/v1/payments")
    pages = _page("/admin"), request("GET", "/admin")
    answers = runtime.invoke("admin", listed, asked_by, listed, *pages, **asking | kafka).answers
    assert [each["statusCode"] for each in answers] == [200, 200, 200, 200, 303]
    waiting, reviewed, after, shown, _ = map(body, answers)
    assert [each["payment_id"] for each in json.loads(waiting)["payments"]] == [decision["payment_id"]]
    assert (json.loads(reviewed)["reviewer"], json.loads(after)["payments"]) == ("desk", [])
    assert "The cardholder was called" in shown
    assert "Signed in as ada@shop.example" in shown
    (sent,) = values(topics, PAYMENT_OUTCOMES.name)
    outcome_sent = json.loads(sent)
    assert (outcome_sent["payment_id"], outcome_sent["fraud"]) == (decision["payment_id"], True)


@pytest.mark.exercises("function-admin")
@pytest.mark.exercises("function-features")
@pytest.mark.exercises("function-api")
def test_a_price_that_a_person_accepts_is_told_to_the_store(
    runtime: Runtime,
    rig: Rig,
    guarded: dict[str, str],
    asking: dict[str, str],
    topics: Settings,
    tmp_path: Path,
) -> None:
    with connect(_allowed(rig)) as redis:
        PriceBook(redis).propose([proposed(1)])
    variables = guarded | kafka_variables(topics, tmp_path)
    accept = request("POST", "/admin/v1/prices/decisions", json.dumps(verdict("accept", proposed(1))))
    panel = asking | variables
    shown, answer = runtime.invoke("admin", _page("/admin/prices"), accept, **panel).answers
    assert "Soup 1" in body(shown)
    assert [each["code"] for each in json.loads(body(answer))["results"]] == ["not_seen_yet"]
    decided = _batch(PRICE_DECISIONS.name, *values(topics, PRICE_DECISIONS.name))
    assert runtime.invoke("features", decided, **variables).answers[0]["written"] == 1
    (again,) = runtime.invoke("admin", accept, **panel).answers
    assert [each["done"] for each in json.loads(body(again))["results"]] == [True]
    (told,) = runtime.invoke("api", request("GET", f"/v1/stores/{STORE}/prices"), **variables).answers
    found = json.loads(body(told))
    assert [(each["product_id"], each["price"]) for each in found["prices"]] == [(1, 3.1)]


@pytest.mark.exercises("function-admin")
def test_a_panel_that_asks_nobody_to_sign_in_does_not_start(
    runtime: Runtime, guarded: dict[str, str], topics: Settings, tmp_path: Path
) -> None:
    """API Gateway lets everybody through to its pages."""
    with pytest.raises(AssertionError, match="MERCATO_SIGN_IN_DISCOVERY_URL"):
        runtime.invoke("admin", request("GET", "/admin"), **guarded | kafka_variables(topics, tmp_path))
