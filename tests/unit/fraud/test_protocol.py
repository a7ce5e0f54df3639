"""Folds, compromised cards and measures, beside scikit-learn and small cases made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.fraud.evaluation import COMPARED, evaluate, gain
from mercato_models.fraud.model import Hyperparameters
from mercato_models.fraud.payments import SCORED, Payments, PaymentsError
from mercato_models.fraud.protocol import card_precision, folds, measure, newest_starts
from mercato_models.fraud.replay import Past
from tests.unit.fraud.world import small_town


def payments(day: list[int], customer: list[int], fraud: list[int]) -> Payments:
    second = np.array(day) * DAY_SECONDS
    terminal, amount = np.zeros(len(day), int), np.ones(len(day))
    start = np.datetime64("2018-04-01")
    return Payments(start, second, np.array(customer), terminal, amount, np.array(fraud, bool))


def test_measures_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    data = payments([0] * 2000, list(range(2000)), (generator.random(2000) < 0.05).astype(int).tolist())
    score = (generator.integers(0, 300, 2000) / 300).astype(np.float32)
    found = measure(data, np.arange(2000), score)
    assert found["average_precision"] == pytest.approx(average_precision_score(data.fraud, score))
    assert found["roc_auc"] == pytest.approx(roc_auc_score(data.fraud, score))


def test_cards_leave_the_test_as_their_frauds_become_known() -> None:
    # Training on days 0 to 6, test on days 14 to 20. Customer 0 is struck in training, 1 on the first day of
    # the delay (known on the second test day), 2 on its sixth day, 3 never before the test.
    day = [0, 7, 13, *[14] * 4, *[15] * 4, *[20] * 4]
    customer = [0, 1, 2, *[0, 1, 2, 3] * 3]
    data = payments(day, customer, [1, 1, 1, *[0] * 12])
    [fold] = folds(data, (np.datetime64("2018-04-01"),))
    left = {d: set(data.customer[fold.test[data.day[fold.test] == d]].tolist()) for d in (14, 15, 20)}
    assert left == {14: {1, 2, 3}, 15: {2, 3}, 20: {2, 3}}
    assert fold.week.tolist() == fold.past.tolist() == [0]


def test_two_weeks_are_the_training_week_and_the_one_before() -> None:
    data = payments(list(range(60)), list(range(60)), [0, 1] * 30)
    [fold] = folds(data, (np.datetime64("2018-04-01") + 30,))
    days = [data.day[rows].tolist() for rows in (fold.week, fold.fortnight, fold.past)]
    assert days == [list(range(30, 37)), list(range(23, 37)), list(range(37))]


def test_a_card_that_was_found_is_not_listed_again() -> None:
    data = payments([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [1, 0, 0, 1, 1, 0])
    score = np.array([0.9, 0.8, 0.1, 0.9, 0.8, 0.1], np.float32)
    assert card_precision(data, np.arange(6), score, cards=1) == 1.0
    assert card_precision(data, np.arange(6), score, cards=2) == 0.5


def test_the_newest_weeks_end_with_the_newest_payment() -> None:
    data = payments(list(range(80)), list(range(80)), [0, 1] * 40)
    found = list(folds(data, newest_starts(data)))
    tested = [sorted(data.day[fold.test].tolist()) for fold in found]
    assert [days[-1] for days in tested] == list(range(30, 80, 7))
    with pytest.raises(PaymentsError, match="need 70"):
        newest_starts(payments(list(range(69)), [0] * 69, [0] * 69))


def test_weeks_without_frauds_are_left_out_and_no_week_with_any_is_an_error() -> None:
    town = small_town()
    start = town.start.astype("datetime64[D]")
    starts = (start, start + 7)
    clean = replace(town, fraud=town.fraud & (town.day >= 7))
    judged = evaluate(Past(clean), Hyperparameters(rounds=5), starts)
    assert np.unique(judged.scored[SCORED.c.fold].to_numpy()).tolist() == [1]
    for ours, theirs in COMPARED:
        each = [judged.metrics[f"{name}_average_precision"] for name in (ours, theirs)]
        assert judged.metrics[gain(ours, theirs)] == pytest.approx(each[0] - each[1])
    with pytest.raises(PaymentsError, match="none of 1 weeks"):
        evaluate(Past(clean), Hyperparameters(rounds=5), starts[:1])
