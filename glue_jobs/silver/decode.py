"""Decode bronze records with the contract's own validator, inside the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mercato.contracts.events import TOPICS, Event, Topic, Violation
from mercato.contracts.schema import spark_ddl
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import QUARANTINE, SILVER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Q = QUARANTINE.c
#: Events decoded at a time: few enough that they are still in the processor's cache when they
#: are turned into columns.
_CHUNK_ROWS = 8192
#: Columns of the quarantine that say why a record is refused.
REASONS = (Q.code, Q.field, Q.reason)


def refusal(name: str) -> str:
    """Column of a decoded row that holds one of REASONS; events have fields of the same names."""
    return f"refused_{name}"


def decoded_schema(topic: Topic) -> pa.Schema:
    """Arrow schema of `decode`'s rows: silver's columns, then why the record is refused, if it is."""
    why = [QUARANTINE.arrow_schema.field(name).with_name(refusal(name)) for name in REASONS]
    return pa.schema([field.with_nullable(True) for field in (*SILVER[topic.name].arrow_schema, *why)])


def decode(records: DataFrame, topic: Topic) -> DataFrame:
    """Bronze records as typed rows; a refused one has its reason and no event columns."""
    decoded: DataFrame = records.mapInArrow(_decoder(topic.name), spark_ddl(decoded_schema(topic)))
    return decoded


def _decoder(name: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # The topic is looked up where the function runs: contracts do not travel by pickle.
        topic = TOPICS[name]
        for batch in batches:
            for start in range(0, batch.num_rows, _CHUNK_ROWS):
                yield from decode_batch(batch.slice(start, _CHUNK_ROWS), topic)

    return run


def decode_batch(batch: pa.RecordBatch, topic: Topic) -> Iterator[pa.RecordBatch]:
    """Bronze rows as batches of `decoded_schema(topic)`: the accepted rows, then the refused ones."""
    b = BRONZE[topic.name].c
    # Many records share an arrival time. In datetime's own UTC it compares three times faster.
    arrivals = batch[b.kafka_time].dictionary_encode()
    times = [time.astimezone(UTC) for time in arrivals.dictionary.to_pylist()]
    values, at = batch[b.value].to_pylist(), arrivals.indices.to_pylist()
    decoded = [topic.decode(value, times[i]) for value, i in zip(values, at, strict=True)]
    events = [outcome for outcome in decoded if isinstance(outcome, Event)]
    if len(events) == len(decoded):
        yield _batch(batch, _event_columns(events, topic), topic)
        return
    refused = pa.array([isinstance(outcome, Violation) for outcome in decoded])
    yield _batch(batch.filter(pc.invert(refused)), _event_columns(events, topic), topic)
    violations = [outcome for outcome in decoded if isinstance(outcome, Violation)]
    why = {
        refusal(Q.code): [violation.code for violation in violations],
        refusal(Q.field): [violation.field for violation in violations],
        refusal(Q.reason): [violation.reason for violation in violations],
    }
    yield _batch(batch.filter(refused), why, topic)


def _event_columns(events: Sequence[Event], topic: Topic) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for field in topic.arrow_schema:
        column = list(map(attrgetter(field.name), events))
        # Arrow reads dicts, not Structs.
        nested = pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
        columns[field.name] = msgspec.to_builtins(column) if nested else column
    return columns


def _batch(records: pa.RecordBatch, columns: dict[str, Any], topic: Topic) -> pa.RecordBatch:
    b, c = BRONZE[topic.name].c, SILVER[topic.name].c
    columns = {
        **columns,
        c.source_partition: records[b.partition],
        c.source_offset: records[b.offset],
        c.ingest_time: records[b.ingest_time],
    }
    schema, rows = decoded_schema(topic), records.num_rows
    arrays = [
        _array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: pa.Array | list[Any], dtype: pa.DataType) -> pa.Array:
    # Engines differ in what they hand over: Sail's strings and bytes may be views.
    return column.cast(dtype) if isinstance(column, pa.Array) else pa.array(column, dtype)
