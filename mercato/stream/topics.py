"""Create Mercato's topics from their contracts."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic, TopicDescription

from mercato.contracts.events import TOPICS, Topic
from mercato.settings import Settings
from mercato.stream.kafka import client_config

#: Seconds that a broker may take to answer.
_TIMEOUT = 30


def kafka_name(settings: Settings, name: str) -> str:
    """Name of a topic on this deployment's broker."""
    return f"{settings.topic_prefix}{name}"


def _wanted(settings: Settings, topic: Topic) -> list[NewTopic]:
    events = {"cleanup.policy": "compact" if topic.compact else "delete"}
    return [
        NewTopic(kafka_name(settings, topic.name), topic.partitions, config=events),
        NewTopic(kafka_name(settings, topic.quarantine), 1),
    ]


def ensure_topics(settings: Settings) -> list[str]:
    """Create every topic and quarantine topic that is not there yet.

    Returns:
        Names of the topics that were created.

    Raises:
        mercato.settings.NotRunningError: Kafka has no address.
        KafkaException: the broker refused a topic.
    """
    admin = AdminClient(client_config(settings))
    wanted = [new for topic in TOPICS.values() for new in _wanted(settings, topic)]
    created = []
    for name, future in admin.create_topics(wanted, request_timeout=_TIMEOUT).items():
        try:
            future.result()
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


def describe(settings: Settings, topics: Iterable[Topic]) -> dict[str, TopicDescription]:
    """Id and partitions of each topic, by its name on the broker.

    Raises:
        mercato.settings.NotRunningError: Kafka has no address.
        KafkaException: the broker did not answer in time, or lacks a topic.
    """
    names = [kafka_name(settings, topic.name) for topic in topics]
    # Held, as answers end with their client; which would say at its end that it had more to tell.
    admin = AdminClient(client_config(settings) | {"log_level": 4})
    asked = admin.describe_topics(TopicCollection(names), request_timeout=_TIMEOUT)
    return {name: description.result() for name, description in asked.items()}
