"""A producer in a process that stands still between its calls, and over brokers that fail."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from lambdas import event_log
from lambdas.event_log import EventLog, EventsUnavailableError, Record
from mercato.settings import Settings
from tests.waiting import eventually

_LIFETIME = 900
#: Number of the request that brings records, in Kafka's protocol.
_PRODUCE = 0
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


class Broker:
    """The broker that librdkafka mocks for one producer, told to fail by what only its C interface has."""

    def __init__(self, producer: Producer) -> None:
        site = Path(confluent_kafka.__file__).parents[1]
        found = sorted(site.glob("confluent_kafka.libs/librdkafka*"))
        if not found:
            pytest.skip("this confluent_kafka comes without a librdkafka of its own")
        self._library = ctypes.CDLL(str(found[0]))
        # A handle of the library is the first that a producer holds, after its reference count and type.
        handle = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
        cluster = self._library.rd_kafka_handle_mock_cluster
        cluster.restype = ctypes.c_void_p
        self._cluster = ctypes.c_void_p(cluster(handle))

    def answer_next(self, api: int, error: int) -> None:
        """Answer the next request of this kind with an error."""
        push = self._library.rd_kafka_mock_push_request_errors
        push(self._cluster, ctypes.c_int16(api), ctypes.c_size_t(1), ctypes.c_int(error))

    def down(self) -> None:
        """Close all connections and take no new ones."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def up(self) -> None:
        """Be there again."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    """A log whose broker is librdkafka's own mock."""
    config = {"test.mock.num.brokers": 1, "bootstrap.servers": "mock"}
    monkeypatch.setattr(event_log, "client_config", lambda _settings: config)
    log = EventLog(Settings())
    yield log
    log.close()


def test_a_producer_that_failed_for_good_is_replaced(mocked: EventLog) -> None:
    mocked.append([RECORD])
    first = mocked._producer
    Broker(first).answer_next(_PRODUCE, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
    with pytest.raises(EventsUnavailableError, match="out of order sequence number"):
        mocked.append([RECORD])
    for _ in range(2):
        mocked.append([RECORD])
    assert mocked._producer is not first


def test_while_kafka_is_away_few_wait_for_it(mocked: EventLog) -> None:
    mocked.append([RECORD])
    broker = Broker(mocked._producer)
    broker.down()
    for _ in range(3):
        with pytest.raises(EventsUnavailableError):
            mocked.append([RECORD])
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(EventsUnavailableError, match="tried again shortly"):
            mocked.append([RECORD])
    assert time.monotonic() - began < 0.5, "an open circuit does not wait"
    broker.up()

    def taken() -> bool:
        try:
            mocked.append([RECORD])
        except EventsUnavailableError:
            return False
        return True

    assert eventually(taken)


def test_a_broker_that_refuses_records_of_one_topic_takes_others(mocked: EventLog) -> None:
    Broker(mocked._producer).answer_next(_PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    for _ in range(4):
        with pytest.raises(EventsUnavailableError, match="Topic authorization failed"):
            mocked.append([RECORD])
    mocked.append([Record("payments.v1", b"key", b"value")])
