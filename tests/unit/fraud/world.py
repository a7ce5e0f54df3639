"""A small town of card payments, and a model that learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mercato_models import artifact
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.model import Hyperparameters, fit
from mercato_models.fraud.payments import Payments
from mercato_models.fraud.replay import Past
from mercato_models.fraud.simulator import World, simulate
from mercato_models.fraud.state import FEATURES

SMALL = World(customers=150, terminals=60, days=40, radius=20.0, terminals_a_day=1, customers_a_day=1)


def small_town() -> Payments:
    """Payments of a month and a half."""
    return simulate(SMALL)[0]


def one_a_second(town: Payments) -> Payments:
    """The same with no two payments in one second, of which a log would not know the order."""
    return replace(town, second=town.second + np.arange(len(town)))


def train(town: Payments, folder: Path, unseen: int = 0) -> None:
    """Write a model, version 5, that learned from all but the newest payments."""
    past, learned = Past(town), slice(None, len(town) - unseen)
    likelihood = learn(town, past.ratio, np.ones(len(town), bool))
    likelihood.save(folder)
    booster = fit(
        past.features(likelihood)[learned], town.fraud[learned], FEATURES, Hyperparameters(rounds=60)
    )
    artifact.save(folder, booster, FEATURES, "5")
