"""Features of payments: of a whole past at once, or of one payment at a time as the stream sees them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from mercato_models.fraud import state
from mercato_models.fraud.payments import DAY, LABEL_DELAY, Payments
from mercato_models.fraud.surprise import Surprise

FEATURES: tuple[str, ...] = (*state.USUAL, *state.SUSPICION, *state.TERMINAL, "second_of_day")
_RATIO = state.USUAL.index("amount_ratio")
_ONE = np.zeros(1, np.int64)


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
        self.ratio = self._usual[:, _RATIO]
        self._terminal = self._terminals()

    def features(self, surprise: Surprise) -> NDArray[np.float32]:
        """One row of FEATURES per payment, from what was known when it was made."""
        payments = self.payments
        suspicion = np.empty((len(payments), len(state.SUSPICION)), np.float32)
        recent = state.Recent(_size(payments.customer))
        for rows in self._turns:
            who, now, ratio = payments.customer[rows], self._now[rows], self.ratio[rows]
            suspicion[rows] = recent.read(who, now, ratio, surprise)
            recent.add(who, now, ratio)
        columns = (self._usual, suspicion, self._terminal, self._now % DAY)
        return np.column_stack([column.astype(np.float32) for column in columns])

    def _terminals(self) -> NDArray[np.float32]:
        payments, now = self.payments, self._now
        terminals = state.Terminals(_size(payments.terminal))
        nothing = terminals.held(_ONE)
        after = np.empty((len(payments), nothing.shape[1]))
        for rows in rounds(payments.terminal):
            who = payments.terminal[rows]
            terminals.learn(who, now[rows], payments.fraud[rows], self.ratio[rows])
            after[rows] = terminals.held(who)
        order = np.argsort(payments.terminal, kind="stable")
        span = now.max(initial=0) + LABEL_DELAY + 1
        moments = payments.terminal[order] * span + now[order]
        newest = np.searchsorted(moments, payments.terminal * span + now - LABEL_DELAY, side="right") - 1
        label = order[np.maximum(newest, 0)]
        known = (newest >= 0) & (payments.terminal[label] == payments.terminal)
        held = np.where(known[:, None], after[label], nothing)
        return state.describe(held, now).astype(np.float32)


class Live:
    """The same features one payment at a time, with an entity's state made when it is first seen."""

    def __init__(self, surprise: Surprise) -> None:
        self._surprise = surprise
        self._usual: defaultdict[int, state.Usual] = defaultdict(lambda: state.Usual(1))
        self._recent: defaultdict[int, state.Recent] = defaultdict(lambda: state.Recent(1))
        self._terminals: defaultdict[int, state.Terminals] = defaultdict(lambda: state.Terminals(1))
        self._unlabelled: dict[int, tuple[int, float, float]] = {}

    def pay(
        self, transaction_id: int, second: float, customer: int, terminal: int, amount: float
    ) -> NDArray[np.float32]:
        """A payment's row of FEATURES; then the payment is remembered. Payments come by time."""
        now, paid = np.array([second], np.float64), np.array([amount])
        usual = self._usual[customer].read(_ONE, paid)
        ratio = usual[:, _RATIO]
        suspicion = self._recent[customer].read(_ONE, now, ratio, self._surprise)
        place = state.describe(self._terminals[terminal].held(_ONE), now)
        self._usual[customer].add(_ONE, paid)
        self._recent[customer].add(_ONE, now, ratio)
        self._unlabelled[transaction_id] = terminal, second, float(ratio[0])
        row: NDArray[np.float32] = np.column_stack([usual, suspicion, place, now % DAY]).astype(np.float32)[0]
        return row

    def label(self, transaction_id: int, fraud: bool) -> None:
        """What a payment turned out to be; labels come in the order of their payments."""
        terminal, second, ratio = self._unlabelled.pop(transaction_id)
        self._terminals[terminal].learn(_ONE, np.array([second]), np.array([fraud]), np.array([ratio]))


def _size(entity: NDArray[np.int64]) -> int:
    return int(entity.max(initial=-1)) + 1
