"""Feast's online format: what goes in comes out, and Feast itself writes the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import _mmh3
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from hypothesis import given
from hypothesis import strategies as st

from features.views import FEATURE_VIEWS
from mercato.contracts.arrow import UTC_MICROS
from mercato.online.codec import KEY_VERSION, PROJECT, Codec, entity_of, redis_key
from mercato.online.views import VIEWS, View

VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): st.text(max_size=20),
    UTC_MICROS: st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda time: time.replace(microsecond=0)
    ),
}


def values_of(field: pa.Field) -> st.SearchStrategy[Any]:
    listed = pa.types.is_list(field.type)
    values = st.lists(VALUES[field.type.value_type], max_size=5) if listed else VALUES[field.type]
    return values | st.none() if field.nullable else values


def numbered(view: View) -> bool:
    return bool(pa.types.is_integer(view.arrow_schema.field(view.entity).type))


@st.composite
def rows(draw: st.DrawFn) -> tuple[View, dict[str, Any]]:
    view = draw(st.sampled_from(list(VIEWS.values())))
    row = {field.name: draw(values_of(field)) for field in view.features}
    row[view.entity] = draw(st.integers(0, 2**53) if numbered(view) else st.text(min_size=1, max_size=32))
    row[view.time] = datetime(2026, 1, 1, tzinfo=UTC) + draw(st.timedeltas(timedelta(0), timedelta(days=900)))
    return view, row


@given(rows())
def test_a_row_comes_back_as_it_went_in(drawn: tuple[View, dict[str, Any]]) -> None:
    view, row = drawn
    codec = Codec(view)
    stored = codec.encode(row)
    found = codec.decode([stored[field] for field in codec.fields])
    assert found is not None
    listed = {name: list(v) if hasattr(v, "append") else v for name, v in found.items()}
    assert listed == {name: value for name, value in row.items() if name != view.entity}


@given(rows())
def test_feast_writes_the_same_bytes(drawn: tuple[View, dict[str, Any]]) -> None:
    view, row = drawn
    stored = Codec(view).encode(row)
    for feature in FEATURE_VIEWS[view.name].features:
        (proto,) = python_values_to_proto_values([row[feature.name]], feature.dtype.to_value_type())
        assert stored[_mmh3(f"{view.name}:{feature.name}")] == proto.SerializeToString()


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_feast_makes_the_same_key(view: View) -> None:
    entity = 2**40 + 3 if numbered(view) else "1-é"
    value = Value(int64_val=entity) if isinstance(entity, int) else Value(string_val=entity)
    key = EntityKey(join_keys=[view.entity], entity_values=[value])
    assert redis_key(view, entity) == serialize_entity_key(key, KEY_VERSION) + PROJECT.encode()
    assert entity_of(view, redis_key(view, entity)) == entity


def test_what_was_never_written_is_none() -> None:
    codec = Codec(VIEWS["product_stats_v1"])
    assert codec.decode([None] * len(codec.fields)) is None
