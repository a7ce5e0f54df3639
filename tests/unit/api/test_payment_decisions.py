"""What the model is asked of a payment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lambdas.api.payment_decisions import PaymentJudge
from lambdas.api.payment_schemas import PaymentToDecide
from lambdas.api.scorer import Explained
from mercato.online.payments import Card, Terminal
from tests.unit.fraud.events import paid

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Asked:
    """A scorer that keeps what it was asked, and an online store that knows one card."""

    model_version = "3"

    def __init__(self, card: Card) -> None:
        self.card = card
        self.rows = list[NDArray[np.float32]]()

    def explain(self, rows: NDArray[np.float32]) -> list[Explained]:
        self.rows.append(rows)
        return [Explained(0.1, [], {}) for _ in rows]

    def payment(self, _card_id: str, _terminal_id: str) -> tuple[Card, Terminal]:
        return self.card, Terminal()


def test_a_payment_that_is_asked_about_again_is_not_its_own_past() -> None:
    """A shop that got no answer in time asks once more, and may have sent the payment meanwhile."""
    card = Card().merged([paid(number, 100 * number, 20.0) for number in range(30)])
    asked = Asked(card)
    judge = PaymentJudge(asked)  # type: ignore[arg-type]
    payment = paid(99, 5_000, 500.0)
    to_decide = PaymentToDecide(
        payment_id=payment.event_id,
        card_id=payment.card_id,
        terminal_id=payment.terminal_id,
        amount=payment.amount,
        paid_at=payment.event_time + timedelta(seconds=2),
    )
    first = judge.decide(asked, to_decide, NOW)  # type: ignore[arg-type]
    asked.card = card.merged([payment])
    second = judge.decide(asked, to_decide, NOW)  # type: ignore[arg-type]
    np.testing.assert_array_equal(asked.rows[0], asked.rows[1])
    assert first.card_payments == second.card_payments == 30
