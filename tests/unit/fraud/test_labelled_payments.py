"""Payments and outcomes of the lake, as the model learns from them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pandas as pd
import pytest

from mercato.contracts.tables.silver import PAYMENTS as PAID
from mercato_models.checks import CheckError
from mercato_models.fraud.labelled_payments import payments_of
from mercato_models.fraud.payments import PaymentsError
from tests.unit.fraud.events import outcome, payment, rows
from tests.unit.fraud.world import small_town


def test_what_went_out_as_events_comes_back_as_payments() -> None:
    town = small_town()
    paid = [payment(town, number) for number in range(len(town))]
    outcomes = [outcome(one, bool(town.fraud[number])) for number, one in enumerate(paid)]
    order = np.random.default_rng(0).permutation(len(paid))
    found = payments_of(rows([paid[n] for n in order]), rows([outcomes[n] for n in order[::-1]]))
    assert found.start == town.start
    known = np.arange(len(town)) <= np.flatnonzero(~town.fraud)[-1]
    assert sorted(zip(found.second, found.amount, found.fraud, strict=True)) == sorted(
        zip(town.second[known], town.amount[known], town.fraud[known], strict=True)
    )
    assert known.sum() > 0.99 * len(town)
    assert len(np.unique(found.customer)) == len(np.unique(town.customer))
    assert found.household is not None
    assert set(found.household) == set(town.customer + 1)
    assert (np.diff(found.second) >= 0).all()


def test_payments_without_an_outcome_are_left_out_and_the_newest_outcome_counts() -> None:
    town = small_town()
    paid = [payment(town, number) for number in range(3)]
    first = outcome(paid[0], fraud=False)
    later = msgspec.structs.replace(first, event_time=first.event_time + timedelta(days=1), fraud=True)
    honest = outcome(paid[1], fraud=False)
    found = payments_of(rows(list(paid)), rows([later, first, honest]))
    assert found.fraud.tolist() == [True, False]
    with pytest.raises(PaymentsError, match="none of 2 payments"):
        payments_of(rows(list(paid[1:])), rows([first]))


def test_frauds_and_reviews_that_are_known_before_honest_payments_are_teach_nothing() -> None:
    """They are all that is known of the newest weeks: a model would take every second payment for a fraud."""
    town = small_town()
    paid = [payment(town, number) for number in range(40)]
    told = [outcome(one, fraud=number == 3) for number, one in enumerate(paid[:20])]
    frauds = [outcome(one, fraud=True) for one in paid[20:30]]
    reviewed = [msgspec.structs.replace(outcome(one, fraud=False), reviewer="ada") for one in paid[30:]]
    found = payments_of(rows(list(paid)), rows([*told, *frauds, *reviewed]))
    assert (len(found), found.fraud.sum()) == (20, 1)
    with pytest.raises(PaymentsError, match="honest but by review"):
        payments_of(rows(list(paid)), rows([*frauds, *reviewed]))


def test_a_payment_of_an_unknown_time_is_refused_rather_than_put_first() -> None:
    town = small_town()
    paid = [payment(town, number) for number in range(3)]
    outcomes = [outcome(one, fraud=False) for one in paid]
    timeless = rows(list(paid))
    timeless.loc[1, PAID.c.event_time] = pd.NaT
    with pytest.raises(CheckError, match=r"unknown event_time: 1 of 3 rows \(1\)"):
        payments_of(timeless, rows(list(outcomes)))
