"""What to do with a payment: let it pass, have it reviewed or decline it, by what each costs; and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mercato.decisions.codes import Codes, above, either


class Action(StrEnum):
    """What happens to a payment."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Costs:
    """What a shop loses, in the currency of the amounts.

    Attributes:
        review: of one review; it finds out the truth.
        friction: of declining an honest customer, beside the margin.
        margin: share of an honest payment's amount that is earned with it.
    """

    review: float = 5.0
    friction: float = 20.0
    margin: float = 0.25

    def expected(self, probability: float, amount: float) -> dict[Action, float]:
        """Expected loss of each action against knowing the truth."""
        return {
            Action.APPROVE: probability * amount,
            Action.REVIEW: self.review,
            Action.DECLINE: (1 - probability) * (self.friction + self.margin * amount),
        }


def decide(probability: float, amount: float, costs: Costs) -> Action:
    """The action of least expected loss, the milder one where two are equal."""
    expected = costs.expected(probability, amount)
    return min(Action, key=lambda action: expected[action])


def review_threshold(amount: float, costs: Costs) -> float:
    """Probability of fraud from which a payment of this amount is not simply approved; may be above 1."""
    honest = costs.friction + costs.margin * amount
    return min(costs.review / amount, honest / (honest + amount)) if amount > 0 else float("inf")


class Reason(StrEnum):
    """Codes of why a payment looks like fraud, for reviewers and for the customer who asks."""

    HIGH_AMOUNT = "high_amount"
    UNUSUAL_AMOUNT = "unusual_amount"
    SUSPICIOUS_CARD = "suspicious_card"
    CARD_USE = "card_use"
    TERMINAL_WITH_FRAUD = "terminal_with_fraud"
    UNUSUAL_TIME = "unusual_time"


SENTENCES: Mapping[Reason, str] = {
    Reason.HIGH_AMOUNT: "The amount is high",
    Reason.UNUSUAL_AMOUNT: "The amount is unusual for this customer",
    Reason.SUSPICIOUS_CARD: "Recent payments with this card were unusual too",
    Reason.CARD_USE: "How often this card was used",
    Reason.TERMINAL_WITH_FRAUD: "Frauds became known at this terminal",
    Reason.UNUSUAL_TIME: "The time of day",
}


def sentence(code: str) -> str:
    """What a reason says; the code itself where another release told it."""
    return SENTENCES[Reason(code)] if code in set(Reason) else code.replace("_", " ").capitalize()


CODES = Codes(
    (
        ("terminal_", Reason.TERMINAL_WITH_FRAUD),
        ("leak_fraud", Reason.UNUSUAL_AMOUNT),
        ("amount_", Reason.UNUSUAL_AMOUNT),
        ("usual_", Reason.UNUSUAL_AMOUNT),
        ("amount", Reason.HIGH_AMOUNT),
        ("leak_", Reason.SUSPICIOUS_CARD),
        ("surprise", Reason.SUSPICIOUS_CARD),
        ("payments_", Reason.CARD_USE),
        ("customer_", Reason.CARD_USE),
        ("second_", Reason.UNUSUAL_TIME),
    ),
    true_if={
        Reason.UNUSUAL_AMOUNT: either(above("amount_ratio", 1), above("amount_surprise", 0)),
        Reason.SUSPICIOUS_CARD: either(above("surprises", 0), above("leak_peak", 0)),
        Reason.TERMINAL_WITH_FRAUD: above("terminal_frauds", 0),
    },
)
