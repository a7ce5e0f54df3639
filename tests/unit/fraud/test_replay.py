"""Features of the past know nothing of the future."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mercato.contracts.durations import DAY_SECONDS
from mercato.online.payments import OUTLIER
from mercato_models.fraud import state
from mercato_models.fraud.amount_likelihood import AmountLikelihood, learn
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES
from tests.unit.fraud.world import small_town

LIKELIHOOD = AmountLikelihood([-1.0, 0.5, 1.5], [0.0, 0.2, 300.0], 0.4)


@st.composite
def some_payments(draw: st.DrawFn) -> Payments:
    number = draw(st.integers(1, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Payments(
        np.datetime64("2018-04-01"),
        np.sort(generator.integers(0, 40 * DAY_SECONDS, number)),
        generator.integers(0, 3, number),
        generator.integers(0, 3, number),
        np.round(generator.exponential(50, number), 2),
        generator.random(number) < 0.3,
    )


@hypothesis_settings(max_examples=25, deadline=None)
@given(some_payments(), st.data())
def test_nothing_later_and_no_label_of_the_last_week_is_known(
    payments: Payments, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(payments) - 1))
    later = np.arange(len(payments)) > at
    unknown = payments.second > payments.second[at] - LABEL_DELAY
    changed = replace(
        payments,
        amount=np.where(later, 7.0, payments.amount),
        fraud=payments.fraud ^ unknown,
        terminal=np.where(later, 0, payments.terminal),
    )
    before, after = (Past(each).features(LIKELIHOOD)[at] for each in (payments, changed))
    np.testing.assert_array_equal(before, after)


def test_a_known_fraud_reaches_the_terminals_next_payment() -> None:
    second = np.array([0, DAY_SECONDS, 2 * DAY_SECONDS, 9 * DAY_SECONDS])
    payments = Payments(
        np.datetime64("2018-04-01"), second, np.zeros(4, int), np.zeros(4, int), np.full(4, 10.0),
        np.array([False, True, True, False]),
    )  # fmt: skip
    last = dict(zip(FEATURES, Past(payments).features(LIKELIHOOD)[3].tolist(), strict=True))
    assert last["terminal_frauds"] == 2
    assert last["terminal_clean_days"] == 9
    assert last["terminal_first_fraud_days"] == 8
    assert last["terminal_onset_days"] == 1


@hypothesis_settings(max_examples=100, deadline=None)
@given(some_payments(), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_what_is_known_of_a_terminal_is_said_by_its_newest_outcomes_alone(
    payments: Payments, most: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    terminal, time = np.sort(payments.terminal), payments.second.astype(float)
    ratio = generator.choice([0.5, 1.0, 2.0, 9.0, np.nan], len(payments))
    newest = np.sort(generator.integers(0, len(payments), 30))
    oldest = np.searchsorted(terminal, terminal[newest])
    found = state.outcomes(time, payments.fraud, ratio, oldest, newest, most)
    expected = [
        one_by_one(list(zip(time, payments.fraud, ratio, strict=True))[first : last + 1][-most:])
        for first, last in zip(oldest, newest, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)


def one_by_one(outcomes: list[tuple[float, bool, float]]) -> list[float]:
    """What `state.outcomes` gives, from one outcome after the other."""
    clean = label = before = np.nan
    run: list[tuple[float, float]] = []
    explained = 0
    for time, fraud, ratio in outcomes:
        label = time
        if not fraud:
            before = run[0][0] if run else before
            clean, run, explained = time, [], 0
        elif ratio > OUTLIER:
            explained += 1
        else:
            run.append((time, ratio))
    first, last = (run[0][0], run[-1][0]) if run else (np.nan, np.nan)
    least = min((ratio for _, ratio in run if not np.isnan(ratio)), default=np.nan)
    return [clean, first, last, len(run), least, explained, label, before]


def test_the_likelihood_learns_that_high_ratios_are_leaks(tmp_path: Path) -> None:
    payments = small_town()
    past = Past(payments)
    likelihood = learn(payments, past.ratio, np.ones(len(payments), bool))
    low, high = likelihood.of(np.array([1.0, 6.0]))
    assert low < 1 < 10 < high
    assert likelihood.of(np.array([np.nan])) == pytest.approx(0)
    assert 0.15 < likelihood.share < 0.6
    likelihood.save(tmp_path)
    assert AmountLikelihood.load(tmp_path) == likelihood


@pytest.mark.parametrize("frauds", [0, 1])
def test_too_few_frauds_make_no_amount_surprising(frauds: int) -> None:
    payments = small_town()
    past = Past(payments)
    known = ~payments.fraud
    known[np.flatnonzero(payments.fraud & np.isfinite(past.ratio))[:frauds]] = True
    assert learn(payments, past.ratio, known).of(np.array([0.5, 1.0, 50.0])).tolist() == [0, 0, 0]
