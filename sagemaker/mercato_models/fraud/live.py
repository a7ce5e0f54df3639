"""What a caller tells the model of a payment, from what is remembered of its card and terminal.

It holds nothing learned, so that it does not change with the model; what was learned of surprising amounts
travels with the model, whose container makes the rest (`preparation`).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mercato.contracts.durations import DAY_SECONDS
from mercato.online.payments import AMOUNTS, RECENT, Card, Terminal, usual_amount
from mercato.online.session import micros
from mercato_models.arrays import Floats, Floats32
from mercato_models.fraud import state
from mercato_models.fraud.days import LABEL_DELAY

_SECOND = 1_000_000
#: Columns that are features already.
PLAIN = (*state.USUAL, *state.TERMINAL, "second_of_day")
#: Columns that a caller gives: seconds since the card's newest payments, the newest last, and the ratios of
#: their amounts to the usual one; -1 and nan where there were fewer.
GIVEN: tuple[str, ...] = (
    *PLAIN,
    *(f"recent_{number}_age" for number in range(RECENT)),
    *(f"recent_{number}_ratio" for number in range(RECENT)),
)
_NONE = -1.0


def given(card: Card, terminal: Terminal, paid_at: datetime, amount: float) -> Floats32:
    """One row of GIVEN for a payment about to be made, from what happened before it."""
    now = micros(paid_at)
    before = [paid for paid in card.paid if paid.time < now]
    amounts = np.array([paid.amount for paid in before])
    newest = len(amounts[-RECENT:])
    # Row by row the amounts before each of the newest payments, and before the one about to be made.
    padded = np.concatenate([np.full(AMOUNTS, np.inf), amounts])
    usual = usual_amount(sliding_window_view(padded, AMOUNTS)[-newest - 1 :])
    asked = np.append(amounts[len(amounts) - newest :], amount)
    seen = np.full(len(asked), card.forgotten + len(before))
    rows = state.beside_usual(asked, usual, seen)
    ages, ratios = np.full(RECENT, _NONE), np.full(RECENT, np.nan)
    if newest:
        ages[-newest:] = [(now - paid.time) / _SECOND for paid in before[-newest:]]
        ratios[-newest:] = rows[:-1, state.AMOUNT_RATIO]
    second = np.array([now / _SECOND])
    place = state.describe(_held(terminal, now), second)[0]
    row: Floats32 = np.concatenate([rows[-1], place, second % DAY_SECONDS, ages, ratios]).astype(np.float32)
    return row[None]


def _held(terminal: Terminal, now: int) -> Floats:
    """What these outcomes say, those that nobody could know yet left out."""
    known = [each for each in terminal.known if each.time <= now - LABEL_DELAY * _SECOND]
    if not known:
        return state.NO_OUTCOMES[None]
    time = np.array([each.time / _SECOND for each in known])
    fraud, ratio = np.array([each.fraud for each in known]), np.array([each.ratio for each in known])
    return state.outcomes(time, fraud, ratio, np.array([0]), np.array([len(known) - 1]))
