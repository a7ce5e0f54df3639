"""Features of a whole past at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.fraud import state
from mercato_models.fraud.amount_likelihood import AmountLikelihood
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments


def rounds(entity: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of every entity's first payment, of every entity's second one, and so on."""
    order = np.argsort(entity, kind="stable")
    opens = np.diff(entity[order], prepend=-1) != 0
    place = np.arange(len(entity))
    turn = place - np.maximum.accumulate(np.where(opens, place, 0))
    by_turn = np.argsort(turn, kind="stable")
    return np.split(order[by_turn], np.cumsum(np.bincount(turn))[:-1])


class Past:
    """Payments of the past and what does not hang on anything learned.

    Attributes:
        payments: by time.
        ratio: of each amount to what is usual for its customer.
    """

    def __init__(self, payments: Payments) -> None:
        self.payments = payments
        self._now = payments.second.astype(np.float64)
        self._turns = rounds(payments.customer)
        self._usual = np.empty((len(payments), len(state.USUAL)))
        usual = state.Usual(_size(payments.customer))
        for rows in self._turns:
            who, amount = payments.customer[rows], payments.amount[rows]
            self._usual[rows] = usual.read(who, amount)
            usual.add(who, amount)
        self.ratio = self._usual[:, state.AMOUNT_RATIO]
        self._terminal = self._terminals()

    def features(self, likelihood: AmountLikelihood) -> NDArray[np.float32]:
        """One row of FEATURES per payment, from what was known when it was made."""
        payments = self.payments
        suspicion = np.empty((len(payments), len(state.SUSPICION)), np.float32)
        recent = state.Recent(_size(payments.customer))
        for rows in self._turns:
            who, now, ratio = payments.customer[rows], self._now[rows], self.ratio[rows]
            suspicion[rows] = recent.read(who, now, ratio, likelihood)
            recent.add(who, now, ratio)
        columns = (self._usual, suspicion, self._terminal, self._now % DAY_SECONDS)
        return np.column_stack([column.astype(np.float32) for column in columns])

    def _terminals(self) -> NDArray[np.float32]:
        payments = self.payments
        order = np.argsort(payments.terminal, kind="stable")
        terminal, now = payments.terminal[order], self._now[order]
        place = np.arange(len(order))
        oldest = np.maximum.accumulate(np.where(np.diff(terminal, prepend=-1) != 0, place, 0))
        span = now.max(initial=0) + LABEL_DELAY + 1
        moments = terminal * span + now
        newest = np.searchsorted(moments, moments - LABEL_DELAY, side="right") - 1
        known = newest >= oldest
        held = np.tile(state.NO_OUTCOMES, (len(order), 1))
        held[known] = state.outcomes(
            now, payments.fraud[order], self.ratio[order], oldest[known], newest[known]
        )
        rows = np.empty((len(order), len(state.TERMINAL)), np.float32)
        rows[order] = state.describe(held, now)
        return rows


def _size(entity: NDArray[np.int64]) -> int:
    return int(entity.max(initial=-1)) + 1
