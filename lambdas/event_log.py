"""Data access: append events to Kafka and know that they arrived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from math import inf
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from lambdas.circuit import Circuit
from mercato.settings import Settings
from mercato.stream.kafka import client_config

#: A token is not used for longer than until so many seconds before its end.
_TOKEN_SPARE = 60
#: The broker must have acknowledged within this time, or the event counts as not taken.
DELIVERY_TIMEOUT_MS = 2_000


class EventsUnavailableError(Exception):
    """Kafka did not take the events in time."""


class _RefusedError(EventsUnavailableError):
    """A broker answered, and did not take a record."""


class RecordTooLargeError(ValueError):
    """A record that Kafka will not take, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record to append; `topic` is the name on the broker."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class EventLog:
    """An idempotent Kafka producer whose appends are waited for.

    Safe to use from several threads, and in a process that stands still between its calls, as Lambda's do:
    the client, which refreshes its token while it runs, is then replaced. So is one that failed for good.
    """

    def __init__(self, settings: Settings) -> None:
        self._config = client_config(settings) | {
            "enable.idempotence": True,
            "linger.ms": 1,
            "message.timeout.ms": DELIVERY_TIMEOUT_MS,
            "socket.keepalive.enable": True,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1_000,
            "log_level": 2,
        }
        if "oauth_cb" in self._config:
            self._config["oauth_cb"] = self._noting(self._config["oauth_cb"])
        #: When the token ends, seconds since 1970.
        self._token_ends = inf
        self._replacing = threading.Lock()
        self._circuit = Circuit()
        self._producer = Producer(self._config)
        #: One that sends no more, however long it is kept.
        self._broken: Producer | None = None
        self._open = True
        self._poller = threading.Thread(target=self._poll, name="kafka-delivery", daemon=True)
        self._poller.start()

    def append(self, records: Sequence[Record]) -> None:
        """Append all records and wait until the broker has each.

        Only one call a second waits for a broker that several did in vain.

        Raises:
            EventsUnavailableError: at least one record is not known to have arrived. Sending all of
                them again with the same event ids is safe: the lake drops duplicates.
            RecordTooLargeError: at least one is larger than a message may be.
        """
        if not self._circuit.allows():
            raise EventsUnavailableError("Kafka failed several times in a row; it is tried again shortly")
        try:
            self._append(records)
        except _RefusedError:  # by a broker that keeps nobody waiting
            self._circuit.succeeded()
            raise
        except EventsUnavailableError:
            self._circuit.failed()
            raise
        self._circuit.succeeded()

    def check(self) -> None:
        """Ask a broker for its topics.

        Raises:
            ConnectionError: none answers.
        """
        try:
            self._producer.list_topics(timeout=0.5)
        except KafkaException as error:
            raise ConnectionError(error.args[0].str()) from error

    def close(self) -> None:
        """Send what is queued and stop."""
        self._open = False
        self._poller.join()
        self._producer.flush(2)

    def _append(self, records: Sequence[Record]) -> None:
        self._replace_if_spent()
        arrivals = [self._send(record) for record in records]
        try:
            for arrival in arrivals:
                arrival.result(DELIVERY_TIMEOUT_MS / 1000 + 0.5)
        except FutureTimeout as error:
            raise EventsUnavailableError("Kafka did not acknowledge in time") from error

    def _noting(self, token: Callable[[str], tuple[str, float]]) -> Callable[[str], tuple[str, float]]:
        def noted(config: str) -> tuple[str, float]:
            made, self._token_ends = token(config)
            return made, self._token_ends

        return noted

    def _replace_if_spent(self) -> None:
        with self._replacing:
            stale = time.time() >= self._token_ends - _TOKEN_SPARE
            if not stale and self._producer is not self._broken:
                return
            try:
                # It has a token of its own once it is made.
                fresh = Producer(self._config)
            except KafkaException as error:
                raise EventsUnavailableError(f"no new token: {error}") from error
            before, self._producer, self._broken = self._producer, fresh, None
        before.flush(DELIVERY_TIMEOUT_MS / 1000)

    def _send(self, record: Record) -> Future[None]:
        arrival: Future[None] = Future()

        def on_delivery(error: Any, _message: Any) -> None:
            if error is None:
                arrival.set_result(None)
            else:
                arrival.set_exception(_unavailable(error, error.str()))

        try:
            self._producer.produce(
                record.topic, record.value, record.key, on_delivery=on_delivery, headers=list(record.headers)
            )
        except (BufferError, KafkaException) as error:
            if _too_large(error):
                raise RecordTooLargeError(f"a record for {record.topic} is too large for Kafka") from error
            raise _unavailable(error.args[0], f"the producer refused: {error}") from error
        return arrival

    def _poll(self) -> None:
        while self._open:
            producer = self._producer
            try:
                producer.poll(0.1)
            except KafkaException:
                # Raised once, of what an idempotent producer does not recover from; those who wait for it
                # hear of it by the polls that follow.
                self._broken = producer


def _unavailable(cause: object, why: str) -> EventsUnavailableError:
    # What the client itself finds, such as silence, has a negative code.
    answered = isinstance(cause, KafkaError) and cause.code() > 0
    return _RefusedError(why) if answered else EventsUnavailableError(why)


def _too_large(error: BufferError | KafkaException) -> bool:
    cause = error.args[0]
    return isinstance(cause, KafkaError) and cause.code() == KafkaError.MSG_SIZE_TOO_LARGE
