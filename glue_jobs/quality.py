"""Glue Data Quality rulesets (DQDL) from the table contracts.

Lists and structs have no rules: DQDL knows neither.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from msgspec import inspect as mi

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.silver import TRANSACTIONS

#: Column that says when a row came in; what has none is not checked for freshness.
_ARRIVAL = TRANSACTIONS.c.ingest_time
#: A source that sent nothing for longer has stopped.
_FRESH_DAYS = 7
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def ruleset(table: Table) -> str:
    """What the contract promises of every row, as one DQDL document."""
    rules = ",\n".join(f"    {rule}" for rule in _rules(table))
    return f"Rules = [\n{rules}\n]"


def _rules(table: Table) -> Iterator[str]:
    # Where nothing was refused the quarantine is empty, and that is good.
    if table.layer != "quarantine":
        yield "RowCount > 0"
        if _ARRIVAL in table.c:
            yield (
                f'CustomSql "select count(*) from primary where {_ARRIVAL} > '
                f'current_timestamp() - interval {_FRESH_DAYS} days" > 0'
            )
    yield f"IsPrimaryKey {' '.join(map(_quoted, table.key))}"
    info = mi.type_info(table.row)
    assert isinstance(info, mi.StructType)
    for column, field in zip(table.arrow_schema, info.fields, strict=True):
        if pa.types.is_nested(column.type):
            continue
        if not column.nullable and column.name not in table.key:
            yield f"IsComplete {_quoted(column.name)}"
        # A comparison with null is not true.
        where = f' where "{column.name} is not null"' if column.nullable else ""
        yield from (f"{rule}{where}" for rule in _values(column.name, field.type))


def _values(name: str, info: mi.Type) -> Iterator[str]:
    match info:
        case mi.Metadata():
            yield from _values(name, info.type)
        case mi.UnionType():
            for member in info.types:
                yield from _values(name, member)
        case mi.LiteralType():
            yield f"ColumnValues {_quoted(name)} in [{', '.join(_quoted(str(v)) for v in info.values)}]"
        case mi.IntType() | mi.FloatType():
            for bound, operator in _BOUNDS.items():
                if (limit := getattr(info, bound)) is not None:
                    yield f"ColumnValues {_quoted(name)} {operator} {limit}"
        case mi.StrType():
            if info.min_length is not None:
                yield f"ColumnLength {_quoted(name)} >= {info.min_length}"
            if info.max_length is not None:
                yield f"ColumnLength {_quoted(name)} <= {info.max_length}"


def _quoted(name: str) -> str:
    return f'"{name}"'
