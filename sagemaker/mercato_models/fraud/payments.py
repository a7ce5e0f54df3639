"""Card payments as columns, and the files that hold them and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mercato.contracts.tables.base import Table
from mercato.errors import MercatoError

DAY = 86_400
#: How long it takes until a payment is known to have been honest or not, in seconds.
LABEL_DELAY = 7 * DAY


class CardPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment and what it turned out to be."""

    transaction_id: int
    tx_datetime: datetime
    customer_id: int
    terminal_id: int
    amount: float
    label: bool


class ScoredPayment(CardPayment, frozen=True, kw_only=True):
    """A payment of a test fold with the probability that it is a fraud: the model's, and everybody else's."""

    fold: int
    score: float
    model_fortnight: float
    model_week: float
    handbook: float
    handbook_fortnight: float
    handbook_week: float


PAYMENTS = Table("fraud.payments", CardPayment, ("transaction_id",), "Card payments with their labels.")
SCORED = Table("fraud.fraud", ScoredPayment, ("fold", "transaction_id"), "Scores of the test folds.")
_C = PAYMENTS.c


class PaymentsError(MercatoError):
    """A file of payments is missing, lacks columns, or holds what no model can learn from."""


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments by time; a payment's number is its place.

    Attributes:
        start: midnight of the first day.
        second: since then.
        customer, terminal: from 0, so that they number the rows of a state.
        fraud: the truth, to be used only LABEL_DELAY later.
    """

    start: np.datetime64
    second: NDArray[np.int64]
    customer: NDArray[np.int64]
    terminal: NDArray[np.int64]
    amount: NDArray[np.float64]
    fraud: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.second)

    @property
    def day(self) -> NDArray[np.int64]:
        """Whole days since the first."""
        return self.second // DAY

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
    """Write a channel."""
    channel.mkdir(parents=True, exist_ok=True)
    pq.write_table(payments.table(), channel / _FILE)


def read(channel: Path) -> Payments:
    """The payments of a channel, by time.

    Raises:
        PaymentsError: the file is missing, lacks columns, or has amounts or labels to learn nothing from.
    """
    path = channel / _FILE
    if not path.is_file():
        raise PaymentsError(f"{path} is missing: write a channel with `payments.write`")
    if missing := [name for name in PAYMENTS.arrow_schema.names if name not in pq.read_schema(path).names]:
        raise PaymentsError(f"{path} lacks the columns {', '.join(missing)}")
    table = pq.read_table(path, columns=PAYMENTS.arrow_schema.names)
    if not table.num_rows:
        raise PaymentsError(f"{path} has no rows: the slice holds no payment")
    table = table.sort_by([(_C.tx_datetime, "ascending"), (_C.transaction_id, "ascending")])
    amount, fraud = table[_C.amount].to_numpy(), table[_C.label].to_numpy()
    if len(odd := np.flatnonzero(~(np.isfinite(amount) & (amount >= 0)))):
        raise PaymentsError(
            f"{path}: {len(odd)} amounts are negative or no number, the first of them of "
            f"transaction {table[_C.transaction_id][int(odd[0])]}"
        )
    if fraud.all() or not fraud.any():
        raise PaymentsError(f"{path}: every one of the {len(fraud)} labels is {fraud[0]}: nothing to learn")
    when = table[_C.tx_datetime].to_numpy().astype("datetime64[s]")
    start = when[0].astype("datetime64[D]")
    return Payments(
        start,
        (when - start).astype(np.int64),
        _numbered(table[_C.customer_id].to_numpy()),
        _numbered(table[_C.terminal_id].to_numpy()),
        amount,
        fraud,
    )


_FILE = f"{PAYMENTS.short_name}.parquet"


def _numbered(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(ids, return_inverse=True)[1]
