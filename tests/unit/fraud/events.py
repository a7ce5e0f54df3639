"""Events of simulated payments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pandas as pd

from mercato.contracts.events import Event, Payment, PaymentOutcome
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments

START = datetime(2018, 4, 1, tzinfo=UTC)


def rows(events: list[Event]) -> pd.DataFrame:
    """Events as tables hold them."""
    return pd.DataFrame([msgspec.structs.asdict(event) for event in events])


def payment(payments: Payments, number: int) -> Payment:
    """A payment as the stream has it."""
    return paid(
        number,
        int(payments.second[number]),
        float(payments.amount[number]),
        int(payments.customer[number]),
        int(payments.terminal[number]),
    )


def paid(number: int, second: int, amount: float, card: int = 1, terminal: int = 1) -> Payment:
    """A payment, `second` seconds after START."""
    return Payment(
        event_id=str(number),
        event_time=START + timedelta(seconds=second),
        household_id=card + 1,
        store_id=1,
        basket_id=number + 1,
        card_id=str(card),
        terminal_id=str(terminal),
        amount=amount,
        entry_mode="chip",
    )


def outcome(payment: Payment, fraud: bool) -> PaymentOutcome:
    """What it turned out to be."""
    return PaymentOutcome(
        event_id=payment.event_id,
        event_time=payment.event_time + timedelta(seconds=LABEL_DELAY),
        payment_id=payment.event_id,
        paid_at=payment.event_time,
        card_id=payment.card_id,
        terminal_id=payment.terminal_id,
        fraud=fraud,
    )
