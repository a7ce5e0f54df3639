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
#: When a run took place is no result of it.
_OF_THE_RUN = {QUARANTINE.name: {QUARANTINE.c.quarantined_at}}


def rows(lake: Lake, table: Table) -> pa.Table:
    """All rows in the order of the key, in the contract's types."""
    delta = lake.own(table)
    assert delta is not None, f"{table.name} was not written"
    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    found = delta.to_pyarrow_table().select(list(table.c)).cast(nullable)
    return found.sort_by([(name, "ascending") for name in table.key]).combine_chunks()


def assert_same_rows(one: Lake, other: Lake, table: Table) -> pa.Table:
    """Equal values everywhere, lists in the same order; floats within TOLERANCE.

    Returns:
        the rows.
    """
    left, right = rows(one, table), rows(other, table)
    assert len(left) == len(right), table.name
    for name in set(table.c) - _OF_THE_RUN.get(table.name, set()):
        assert _same(left[name], right[name]), f"{table.name}.{name} differs"
    return left


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    if left.equals(right):
        return True
    if pa.types.is_list(left.type):
        lengths = pc.list_value_length(left).equals(pc.list_value_length(right))
        return bool(lengths) and _same(pc.list_flatten(left), pc.list_flatten(right))
    if not pa.types.is_floating(left.type) or not pc.is_null(left).equals(pc.is_null(right)):
        return False
    ours, theirs = (array.to_numpy(zero_copy_only=False) for array in (left, right))
    return bool(np.allclose(ours, theirs, rtol=TOLERANCE, atol=0, equal_nan=True))
