"""Payments and outcomes of the lake, as the model learns from them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pandas as pd
import pytest

from mercato.contracts.events import Event
from mercato_models.fraud.payments import PaymentsError
from mercato_models.fraud.shop import payments_of
from tests.unit.fraud.events import outcome, payment
from tests.unit.fraud.world import small_town


def rows(events: list[Event]) -> pd.DataFrame:
    return pd.DataFrame([msgspec.structs.asdict(event) for event in events])


def test_what_went_out_as_events_comes_back_as_payments() -> None:
    town = small_town()
    paid = [payment(town, number) for number in range(len(town))]
    outcomes = [outcome(one, bool(town.fraud[number])) for number, one in enumerate(paid)]
    order = np.random.default_rng(0).permutation(len(paid))
    found = payments_of(rows([paid[n] for n in order]), rows([outcomes[n] for n in order[::-1]]))
    assert found.start == town.start
    assert sorted(zip(found.second, found.amount, found.fraud, strict=True)) == sorted(
        zip(town.second, town.amount, town.fraud, strict=True)
    )
    assert len(np.unique(found.customer)) == len(np.unique(town.customer))
    assert (np.diff(found.second) >= 0).all()


def test_payments_without_an_outcome_are_left_out_and_the_newest_outcome_counts() -> None:
    town = small_town()
    paid = [payment(town, number) for number in range(3)]
    first = outcome(paid[0], fraud=False)
    later = msgspec.structs.replace(first, event_time=first.event_time + timedelta(days=1), fraud=True)
    found = payments_of(rows(list(paid)), rows([later, first]))
    assert found.fraud.tolist() == [True]
    with pytest.raises(PaymentsError, match="none of 2 payments"):
        payments_of(rows(list(paid[1:])), rows([first]))
