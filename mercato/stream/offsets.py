"""The first and the next offset of a partition."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

#: Seconds that Kafka may take to answer.
_TIMEOUT = 20
_NO_LEADER_YET = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}


def watermarks(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """Offset of the oldest record that Kafka holds, and that of the next one to come.

    Raises:
        KafkaException: the broker did not answer in time, or does not know the partition.
    """
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=_TIMEOUT)
            return low, high
        except KafkaException as error:
            # A broker names the leader of a partition, new or found again, before it takes the lead.
            if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
