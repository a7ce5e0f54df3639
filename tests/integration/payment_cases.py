"""Payments that were held or declined, and what they turned out to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mercato.contracts.events import PaymentDecided, PaymentOutcome

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def decided(number: int, action: str = "review") -> PaymentDecided:
    return PaymentDecided(
        event_id=f"d{number}",
        event_time=NOW,
        payment_id=f"p{number}",
        paid_at=NOW + timedelta(minutes=number),
        card_id="1-1",
        terminal_id="367-1",
        amount=480.0 + number,
        action=action,  # type: ignore[arg-type]
        probability=0.4,
        reasons=["unusual_amount", "of_the_next_release"],
        model_version="5",
    )


def disputed(number: int) -> PaymentOutcome:
    return PaymentOutcome(
        event_id=f"o{number}",
        event_time=NOW + timedelta(days=7),
        payment_id=f"p{number}",
        paid_at=NOW,
        card_id="1-1",
        terminal_id="367-1",
        fraud=number % 2 == 1,
    )
