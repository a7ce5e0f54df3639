"""Compare two tables of one contract row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.silver import QUARANTINE
from mercato.lake.tables import Lake

#: Relative difference allowed between two floating-point results.
TOLERANCE = 1e-9
#: Below this a difference of two nearly equal numbers is nothing.
_ZERO = 1e-12
#: When a run took place is no result of it.
_OF_THE_RUN = {QUARANTINE.name: {QUARANTINE.c.quarantined_at}}


def rows(lake: Lake, table: Table) -> pa.Table:
    """All rows of a lake's own table."""
    delta = lake.own(table)
    assert delta is not None, f"{table.name} was not written"
    return delta.to_pyarrow_table()


def assert_same_rows(left: pa.Table, right: pa.Table, table: Table) -> None:
    """Equal values everywhere, in any order of rows, lists in the same order; floats within TOLERANCE."""
    left, right = _ordered(left, table), _ordered(right, table)
    assert len(left) == len(right), table.name
    for name in set(table.c) - _OF_THE_RUN.get(table.name, set()):
        assert _same(left[name], right[name]), f"{table.name}.{name} differs"


def _ordered(found: pa.Table, table: Table) -> pa.Table:
    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    ordered = found.select(list(table.c)).cast(nullable).sort_by([(name, "ascending") for name in table.key])
    return ordered.combine_chunks()


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    if left.equals(right):
        return True
    if pa.types.is_list(left.type):
        lengths = pc.list_value_length(left).equals(pc.list_value_length(right))
        return bool(lengths) and _same(pc.list_flatten(left), pc.list_flatten(right))
    if not pa.types.is_floating(left.type) or not pc.is_null(left).equals(pc.is_null(right)):
        return False
    ours, theirs = (array.to_numpy(zero_copy_only=False) for array in (left, right))
    return bool(np.allclose(ours, theirs, rtol=TOLERANCE, atol=_ZERO, equal_nan=True))
