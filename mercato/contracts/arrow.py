"""Derive table types from one msgspec Struct: its Arrow schema and Spark DDL."""

from __future__ import annotations

import msgspec
import pyarrow as pa
from msgspec import inspect as mi

UTC_MICROS = pa.timestamp("us", tz="UTC")

_ARROW_SCALARS: dict[type[mi.Type], pa.DataType] = {
    mi.BoolType: pa.bool_(),
    mi.IntType: pa.int64(),
    mi.FloatType: pa.float64(),
    mi.StrType: pa.string(),
    mi.BytesType: pa.binary(),
    mi.DateTimeType: UTC_MICROS,
    mi.DateType: pa.date32(),
    mi.LiteralType: pa.string(),
    mi.EnumType: pa.string(),
}

#: `Meta(extra={"arrow": ...})` narrows a Python type to one of these.
_ARROW_NARROW = {"int32": pa.int32(), "float32": pa.float32()}

_SPARK_SCALARS: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.date32(): "DATE",
    UTC_MICROS: "TIMESTAMP",
}


def arrow_type(info: mi.Type) -> tuple[pa.DataType, bool]:
    """Arrow type and nullability of one msgspec type.

    What lies inside lists and structs is nullable, as in `spark_ddl`: an engine that reads
    files of another refuses to narrow it.

    Raises:
        TypeError: the type has no counterpart in a table.
    """
    if isinstance(info, mi.Metadata):
        narrow = (info.extra or {}).get("arrow")
        inner, nullable = arrow_type(info.type)
        return (_ARROW_NARROW[narrow] if narrow else inner), nullable
    if isinstance(info, mi.UnionType):
        members = [t for t in info.types if not isinstance(t, mi.NoneType)]
        if len(members) != 1:
            raise TypeError(f"a column holds one type, not the union {info.types}")
        return arrow_type(members[0])[0], len(members) != len(info.types)
    if isinstance(info, mi.ListType):
        item, _ = arrow_type(info.item_type)
        return pa.list_(pa.field("element", item)), False
    if isinstance(info, mi.StructType):
        return pa.struct([field.with_nullable(True) for field in arrow_fields(info.cls)]), False
    scalar = _ARROW_SCALARS.get(type(info))
    if scalar is None:
        raise TypeError(f"no column type for {info}")
    return scalar, False


def arrow_fields(struct: type[msgspec.Struct]) -> list[pa.Field]:
    """Arrow fields of a Struct in declaration order."""
    info = mi.type_info(struct)
    assert isinstance(info, mi.StructType)
    fields = []
    for field in info.fields:
        dtype, nullable = arrow_type(field.type)
        fields.append(pa.field(field.encode_name, dtype, nullable))
    return fields


def spark_type(dtype: pa.DataType) -> str:
    """Spark DDL of one Arrow type, e.g. `ARRAY<BIGINT>`."""
    if pa.types.is_list(dtype):
        return f"ARRAY<{spark_type(dtype.value_type)}>"
    if pa.types.is_struct(dtype):
        return f"STRUCT<{', '.join(f'{f.name}: {spark_type(f.type)}' for f in dtype)}>"
    return _SPARK_SCALARS[dtype]


def spark_ddl(schema: pa.Schema) -> str:
    """Spark DDL of an Arrow schema: `a BIGINT, b STRING`, every column nullable.

    Nullability is left to the validator: a Delta NOT NULL constraint made by one
    engine is not understood alike by the others.
    """
    return ", ".join(f"{f.name} {spark_type(f.type)}" for f in schema)
