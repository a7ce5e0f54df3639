"""Which payments are frauds: the Fraud Detection Handbook's three scenarios on Mercato's own payments.

As its third chapter describes them (fraud-detection-handbook.github.io), at its rates per card, terminal and
day: a stolen number is used once for a large amount; a terminal is compromised for four weeks, in which every
payment at it is a fraud; a card leaks for two weeks, in which a third of its payments are frauds of five
times the amount. Other than there, a large amount alone does not make a fraud: some baskets are large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercato.replay.chance import uniform
from mercato.replay.dataset import Ints

Amounts = NDArray[np.float64]

_STOLEN, _HOW_MUCH, _AT_TERMINAL, _OF_CARD, _BY_CARD = range(100, 105)
#: Chance of a payment with a stolen number, and from which amount on.
_STOLEN_SHARE, _MIN_STOLEN = 0.0005, 220.0
#: Chance of a terminal, of a card, to be compromised on a given day; and for how many days.
_TERMINALS, _TERMINAL_DAYS = 0.0002, 28
_CARDS, _CARD_DAYS = 0.0006, 14
_CARD_SHARE, _CARD_FACTOR = 1 / 3, 5


def struck(
    payment: Ints, card: tuple[Ints, Ints], terminal: tuple[Ints, Ints], day: Ints, amount: Amounts
) -> tuple[Amounts, NDArray[np.bool_]]:
    """What is really charged, and whether by a fraud.

    Args:
        payment: its number.
        card, terminal: the two numbers that name each.
        day: of the payment, counted from anywhere.
        amount: what an honest customer pays.
    """
    stolen = uniform(payment, _STOLEN) < _STOLEN_SHARE
    leaked = _compromised(card, day, _OF_CARD, _CARDS, _CARD_DAYS)
    leaked &= uniform(payment, _BY_CARD) < _CARD_SHARE
    charged = np.where(leaked, amount * _CARD_FACTOR, amount)
    charged = np.where(stolen, _MIN_STOLEN * (1 + uniform(payment, _HOW_MUCH)), charged)
    at_terminal = _compromised(terminal, day, _AT_TERMINAL, _TERMINALS, _TERMINAL_DAYS)
    return charged.round(2), stolen | leaked | at_terminal


def _compromised(
    entity: tuple[Ints, Ints], day: Ints, draw: int, chance: float, days: int
) -> NDArray[np.bool_]:
    """Whether a payment's entity was compromised on its day or one of the `days - 1` before it."""
    found = np.zeros(len(day), bool)
    for ago in range(days):
        found |= uniform(*entity, day - ago, draw) < chance
    return found
