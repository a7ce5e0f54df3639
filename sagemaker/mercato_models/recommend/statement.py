"""What people decided about the recommendation ranker."""

from __future__ import annotations

from mercato_models.card import Risk, Statement

STATEMENT = Statement(
    purpose="Which products a household puts into its next basket.",
    uses="Ranking products on a shop's page, in its app and in its mail.",
    misuses=(
        "Deciding whom to serve, what to charge, or anything else that treats a person better or worse."
    ),
    data=(
        "The household's last 50 baskets, what it does in the session, and what is bought and "
        "promoted in its store."
    ),
    judged=(
        "Last baskets of households with at least three, which no popularity, neighbour or "
        "history knows of. Intervals: households drawn again."
    ),
    caveats=(
        "Learned from one year of one grocer's loyalty card. A new household gets what is popular "
        "and promoted. What is shown is bought more, so a model trained on its own shop confirms "
        "itself."
    ),
    risk=Risk.LOW,
    risk_why="A wrong product on a page is skipped.",
)
