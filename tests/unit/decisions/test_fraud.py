"""Payments by cost, and why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.decisions.fraud import (
    CODES,
    SENTENCES,
    Action,
    Costs,
    Reason,
    decide,
    review_threshold,
)
from mercato_models.fraud.state import FEATURES


@given(st.floats(0, 1), st.floats(0, 5000), st.floats(0.1, 50), st.floats(0, 100), st.floats(0, 1))
def test_no_other_action_is_expected_to_cost_less(
    probability: float, amount: float, review: float, friction: float, margin: float
) -> None:
    costs = Costs(review, friction, margin)
    expected = costs.expected(probability, amount)
    assert expected[decide(probability, amount, costs)] == min(expected.values())


@pytest.mark.parametrize("amount", [3.0, 12.0, 90.0, 800.0])
def test_the_threshold_is_where_approval_ends(amount: float) -> None:
    costs = Costs()
    threshold = review_threshold(amount, costs)
    assert decide(threshold - 1e-6, amount, costs) is Action.APPROVE
    assert decide(min(threshold + 1e-6, 1.0), amount, costs) is not Action.APPROVE


def test_high_probabilities_are_declined_and_small_amounts_pass() -> None:
    assert decide(0.99, 300, Costs()) is Action.DECLINE
    assert decide(0.3, 300, Costs()) is Action.REVIEW
    assert decide(0.3, 4, Costs()) is Action.APPROVE


def test_every_feature_has_a_reason_and_every_reason_its_sentence() -> None:
    assert {CODES.of(feature) for feature in FEATURES} == set(Reason) == set(SENTENCES)
    with pytest.raises(ValueError, match="belongs to no reason"):
        CODES.of("shoe_size")


def test_reasons_sum_features_and_name_only_what_raises() -> None:
    shares = np.zeros(len(FEATURES))
    shares[FEATURES.index("terminal_frauds")] = 1.0
    shares[FEATURES.index("terminal_clean_days")] = 0.5
    shares[FEATURES.index("amount_ratio")] = 1.2
    shares[FEATURES.index("second_of_day")] = -2.0
    values = {"terminal_frauds": 1.0, "amount_ratio": 3.0}
    found = CODES.strongest(zip(FEATURES, shares.tolist(), strict=True), values)
    assert found == [Reason.TERMINAL_WITH_FRAUD, Reason.UNUSUAL_AMOUNT]


@pytest.mark.parametrize(
    ("feature", "value", "reason"),
    [
        ("surprises", 0.0, Reason.SUSPICIOUS_CARD),
        ("surprises", 2.0, Reason.SUSPICIOUS_CARD),
        ("terminal_frauds", 0.0, Reason.TERMINAL_WITH_FRAUD),
        ("terminal_frauds", 1.0, Reason.TERMINAL_WITH_FRAUD),
        ("amount_ratio", 0.9, Reason.UNUSUAL_AMOUNT),
        ("amount_ratio", 1.1, Reason.UNUSUAL_AMOUNT),
        ("amount_ratio", float("nan"), Reason.UNUSUAL_AMOUNT),
    ],
)
def test_nothing_false_is_told_whatever_raised_the_score(feature: str, value: float, reason: Reason) -> None:
    told = CODES.strongest([(feature, 1.0)], {feature: value})
    assert told == ([reason] if value >= 1 else [])


def test_a_card_that_is_little_used_is_not_called_suspicious() -> None:
    shares = [("customer_payments", 0.4), ("payments_unlabelled", 0.2)]
    assert CODES.strongest(shares, dict.fromkeys(FEATURES, 0.0)) == [Reason.CARD_USE]
