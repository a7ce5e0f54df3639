"""What people decided about the fraud model."""

from __future__ import annotations

from dataclasses import replace

from mercato_models.card import Risk, Statement

_FOLD = "each by a model of the time before it and the week of delay. Intervals: cards drawn again."
STATEMENT = Statement(
    purpose="How likely a card payment is a fraud.",
    uses=("Approving, reviewing or declining a payment by what each costs, with reasons for the reviewer."),
    misuses="Judging a customer rather than a payment; declining without a way to complain.",
    data=(
        "Card payments: amounts, times, cards, terminals, and labels seven days old or older. In the "
        "demonstration, the Complete Journey's baskets with frauds simulated as the Fraud Detection "
        "Handbook has them."
    ),
    judged=f"The newest weeks, {_FOLD}",
    caveats=(
        "Simulated frauds are not a shop's own: it must be trained and judged anew there. In the first "
        "week of a terminal's compromise no label is known there. The larger a payment, the sooner it is "
        "reviewed, so groups with larger baskets have more of their honest payments stopped."
    ),
    risk=Risk.HIGH,
    risk_why="An honest customer whose payment is declined is harmed at the till.",
)


def of_run(weeks: int, *, handbook: bool) -> Statement:
    """The statement with what a run was judged on.

    Args:
        weeks: of test.
        handbook: whether these are the handbook's, of simulated people.
    """
    if handbook:
        known = "Nothing is known of the simulated card holders."
        return replace(
            STATEMENT, judged=f"The {weeks} weeks of the handbook's prequential protocol, {_FOLD} {known}"
        )
    return replace(STATEMENT, judged=f"The newest {weeks} weeks that have frauds, {_FOLD}")
