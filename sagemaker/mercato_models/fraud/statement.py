"""What people decided about the fraud model."""

from __future__ import annotations

from mercato_models.card import Risk, Statement

STATEMENT = Statement(
    purpose="How likely a card payment is a fraud.",
    uses=("Approving, reviewing or declining a payment by what each costs, with reasons for the reviewer."),
    misuses="Judging a customer rather than a payment; declining without a way to complain.",
    data=(
        "Card payments: amounts, times, cards, terminals, and labels seven days old or older. In the "
        "demonstration, the Complete Journey's baskets with frauds simulated as the Fraud Detection "
        "Handbook has them."
    ),
    judged=(
        "Four weeks by the handbook's prequential protocol, each by a model of the time before it and "
        "the week of delay. Intervals: cards drawn again."
    ),
    caveats=(
        "Simulated frauds are not a shop's own: it must be trained and judged anew there. In the first "
        "week of a terminal's compromise no label is known there."
    ),
    risk=Risk.HIGH,
    risk_why="An honest customer whose payment is declined is harmed at the till.",
)
