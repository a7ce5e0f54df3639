"""Feature views as Feast knows them; fields and types follow from the table contracts."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
from feast import FeatureView, Field
from feast.types import (
    Array,
    Bool,
    FeastType,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    UnixTimestamp,
)

from features.entities import ENTITIES
from features.sources import SOURCES
from mercato.contracts.arrow import UTC_MICROS
from mercato.online.views import VIEWS, View

_TYPES: dict[pa.DataType, FeastType] = {
    pa.bool_(): Bool,
    pa.int32(): Int32,
    pa.int64(): Int64,
    pa.float32(): Float32,
    pa.float64(): Float64,
    pa.string(): String,
    UTC_MICROS: UnixTimestamp,
}


def _field(field: pa.Field) -> Field:
    listed = pa.types.is_list(field.type)
    dtype = Array(_TYPES[field.type.value_type]) if listed else _TYPES[field.type]
    return Field(name=field.name, dtype=dtype)


def feature_view(view: View) -> FeatureView:
    """The Feast object of a view.

    No view expires: an old value beats none, and what has an end says so itself
    (`valid_to` of promotions, the session's last click). A streamed view has no source:
    the updater writes it straight to the online store.
    """
    entity = ENTITIES[view.entity]
    return FeatureView(
        name=view.name,
        entities=[entity],
        ttl=timedelta(0),
        schema=[_field(view.arrow_schema.field(view.entity)), *map(_field, view.features)],
        source=SOURCES.get(view.name),
        description=view.table.description,
        tags={"table": view.table.name},
    )


FEATURE_VIEWS = {name: feature_view(view) for name, view in VIEWS.items()}
