"""Which features each model uses, under the model's own versioned name."""

from __future__ import annotations

from collections.abc import Iterable

from feast import FeatureService

from features.views import FEATURE_VIEWS
from mercato.online.views import CATALOGUE, HOUSEHOLD, HOUSEHOLD_OUTLOOK, PAYMENT, View


def _service(name: str, views: Iterable[View], description: str) -> FeatureService:
    return FeatureService(
        name=name, features=[FEATURE_VIEWS[view.name] for view in views], description=description
    )


SERVICES = (
    _service("recommend_v1", HOUSEHOLD, "What the ranker knows of a household, by household_id."),
    _service("recommend_catalogue_v1", CATALOGUE, "What it knows of products and stores, read in bulk."),
    _service("churn_v1", (HOUSEHOLD_OUTLOOK,), "Who may leave and what they spend, by household_id."),
    _service("fraud_v1", PAYMENT, "What the fraud model knows of a card and a terminal."),
)
