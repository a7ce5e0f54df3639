"""The peer: the features that the Fraud Detection Handbook makes of the same payments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments

_WINDOWS = (1, 7, 30)  # days
_SATURDAY = 5

FEATURES: tuple[str, ...] = (
    "amount", "weekend", "night",
    *(f"customer_{what}_{days}d" for days in _WINDOWS for what in ("payments", "mean_amount")),
    *(f"terminal_{what}_{days}d" for days in _WINDOWS for what in ("payments", "risk")),
)  # fmt: skip


def features(payments: Payments) -> NDArray[np.float32]:
    """One row of FEATURES per payment; a window of a customer holds the payment itself."""
    # The first day of 1970 was a Thursday.
    weekday = (payments.start.astype("datetime64[D]").astype(int) + 3 + payments.day) % 7
    columns = [
        payments.amount,
        weekday >= _SATURDAY,
        payments.second % DAY_SECONDS // 3600 <= 6,
    ]
    customer = _Windows(payments.customer, payments.second, payments.amount)
    terminal = _Windows(payments.terminal, payments.second, payments.fraud)
    for days in _WINDOWS:
        count, total = customer.sums(days * DAY_SECONDS)
        columns += [count, total / count]
    unknown = terminal.sums(LABEL_DELAY)
    for days in _WINDOWS:
        count, frauds = (
            both - new
            for both, new in zip(terminal.sums(LABEL_DELAY + days * DAY_SECONDS), unknown, strict=True)
        )
        columns += [count, np.where(count > 0, frauds / np.maximum(count, 1), 0)]
    return np.column_stack([np.asarray(column, np.float32) for column in columns])


class _Windows:
    """Sums over the last seconds of an entity's payments."""

    def __init__(
        self, entity: NDArray[np.int64], second: NDArray[np.int64], value: NDArray[np.generic]
    ) -> None:
        self._order = np.argsort(entity, kind="stable")
        # Far enough apart that no window reaches into another entity.
        span = 2 * int(second.max()) + (max(_WINDOWS) + 1) * DAY_SECONDS + LABEL_DELAY
        self._moment = (entity * span + second)[self._order]
        self._sum = np.concatenate([[0.0], np.cumsum(value[self._order].astype(np.float64))])

    def sums(self, seconds: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Number and sum of the payments of the last `seconds`, the payment itself included."""
        low = np.searchsorted(self._moment, self._moment - seconds, side="right")
        high = np.searchsorted(self._moment, self._moment, side="right")
        count, total = np.empty(len(low)), np.empty(len(low))
        count[self._order], total[self._order] = high - low, self._sum[high] - self._sum[low]
        return count, total
