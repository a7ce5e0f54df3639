"""Payments that cannot be true are refused, with the check and the rows; households travel with payments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercato_models import demographics
from mercato_models.checks import CheckError
from mercato_models.fraud import payments
from mercato_models.fraud.payments import PAYMENTS
from tests.unit.fraud.world import small_town

C = PAYMENTS.c
FILE = f"{PAYMENTS.short_name}.parquet"
Values = list[object]


def third(value: object) -> Callable[[Values], Values]:
    return lambda values: [*values[:2], value, *values[3:]]


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        (
            C.tx_datetime,
            third(datetime(2999, 1, 1, tzinfo=UTC)),
            "future timestamps in tx_datetime, later than",
        ),
        (C.tx_datetime, third(None), "unknown tx_datetime"),
        (C.label, third(None), "unknown label in label"),
        (C.customer_id, third(None), "unknown customer_id"),
        (C.terminal_id, third(None), "unknown terminal_id"),
        (C.amount, third(None), "NaN flood in amount, known in "),
        (C.amount, third(float("nan")), "NaN flood in amount, known in "),
        (C.amount, third(float("inf")), "infinite features"),
        (C.amount, third(-1.0), "negative amount"),
    ],
)
def test_a_payment_that_cant_be_true_is_refused_by_its_place_in_the_file(
    column: str, change: Callable[[Values], Values], said: str, tmp_path: Path
) -> None:
    # The file need not be in time order.
    table = small_town().table().slice(0, 50)[::-1]
    place = table.schema.get_field_index(column)
    field = table.schema.field(place).with_nullable(True)
    changed = pa.array(change(table[column].to_pylist()), field.type)
    pq.write_table(table.set_column(place, field, changed), tmp_path / FILE)
    with pytest.raises(CheckError, match=rf"^{said}.*: 1 of 50 rows \(2\)$"):
        payments.read(tmp_path)


def test_a_payment_of_tomorrow_is_refused(tmp_path: Path) -> None:
    town = small_town()
    tomorrow = np.datetime64((datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None), "D")
    payments.write(tmp_path, replace(town, start=tomorrow - int(town.day[-1])))
    with pytest.raises(CheckError, match="future timestamps in tx_datetime"):
        payments.read(tmp_path)


def test_a_constant_label_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    town = small_town()
    payments.write(tmp_path, replace(town, fraud=np.zeros_like(town.fraud)))
    with pytest.raises(CheckError, match=f"constant label: all {len(town)} rows have label = 0"):
        payments.read(tmp_path)
    pq.write_table(town.table().slice(0, 0), tmp_path / FILE)
    with pytest.raises(CheckError, match="empty slice"):
        payments.read(tmp_path)


def test_whose_card_it_is_comes_back_if_anybody_knows(tmp_path: Path) -> None:
    town = small_town()
    payments.write(tmp_path, town)
    assert payments.read(tmp_path).household is None
    households = 1_000 + town.customer // 2
    payments.write(tmp_path, replace(town, household=households))
    found = payments.read(tmp_path)
    assert found.household is not None
    np.testing.assert_array_equal(found.household, households)
    np.testing.assert_array_equal(found.customer, town.customer)
    assert demographics.HOUSEHOLD not in town.table().schema.names
