"""Card payments as columns, and the files that hold them and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.base import Table
from mercato.errors import MercatoError
from mercato_models import checks
from mercato_models.demographics import HOUSEHOLD
from mercato_models.fraud import NAME
from mercato_models.parquet import readable


class CardPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment and what it turned out to be."""

    transaction_id: int
    tx_datetime: datetime
    customer_id: int
    terminal_id: int
    amount: float
    label: bool


class ScoredPayment(CardPayment, frozen=True, kw_only=True):
    """A payment of a test fold with its scores, the model's and everybody else's.

    `probability` is the model's score calibrated on the folds before.
    """

    fold: int
    score: float
    probability: float
    model_fortnight: float
    model_week: float
    handbook: float
    handbook_fortnight: float
    handbook_week: float


PAYMENTS = Table("fraud.payments", CardPayment, ("transaction_id",), "Card payments with their labels.")
SCORED = Table("fraud.fraud", ScoredPayment, ("fold", "transaction_id"), "Scores of the test folds.")
_C = PAYMENTS.c
#: Whose card it is where the household is not known.
_NOBODY = -1


class PaymentsError(MercatoError):
    """A file of payments is missing or lacks columns, or there are too few payments."""


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments by time; a payment's number is its place.

    Attributes:
        start: midnight of the first day.
        second: since then.
        customer, terminal: from 0, so that they number the rows of a state.
        fraud: the truth, to be used only LABEL_DELAY later.
        household: whose card it is, if that is known of any; for comparing groups of people alone.
    """

    start: np.datetime64
    second: NDArray[np.int64]
    customer: NDArray[np.int64]
    terminal: NDArray[np.int64]
    amount: NDArray[np.float64]
    fraud: NDArray[np.bool_]
    household: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.second)

    @property
    def day(self) -> NDArray[np.int64]:
        """Whole days since the first."""
        return self.second // DAY_SECONDS

    def table(self, rows: NDArray[np.int64] | None = None, **more: NDArray[Any]) -> pa.Table:
        """Rows in the form of PAYMENTS, all by default; with `more` columns in that of SCORED."""
        chosen = np.arange(len(self)) if rows is None else rows
        columns = {
            _C.transaction_id: chosen,
            _C.tx_datetime: self.start.astype("datetime64[us]")
            + self.second[chosen].astype("timedelta64[s]"),
            _C.customer_id: self.customer[chosen],
            _C.terminal_id: self.terminal[chosen],
            _C.amount: self.amount[chosen],
            _C.label: self.fraud[chosen],
        } | more
        schema = (SCORED if more else PAYMENTS).arrow_schema
        return pa.table([pa.array(columns[field.name]).cast(field.type) for field in schema], schema=schema)


def write(channel: Path, payments: Payments) -> None:
    """Write a channel; it has a column of households if any is known."""
    channel.mkdir(parents=True, exist_ok=True)
    table = payments.table()
    if payments.household is not None:
        table = table.append_column(HOUSEHOLD, pa.array(payments.household))
    pq.write_table(table, channel / _FILE)


def read(channel: Path) -> Payments:
    """The payments of a channel, by time.

    Raises:
        PaymentsError: the file is missing or lacks columns.
        CheckError: the file is broken, there is nothing to learn from, or rows cannot be true.
    """
    path = channel / _FILE
    if not path.is_file():
        raise PaymentsError(f"{path} is missing: write a channel with `payments.write`")
    wanted = PAYMENTS.arrow_schema.names
    with readable(path, NAME):
        there = pq.read_schema(path).names
        table = pq.read_table(path, columns=[name for name in (*wanted, HOUSEHOLD) if name in there])
    if missing := [name for name in wanted if name not in there]:
        raise PaymentsError(f"{path} lacks the columns {', '.join(missing)}")
    _check(table, pd.Timestamp.now(UTC))
    table = table.sort_by([(_C.tx_datetime, "ascending"), (_C.transaction_id, "ascending")])
    when = table[_C.tx_datetime].to_numpy().astype("datetime64[s]")
    start = when[0].astype("datetime64[D]")
    return Payments(
        start,
        (when - start).astype(np.int64),
        _numbered(table[_C.customer_id].to_numpy()),
        _numbered(table[_C.terminal_id].to_numpy()),
        table[_C.amount].to_numpy(),
        table[_C.label].to_numpy(),
        pc.fill_null(table[HOUSEHOLD], _NOBODY).to_numpy() if HOUSEHOLD in there else None,
    )


def _check(table: pa.Table, now: pd.Timestamp) -> None:
    """Refuse rows that cannot be true, by their places in the file."""
    place = table.schema.get_field_index(_C.tx_datetime)
    zoned = table.set_column(place, _C.tx_datetime, pc.cast(table[_C.tx_datetime], UTC_MICROS))
    frame = zoned.select(PAYMENTS.arrow_schema.names).to_pandas()
    checks.check_columns(frame, PAYMENTS.arrow_schema.names)
    checks.check_known(frame, [_C.transaction_id, _C.tx_datetime, _C.customer_id, _C.terminal_id])
    checks.check_not_future(frame[_C.tx_datetime], now)
    checks.check_missing_or_infinite(frame, [_C.amount], known=1.0)
    checks.raise_for_rows((frame[_C.amount] < 0).to_numpy(), f"negative {_C.amount}")
    checks.check_not_constant(frame[_C.label])


_FILE = f"{PAYMENTS.short_name}.parquet"


def _numbered(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(ids, return_inverse=True)[1]
