"""A card of a run, and what each model states of itself."""

from __future__ import annotations

import importlib

from mercato_models.card import Card, Statement
from mercato_models.fairness import FOUND, Group, Ratio
from mercato_models.gate import Verdict
from mercato_models.intervals import Interval

STATEMENTS = {
    name: importlib.import_module(f"mercato_models.{name}.statement").STATEMENT
    for name in ("recommend", "churn", "fraud", "price")
}


def card(statement: Statement, verdict: Verdict | None = None) -> Card:
    return Card(
        name="churn",
        statement=statement,
        parameters={"rounds": 120, "seed": 0},
        metrics={"auc": 0.85, "auc_low": 0.84, "auc_high": 0.86, "test_rows": 9930.0},
        verdict=verdict or Verdict(),
        data_versions={"gold.basket_lines": 3},
        fairness=(
            Ratio(
                "age",
                FOUND,
                Interval(0.7, 0.5, 0.9),
                ("35 to 54", "under 35"),
                (),
                (
                    Group("35 to 54", 40, Interval(0.35, 0.2, 0.5)),
                    Group("under 35", 30, Interval(0.5, 0.3, 0.7)),
                ),
            ),
            Ratio("income", FOUND, None, (), ("under 50K",)),
        ),
    )
