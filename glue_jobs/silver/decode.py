"""Decode bronze records with the contract's own validator, inside the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from mercato.contracts.events import TOPICS, Event, Topic, Violation
from mercato.contracts.schema import Columns, spark_ddl
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import QUARANTINE, SILVER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Q = QUARANTINE.c
#: What a decoded row has beside its silver columns: filled where the record is refused.
_REFUSAL = pa.schema(
    [QUARANTINE.arrow_schema.field(name) for name in (Q.key, Q.value, Q.code, Q.field, Q.reason, Q.kafka_time)]
)


def decoded_schema(topic: Topic) -> pa.Schema:
    """Arrow schema of `decode`'s rows: silver's columns, then the refusal's."""
    fields = [*SILVER[topic.name].arrow_schema, *_renamed(_REFUSAL)]
    return pa.schema([field.with_nullable(True) for field in fields])


def refusal(name: str) -> str:
    """Column of a decoded row that holds a quarantine column; events have fields of the same names."""
    return f"refused_{name}"


def decode(records: DataFrame, topic: Topic) -> DataFrame:
    """Bronze records as typed rows; a refused one has its reason and no event columns."""
    schema = spark_ddl(decoded_schema(topic))
    decoded: DataFrame = records.mapInArrow(_decoder(topic.name), schema)
    return decoded


def _renamed(schema: pa.Schema) -> list[pa.Field]:
    return [field.with_name(refusal(field.name)) for field in schema]


def _decoder(name: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # The topic is looked up where the function runs: contracts do not travel by pickle.
        for batch in batches:
            yield decode_batch(batch, TOPICS[name])

    return run


def decode_batch(batch: pa.RecordBatch, topic: Topic) -> pa.RecordBatch:
    """One Arrow batch of bronze rows to one of `decoded_schema(topic)`, refused rows last."""
    b = BRONZE[topic.name].c
    # A batch holds few distinct arrival times, and making them into Python objects is slow.
    received = batch[b.kafka_time].dictionary_encode()
    times, index = received.dictionary.to_pylist(), received.indices.to_pylist()
    values = batch[b.value].to_pylist()
    outcomes = [topic.decode(value, times[i]) for value, i in zip(values, index, strict=True)]
    good = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Event)]
    bad = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Violation)]
    if not bad:
        return _accepted(batch, outcomes, topic)
    accepted = _accepted(batch.take(pa.array(good, pa.int64())), [outcomes[i] for i in good], topic)
    refused = _refused(batch.take(pa.array(bad, pa.int64())), [outcomes[i] for i in bad], topic)
    both = pa.Table.from_batches([accepted, refused]).combine_chunks()
    return both.to_batches()[0]


def _source(batch: pa.RecordBatch, b: Columns, topic: Topic) -> dict[str, pa.Array]:
    c = SILVER[topic.name].c
    return {
        c.source_partition: batch[b.partition],
        c.source_offset: batch[b.offset],
        c.ingest_time: batch[b.ingest_time],
    }


def _accepted(batch: pa.RecordBatch, events: list[Any], topic: Topic) -> pa.RecordBatch:
    fields = list(topic.arrow_schema)
    rows = map(attrgetter(*(field.name for field in fields)), events)
    columns = zip(*rows, strict=True) if events else ([] for _ in fields)
    arrays: dict[str, pa.Array] = {
        field.name: pa.array(_plain(column, field.type), field.type)
        for field, column in zip(fields, columns, strict=True)
    }
    return _batch({**arrays, **_source(batch, BRONZE[topic.name].c, topic)}, len(events), topic)


def _plain(column: Iterable[Any], dtype: pa.DataType) -> list[Any]:
    # Arrow reads dicts, not Structs.
    nested = pa.types.is_list(dtype) and pa.types.is_struct(dtype.value_type)
    return msgspec.to_builtins(list(column)) if nested else list(column)


def _refused(batch: pa.RecordBatch, violations: list[Any], topic: Topic) -> pa.RecordBatch:
    b = BRONZE[topic.name].c
    arrays = {
        refusal(Q.key): batch[b.key],
        refusal(Q.value): batch[b.value],
        refusal(Q.code): pa.array([violation.code for violation in violations]),
        refusal(Q.field): pa.array([violation.field for violation in violations]),
        refusal(Q.reason): pa.array([violation.reason for violation in violations]),
        refusal(Q.kafka_time): batch[b.kafka_time],
    }
    return _batch({**arrays, **_source(batch, b, topic)}, len(violations), topic)


def _batch(arrays: dict[str, pa.Array], rows: int, topic: Topic) -> pa.RecordBatch:
    schema = decoded_schema(topic)
    full = [
        arrays[field.name].cast(field.type) if field.name in arrays else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(full, schema=schema)
