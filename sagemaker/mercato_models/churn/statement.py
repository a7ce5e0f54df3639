"""What people decided about the churn model."""

from __future__ import annotations

from mercato_models.card import Risk, Statement

STATEMENT = Statement(
    purpose="How likely an active household is not to shop in the next 28 days.",
    uses="Choosing whom to win back with an offer, before they have left.",
    misuses="Withholding service, prices or credit from anyone.",
    data=(
        "When and for how much a household shopped before the as-of day. Neither demographics nor "
        "what it bought."
    ),
    judged=(
        "The newest five as-of days, two weeks apart, each by a model that knows only labels of "
        "before it. Intervals: households drawn again."
    ),
    caveats=(
        "Active means a basket in 28 days and five in all; of others it says nothing. One year "
        "shows one Christmas. Groups are compared where demographics are known, which are the "
        "households that stay."
    ),
    risk=Risk.MEDIUM,
    risk_why=("Whom it overlooks gets no offer; groups of people may be overlooked more often than others."),
)
