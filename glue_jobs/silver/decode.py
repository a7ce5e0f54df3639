"""Decode bronze records with the contract's own validator, inside the engine."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercato.contracts.arrow import spark_ddl
from mercato.contracts.events import TOPICS, Event, Topic, Violation
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
    # A module's function travels by its name: contracts are looked up where it runs.
    run = functools.partial(_decode_batches, topic.name)
    decoded: DataFrame = records.mapInArrow(run, spark_ddl(decoded_schema(topic)))
    return decoded


def _decode_batches(name: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, _CHUNK_ROWS):
            with _collector_paused():
                decoded = decode_batch(batch.slice(start, _CHUNK_ROWS), TOPICS[name])
            yield from decoded


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Events hold no cycles; looking for some among them takes longer than decoding them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def decode_batch(batch: pa.RecordBatch, topic: Topic) -> list[pa.RecordBatch]:
    """Bronze rows as batches of `decoded_schema(topic)`: the accepted rows, then the refused ones."""
    b = BRONZE[topic.name].c
    # Many records share an arrival time. In datetime's own UTC it compares three times faster.
    arrivals = batch[b.kafka_time].dictionary_encode()
    times = [time.astimezone(UTC) for time in arrivals.dictionary.to_pylist()]
    values, at = batch[b.value].to_pylist(), arrivals.indices.to_pylist()
    decoded = [topic.decode(value, times[i]) for value, i in zip(values, at, strict=True)]
    events = [outcome for outcome in decoded if isinstance(outcome, Event)]
    if len(events) == len(decoded):
        return [_batch(batch, _event_columns(events, topic), topic)]
    refused = pa.array([isinstance(outcome, Violation) for outcome in decoded])
    accepted = _batch(batch.filter(pc.invert(refused)), _event_columns(events, topic), topic)
    violations = [outcome for outcome in decoded if isinstance(outcome, Violation)]
    why = {
        refusal(Q.code): pa.array(_values(violations, "code"), pa.string()),
        refusal(Q.field): pa.array(_values(violations, "field"), pa.string()),
        refusal(Q.reason): pa.array(_values(violations, "reason"), pa.string()),
    }
    return [accepted, _batch(batch.filter(refused), why, topic)]


def _event_columns(events: Sequence[Event], topic: Topic) -> dict[str, pa.Array]:
    return {field.name: _column(_values(events, field.name), field.type) for field in topic.arrow_schema}


def _values(structs: Sequence[Any], name: str) -> list[Any]:
    return list(map(attrgetter(name), structs))


def _column(values: list[Any], dtype: pa.DataType) -> pa.Array:
    """Values of a contract's field as Arrow; lists and structs, which are never null, part by part."""
    if pa.types.is_struct(dtype):
        parts = [_column(_values(values, field.name), field.type) for field in dtype]
        return pa.StructArray.from_arrays(parts, fields=list(dtype))
    if pa.types.is_list(dtype):
        offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
        items = _column(list(chain.from_iterable(values)), dtype.value_type)
        return pa.ListArray.from_arrays(offsets, items, type=dtype)
    return pa.array(values, dtype)


def _batch(records: pa.RecordBatch, columns: dict[str, pa.Array], topic: Topic) -> pa.RecordBatch:
    b, c = BRONZE[topic.name].c, SILVER[topic.name].c
    columns = {
        **columns,
        c.source_partition: records[b.partition],
        c.source_offset: records[b.offset],
        c.ingest_time: records[b.ingest_time],
    }
    schema, rows = decoded_schema(topic), records.num_rows
    arrays = [
        # Engines differ in what they hand over: Sail's strings and bytes may be views.
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
