"""What differs between the models' pipelines. Needs the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that a pipeline trains.

    Attributes:
        name: of its folder beside this one, of its pipeline and of its model package group.
        channels: that its training script reads; `process.py` fills one folder, which serves them all.
        metric: in the script's `metrics.json`, which a run may be asked to reach.
        holds: what the model predicts, in one line.
        purpose: what its scores are for.
        instance_type: on which it is trained.
        hours: after which training is given up.
    """

    name: str
    channels: tuple[str, ...]
    metric: str
    holds: str
    purpose: str
    instance_type: str = "ml.m5.xlarge"
    hours: int = 2


_ALL = (
    Model(
        name="recommend",
        channels=("train", "test"),
        metric="model_recall_at_10",
        holds="What a household puts into its next basket",
        purpose="Ranks candidates for the recommendations that a shop shows",
    ),
    Model(
        name="churn",
        channels=("train",),
        metric="probability_average_precision",
        holds="Whether an active household stays away for the next 28 days",
        purpose="Chooses whom to win back, before they have left",
    ),
    Model(
        name="fraud",
        channels=("train",),
        metric="model_average_precision",
        holds="Whether a card payment is a fraud",
        purpose="Holds payments for review, the most suspicious first",
    ),
    Model(
        name="price",
        channels=("train",),
        metric="gain_over_seasonal_naive_wape",
        holds="How many units a product sells in a store next week, and how that answers to its price",
        purpose="Proposes prices, the same for everybody, and plans stock",
    ),
)
MODELS: Mapping[str, Model] = {model.name: model for model in _ALL}
