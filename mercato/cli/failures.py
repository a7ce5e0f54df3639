"""Failures of engines, as errors that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mercato.errors import MercatoError


@contextmanager
def kafka_failures() -> Iterator[None]:
    """Whatever Kafka's client raises, as a MercatoError."""
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        raise MercatoError(f"Kafka does not answer ({error}): look at `mercato status`.") from error
