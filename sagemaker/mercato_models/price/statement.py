"""What people decided about the price models."""

from __future__ import annotations

from mercato_models.card import Risk, Statement

STATEMENT = Statement(
    purpose="How many units a product sells in a store next week, and how that answers to its price.",
    uses="Proposing prices, the same for everybody, inside of guardrails; planning stock.",
    misuses=(
        "Prices by person or group: nothing personal is among the features, and nothing of it may be added."
    ),
    data="Weekly units, prices and placements of products by store.",
    judged=(
        "The eight newest whole weeks, each a week ahead, by a model of the weeks before them all, of "
        "what had sold in 20 weeks before them. Intervals: products drawn again."
    ),
    caveats=(
        "An elasticity holds if whatever moved prices and demand at once is among the controls, "
        "and near prices that were charged. Slow sellers have none of their own."
    ),
    risk=Risk.MEDIUM,
    risk_why="Wrong prices cost the shop money and its customers trust; guardrails bound both.",
)
