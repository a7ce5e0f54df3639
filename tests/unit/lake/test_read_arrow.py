"""Rows of a table without a session."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from mercato.contracts.tables.gold import PRODUCT_PAIRS
from mercato.contracts.tables.silver import PAYMENT_OUTCOMES
from mercato.lake.tables import Lake

_FILES, _ROWS = 12, 50_000
_READ_AND_END = """
import sys
from mercato.contracts.tables.gold import PRODUCT_PAIRS
from mercato.lake.tables import Lake
print(Lake(sys.argv[1]).read_arrow(PRODUCT_PAIRS).num_rows)
"""


def _pairs(number: int) -> pa.Table:
    values = np.arange(_ROWS, dtype=np.int64) + number * _ROWS
    columns = [pa.array(values).cast(field.type) for field in PRODUCT_PAIRS.arrow_schema]
    return pa.table(columns, PRODUCT_PAIRS.arrow_schema)


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    rows = Lake(str(tmp_path)).read_arrow(PRODUCT_PAIRS)
    assert rows.schema == PRODUCT_PAIRS.arrow_schema
    assert rows.num_rows == 0


def test_the_rows_are_those_written(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    write_deltalake(lake.path(PRODUCT_PAIRS), _pairs(0))
    assert lake.read_arrow(PRODUCT_PAIRS).equals(_pairs(0))


def test_a_table_made_before_its_contract_gained_a_column_gains_it(tmp_path: Path) -> None:
    lake, gained = Lake(str(tmp_path)), PAYMENT_OUTCOMES.c.note
    older = _outcome().drop_columns(gained)
    write_deltalake(lake.path(PAYMENT_OUTCOMES), older)
    assert lake.read_arrow(PAYMENT_OUTCOMES)[gained].to_pylist() == [None]
    held = lake.create(PAYMENT_OUTCOMES)
    assert {field.name for field in held.schema().fields} == set(PAYMENT_OUTCOMES.c)
    write_deltalake(held, _outcome(), mode="append")
    assert sorted(map(str, lake.read_arrow(PAYMENT_OUTCOMES)[gained].to_pylist())) == ["None", "called"]
    assert lake.create(PAYMENT_OUTCOMES).version() == held.version()


def _outcome() -> pa.Table:
    c, now = PAYMENT_OUTCOMES.c, datetime.now(UTC)
    row: dict[str, Any] = {
        c.event_id: "o",
        c.payment_id: "p",
        c.card_id: "1",
        c.terminal_id: "1",
        c.note: "called",
    }
    row |= dict.fromkeys((c.event_time, c.paid_at, c.ingest_time), now)
    row |= {c.note: "called", c.fraud: True, c.simulated: False, c.source_partition: 0, c.source_offset: 0}
    return pa.Table.from_pylist([row], PAYMENT_OUTCOMES.arrow_schema)


def test_a_process_that_ends_right_after_reading_ends_well(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    for number in range(_FILES):
        write_deltalake(lake.path(PRODUCT_PAIRS), _pairs(number), mode="append")
    command = [sys.executable, "-c", _READ_AND_END, lake.uri]
    ends = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(6)]
    assert [(end.returncode, int(end.stdout)) for end in ends] == [(0, _FILES * _ROWS)] * 6
