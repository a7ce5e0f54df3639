"""Payments through Kafka into Redis, and decisions on them through HTTP, by a model trained here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from lambdas.api.app import create_app
from mercato.contracts.events import PAYMENT_OUTCOMES, PAYMENTS
from mercato.online.cases import CaseBook
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream.online_features import GROUP
from mercato_models import artifact
from mercato_models.fraud.amount_likelihood import AmountLikelihood
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments
from mercato_models.fraud.replay import Past
from mercato_models.fraud.simulator import simulate
from tests.integration.following import following
from tests.integration.scoring import served
from tests.integration.sending import send
from tests.unit.fraud.events import outcome, payment
from tests.unit.fraud.world import SMALL, one_a_second, train
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

#: Newest payments, of which nothing was learned.
ASKED = 40


@pytest.fixture(scope="module")
def town() -> Payments:
    return one_a_second(simulate(replace(SMALL, customers=60, terminals=60))[0])


@pytest.fixture(scope="module")
def model(town: Payments, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fraud")
    train(town, folder, unseen=ASKED)
    return folder


def test_decisions_are_those_of_the_model_on_all_that_happened(
    town: Payments, model: Path, own: Settings
) -> None:
    """All but the last payments go through Kafka; the API must know the last ones as training does."""
    last = len(town) - ASKED
    paid = [payment(town, number) for number in range(len(town))]
    known = int(np.searchsorted(town.second, town.second[last] - LABEL_DELAY, side="right"))
    outcomes = [outcome(one, bool(fraud)) for one, fraud in zip(paid[:known], town.fraud, strict=False)]
    store = OnlineStore(own)
    with following(own), served("fraud", model) as address:
        send(own, PAYMENTS, list(paid[:last]))
        eventually(lambda: store.counts(GROUP).get("written") == last, seconds=30)
        send(own, PAYMENT_OUTCOMES, list(outcomes))
        eventually(lambda: store.counts(GROUP).get("written") == last + known, seconds=30)
        send(own, PAYMENTS, list(paid[:20]))
        send(own, PAYMENT_OUTCOMES, list(outcomes[:20]))
        eventually(lambda: store.counts(GROUP).get("unchanged") == 40)

        named = own.model_copy(update={"fraud_scorer_url": address})
        # Of a card's or terminal's later payments, the first alone is asked for: nothing comes between.
        seen, apart = set[str](), list[float]()
        trained, features = artifact.load(model), Past(town).features(AmountLikelihood.load(model))
        with TestClient(create_app(named)) as client:
            for number in range(last, len(town)):
                one = paid[number]
                if one.card_id in seen or _labelled_meanwhile(town, known, number):
                    continue
                seen.add(one.card_id)
                asked = {"card_id": one.card_id, "terminal_id": one.terminal_id, "amount": one.amount}
                response = client.post(
                    "/v1/payments/decisions", json=asked | {"paid_at": one.event_time.isoformat()}
                )
                assert response.status_code == 200, response.text
                answer = response.json()
                expected = float(trained.score(features[number : number + 1])[0])
                apart.append(abs(answer["probability"] - expected))
                assert answer["model_version"] == "5"
                assert answer["card_payments"] == (town.customer[:last] == town.customer[number]).sum()
    assert len(apart) > 10
    # A last bit of a feature may lie on the other side of a split.
    assert np.quantile(apart, 0.8) < 1e-5
    assert max(apart) < 0.01


def _labelled_meanwhile(town: Payments, known: int, number: int) -> bool:
    """Whether an outcome at the payment's terminal became known after those that were sent."""
    end = int(np.searchsorted(town.second, town.second[number] - LABEL_DELAY, side="right"))
    return bool((town.terminal[known:end] == town.terminal[number]).any())


def test_an_unusual_amount_is_not_simply_approved(town: Payments, model: Path, own: Settings) -> None:
    first = [payment(town, number) for number in np.flatnonzero(town.customer == 0)[:30].tolist()]
    store = OnlineStore(own)
    with following(own), served("fraud", model) as address:
        send(own, PAYMENTS, list(first))
        eventually(lambda: store.counts(GROUP).get("written") == 30, seconds=30)
        named = own.model_copy(update={"fraud_scorer_url": address})
        with TestClient(create_app(named)) as client:
            usual, odd = (
                client.post(
                    "/v1/payments/decisions",
                    json={
                        "card_id": first[0].card_id,
                        "terminal_id": "nowhere",
                        "amount": amount,
                        "paid_at": (first[-1].event_time + timedelta(hours=5)).isoformat(),
                    },
                ).json()
                for amount in (first[-1].amount, 900.0)
            )
            eventually(lambda: CaseBook(store.redis).case(odd["payment_id"]) is not None)
    assert odd["action"] in {"review", "decline"}
    assert odd["probability"] > usual["probability"]
    for answer in (usual, odd):
        assert (answer["action"] != "approve") == (answer["probability"] > answer["review_from"])
    held = CaseBook(store.redis).case(odd["payment_id"])
    assert (usual["recorded"], odd["recorded"]) == (True, True)
    assert held is not None
    assert (held.decided.action, held.decided.amount, held.outcome) == (odd["action"], 900.0, None)
    assert odd["reasons"][0]["code"] in {"high_amount", "unusual_amount"}
    assert odd["terminal_outcomes"] == 0


def test_a_payment_without_a_model_or_a_card_is_told_what_is_missing(own: Settings) -> None:
    with TestClient(create_app(own)) as client:
        asked = {"card_id": "1-1", "terminal_id": "1-1", "amount": 10}
        missing = client.post("/v1/payments/decisions", json=asked)
        assert (missing.status_code, missing.json()["type"]) == (503, "/problems/model_unavailable")
        assert "mercato up fraud-scorer" in missing.json()["detail"]
        wrong = client.post("/v1/payments/decisions", json=asked | {"amount": -1, "card": "1"})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/invalid_parameters")
        assert {each["field"] for each in wrong.json()["errors"]} == {"$.amount", "$.card"}
        broken = client.post(
            "/v1/payments/decisions", content=b"{", headers={"content-type": "application/json"}
        )
        assert (broken.status_code, broken.json()["type"]) == (400, "/problems/malformed_body")
