"""A producer in a process that stands still between its calls."""

from __future__ import annotations

import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from lambdas import event_log
from lambdas.event_log import EventLog, EventsUnavailableError, Record
from mercato.settings import Settings
from tests.waiting import eventually

_LIFETIME = 900
RECORD = Record("clickstream.v1", b"key", b"value")


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each token ends that was asked for; what signs MSK's is in the bundle alone."""
    ends: list[float] = []

    def token(_config: str) -> tuple[str, float]:
        ends.append(time.time() + _LIFETIME)
        return "token", ends[-1]

    def config(settings: Settings) -> dict[str, Any]:
        return {
            "bootstrap.servers": settings.kafka_bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "OAUTHBEARER",
            "oauth_cb": token,
        }

    monkeypatch.setattr(event_log, "client_config", config)
    return ends


def test_a_client_whose_token_ended_meanwhile_is_replaced(
    tokens: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(Settings(kafka_bootstrap="127.0.0.1:1"))
    try:
        eventually(lambda: len(tokens) == 1)
        first = log._producer
        with pytest.raises(EventsUnavailableError):
            log.append([RECORD])
        assert log._producer is first

        woken = tokens[0] - 1
        monkeypatch.setattr(time, "time", lambda: woken)
        with pytest.raises(EventsUnavailableError):
            log.append([RECORD])
        eventually(lambda: len(tokens) == 2)
        second = log._producer
        assert second is not first
        with pytest.raises(EventsUnavailableError):
            log.append([RECORD])
        assert log._producer is second
    finally:
        log.close()


def test_without_a_new_token_events_are_unavailable_and_the_next_append_asks_again(
    tokens: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(Settings(kafka_bootstrap="127.0.0.1:1"))
    try:
        eventually(lambda: len(tokens) == 1)
        first, asked = log._producer, list[object]()

        def refused(config: object) -> Producer:
            asked.append(config)
            raise KafkaException(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED))

        monkeypatch.setattr(event_log, "Producer", refused)
        woken = tokens[0] - 1
        monkeypatch.setattr(time, "time", lambda: woken)
        for _ in range(2):
            with pytest.raises(EventsUnavailableError, match="no new token"):
                log.append([RECORD])
        assert len(asked) == 2
        assert log._producer is first
    finally:
        log.close()


def test_without_tokens_a_client_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(Settings(kafka_bootstrap="127.0.0.1:1"))
    first = log._producer
    try:
        monkeypatch.setattr(time, "time", lambda: 1e12)
        with pytest.raises(EventsUnavailableError):
            log.append([RECORD])
        assert log._producer is first
    finally:
        log.close()
