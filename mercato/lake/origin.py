"""Which Kafka topic the offsets of a bronze table are of.

A topic that is made anew, on a new broker or on the same one, counts from 0 again: once it has grown past
what bronze holds, its offsets look as if bronze had them already. Its id, which no other ever has, tells.
"""

from __future__ import annotations

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from mercato.contracts.events import Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.errors import MercatoError
from mercato.lake.tables import Lake

#: Property of a bronze table: id of the topic that it is filled from.
TOPIC_ID = "mercato.kafka.topic.id"


class OffsetsGoneError(MercatoError):
    """Kafka no longer has the records that bronze lacks."""


def bound(lake: Lake, topic: Topic, topic_id: str) -> DeltaTable:
    """The topic's bronze table, made if it is not there, bound to the topic of this id.

    A table from before the id was kept is bound to the first topic that it is filled from since.

    Raises:
        OffsetsGoneError: it is bound to another topic.
    """
    delta = lake.create(BRONZE[topic.name])
    while TOPIC_ID not in delta.metadata().configuration:
        try:
            delta.alter.set_table_properties({TOPIC_ID: topic_id}, raise_if_not_exists=False)
        except CommitFailedError:  # another process binds it, or fills it
            delta.update_incremental()
    check(delta, topic, topic_id)
    return delta


def check(delta: DeltaTable, topic: Topic, topic_id: str) -> None:
    """See that a bronze table, if bound, is bound to the topic of this id.

    Raises:
        OffsetsGoneError: it is bound to another topic.
    """
    if delta.metadata().configuration.get(TOPIC_ID, topic_id) != topic_id:
        raise OffsetsGoneError(
            f"Kafka's {topic.name} was made anew since {delta.table_uri} was filled: its offsets count from "
            "0 again. Use a new lake (MERCATO_LAKE_URI), or delete the old one."
        )
