"""Rows to and from Feast's online format for Redis, without importing Feast.

Feast keeps one Redis hash per entity; a field of it is one feature of one view as a
`ValueProto`, another the event time of the view's row. The format is documented and
stable (Feast, "Online Store Format"); importing its SDK takes seconds, a hundred
megabytes and pandas, too much for a request path. A test holds that each side reads
what the other wrote.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import mmh3
import pyarrow as pa
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]

from mercato.contracts.arrow import UTC_MICROS
from mercato.online.views import View

#: What names an entity, by the type of its column.
Entity = int | str

#: One Feast project holds every view.
PROJECT = "mercato"
#: Feast's entity key format that this module writes.
KEY_VERSION = 3

_TYPE = descriptor_pb2.FieldDescriptorProto
#: The members of Feast's ValueProto that contracts need: name, number, type; its list is number + 10.
_MEMBERS = (
    ("string", 2, _TYPE.TYPE_STRING),
    ("int32", 3, _TYPE.TYPE_INT32),
    ("int64", 4, _TYPE.TYPE_INT64),
    ("double", 5, _TYPE.TYPE_DOUBLE),
    ("float", 6, _TYPE.TYPE_FLOAT),
    ("bool", 7, _TYPE.TYPE_BOOL),
    ("unix_timestamp", 8, _TYPE.TYPE_INT64),
)
_MEMBER_OF: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.int32(): "int32",
    pa.int64(): "int64",
    pa.float64(): "double",
    pa.float32(): "float",
    pa.bool_(): "bool",
    UTC_MICROS: "unix_timestamp",
}
#: Value types of Feast's key format.
_STRING, _INT64 = 2, 4


def _value_class() -> Any:
    """Feast's `feast.types.Value`, as far as contracts need it."""
    file = descriptor_pb2.FileDescriptorProto(name="value.proto", package="mercato", syntax="proto3")
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="val")
    for name, number, kind in _MEMBERS:
        wrapper = file.message_type.add(name=f"{name}_list")
        wrapper.field.add(name="val", number=1, type=kind, label=_TYPE.LABEL_REPEATED)
        value.field.add(
            name=f"{name}_val", number=number, type=kind, label=_TYPE.LABEL_OPTIONAL, oneof_index=0
        )
        value.field.add(
            name=f"{name}_list_val", number=number + 10, type=_TYPE.TYPE_MESSAGE,
            type_name=f".mercato.{name}_list", label=_TYPE.LABEL_OPTIONAL, oneof_index=0,
        )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("mercato.Value"))


Value = _value_class()


def _encoder(dtype: pa.DataType) -> Callable[[Any], bytes]:
    if dtype == UTC_MICROS:  # Feast keeps whole seconds
        return lambda moment: Value(unix_timestamp_val=int(moment.timestamp())).SerializeToString()
    if pa.types.is_list(dtype):
        name = f"{_MEMBER_OF[dtype.value_type]}_list_val"
        return lambda values: Value(**{name: {"val": values}}).SerializeToString()
    name = f"{_MEMBER_OF[dtype]}_val"
    return lambda value: Value(**{name: value}).SerializeToString()


def _decoder(dtype: pa.DataType) -> Callable[[Any], Any]:
    if dtype == UTC_MICROS:
        return lambda proto: datetime.fromtimestamp(proto.unix_timestamp_val, UTC)
    if pa.types.is_list(dtype):
        name = f"{_MEMBER_OF[dtype.value_type]}_list_val"
        return lambda proto: getattr(proto, name).val
    name = f"{_MEMBER_OF[dtype]}_val"
    return lambda proto: getattr(proto, name)


class Codec:
    """Encodes and decodes the rows of one view.

    Attributes:
        view: the view.
        names: the wanted features in the view's order.
        fields: fields of the Redis hash: the row's event time, then the wanted features.
    """

    def __init__(self, view: View, wanted: Sequence[str] = ()) -> None:
        """Set up for all features of a view, or for the wanted ones."""
        self.view = view
        features = [field for field in view.features if not wanted or field.name in wanted]
        self.names = tuple(field.name for field in features)
        self.fields: tuple[bytes, ...] = (
            f"_ts:{view.name}".encode(),
            *(struct.pack("<I", mmh3.hash(f"{view.name}:{name}", signed=False)) for name in self.names),
        )
        self._encoders = [_encoder(field.type) for field in features]
        self._decoders = [_decoder(field.type) for field in features]

    def encode(self, row: Mapping[str, Any]) -> dict[bytes, bytes]:
        """Fields of the entity's hash; a null is an empty value."""
        time = Timestamp()
        time.FromDatetime(row[self.view.time])
        encoded = {self.fields[0]: time.SerializeToString()}
        for field, name, encode in zip(self.fields[1:], self.names, self._encoders, strict=True):
            value = row[name]
            encoded[field] = b"" if value is None else encode(value)
        return encoded

    def decode(self, stored: Sequence[bytes | None]) -> dict[str, Any] | None:
        """Values of `fields` by name, with the event time; `None` if the view has no row.

        Lists are sequences that numpy and Arrow take as they are.
        """
        if stored[0] is None:
            return None
        time = Timestamp.FromString(stored[0])
        row: dict[str, Any] = {self.view.time: time.ToDatetime(UTC)}
        for name, decode, value in zip(self.names, self._decoders, stored[1:], strict=True):
            row[name] = decode(Value.FromString(value)) if value else None
        return row


def key_prefix(view: View) -> bytes:
    """What the keys of all entities of a view's kind begin with."""
    return _prefix(view.entity, _INT64 if view.numbered else _STRING)


@functools.cache
def _prefix(entity: str, kind: int) -> bytes:
    name = entity.encode()
    return struct.pack("<III", 1, _STRING, len(name)) + name + struct.pack("<I", kind)


def redis_key(view: View, entity: Entity) -> bytes:
    """Key of the hash of one entity."""
    value = struct.pack("<q", entity) if view.numbered else str(entity).encode()
    return key_prefix(view) + struct.pack("<I", len(value)) + value + PROJECT.encode()


def entity_of(view: View, key: bytes) -> Entity:
    """The entity of a Redis key: what stands after its length and before the project's name."""
    value = key[len(key_prefix(view)) + 4 : len(key) - len(PROJECT)]
    if not view.numbered:
        return value.decode()
    entity: int = struct.unpack("<q", value)[0]
    return entity
