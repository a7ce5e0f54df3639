"""Settings that were given are those that are judged; groups of card holders are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost as xgb

from mercato_models import demographics
from mercato_models.fairness import ALARMED, FLAGGED, FOUND, NO, YES, verdict
from mercato_models.fraud import evaluation, handbook
from mercato_models.fraud.fairness import ratios
from mercato_models.fraud.model import Hyperparameters, fit
from mercato_models.fraud.payments import SCORED
from mercato_models.fraud.replay import Past
from tests.unit.fraud.world import small_town

Settings = list[tuple[int, float, float]]


def asked(given: Hyperparameters, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """Rounds, learning rate and columns of every fit on one fold: the model's, and the handbook's."""
    found: list[tuple[bool, Hyperparameters]] = []

    def quick(features: Any, fraud: Any, names: tuple[str, ...], settings: Hyperparameters) -> xgb.Booster:
        found.append((names == handbook.FEATURES, settings))
        return fit(features, fraud, names, Hyperparameters(rounds=2))

    monkeypatch.setattr(evaluation, "fit", quick)
    town = small_town()
    evaluation.evaluate(Past(town), given, (town.start.astype("datetime64[D]"),))
    each = [(of_peer, (s.rounds, s.learning_rate, s.colsample)) for of_peer, s in found]
    return [s for of_peer, s in each if not of_peer], [s for of_peer, s in each if of_peer]


def test_two_weeks_have_settings_of_their_own_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = asked(Hyperparameters(threads=1), monkeypatch)
    assert ours == [(300, 0.05, 0.5), (300, 0.025, 0.5), (300, 0.05, 0.5)]
    assert theirs == [(300, 0.05, 0.5), (600, 0.025, 0.8), (300, 0.05, 0.5)]


def test_settings_that_are_given_hold_for_two_weeks_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = asked(Hyperparameters(rounds=30, learning_rate=0.3), monkeypatch)
    assert set(ours + theirs) == {(30, 0.3, 0.5)}


def scored(fraud: np.ndarray) -> pa.Table:
    columns = {SCORED.c.label: fraud.astype(bool)}
    return pa.table(columns)


@pytest.mark.parametrize(("found", "stopped", "passes"), [(1, 50, True), (2, 50, False), (1, 5, True)])
def test_a_model_must_find_frauds_alike_and_tells_whose_honest_payments_it_stops(
    found: int, stopped: int, passes: bool
) -> None:
    """Of the first band all frauds are found and one payment of 50 stopped; of the other, of `stopped`."""
    fraud = np.tile(np.arange(50) < 5, 80)
    band = np.repeat(["under 35", "35 to 54"], 2_000)
    second = band == "35 to 54"
    number = np.arange(len(fraud))
    every = np.where(second, stopped, 50)
    flagged = np.where(fraud, ~second | (number % found == 0), number % every == every - 1)
    made = ratios(scored(fraud), flagged, number // 10, pd.DataFrame({demographics.AGE: band}))
    reached = {ratio.measure: ratio.reached for ratio in made}
    assert list(reached) == [FLAGGED, FOUND, ALARMED]
    assert reached[FOUND] == (YES if found == 1 else NO)
    assert (reached[ALARMED] == NO) == (stopped == 5)
    assert verdict(made).passes == passes


def test_a_band_of_few_frauds_has_its_honest_payments_judged() -> None:
    fraud = np.arange(4_000) % 200 == 0
    fraud[3_000:] = False
    band = np.repeat(["under 35", "35 to 54", "35 to 54", "55 and above"], 1_000)
    flagged = fraud | (np.arange(4_000) % np.where(band == "55 and above", 10, 50) == 1)
    made = ratios(scored(fraud), flagged, np.arange(4_000), pd.DataFrame({demographics.AGE: band}))
    judged = {ratio.measure: ratio.judged for ratio in made}
    assert judged == {FLAGGED: (), FOUND: (), ALARMED: ("35 to 54", "55 and above", "under 35")}
    assert made[2].reached == NO


def test_unknown_card_holders_are_not_compared() -> None:
    assert ratios(scored(np.ones(1)), np.ones(1, bool), np.ones(1, int), None) == []
