"""Reasons for a household's leaving."""

from __future__ import annotations

import numpy as np

from mercato.decisions.churn import CODES, SENTENCES, Reason
from mercato_models.churn.features import baskets, features
from tests.unit.churn.visits import START, visits


def test_every_feature_has_a_reason_and_every_reason_its_sentence() -> None:
    named = features(baskets(visits(), START), 200).columns
    assert {CODES.of(feature) for feature in named} == set(Reason) == set(SENTENCES)


def test_a_reason_adds_up_its_features() -> None:
    shares = {"recency": 0.3, "silence_by_mean": 0.4, "trend_28d": 0.6, "baskets": -0.2}
    values = {"silence_by_mean": 2.0, "trend_28d": 0.5}
    assert CODES.strongest(shares.items(), values) == [Reason.AWAY_LONG, Reason.COMES_LESS]


def test_nothing_false_is_told_of_anybody() -> None:
    """Even if all features speak for it."""
    found = features(baskets(visits(), START), 200)
    shares = dict.fromkeys(found.columns, 0.1).items()
    told = [CODES.strongest(shares, dict(found.loc[each]), len(Reason)) for each in found.index]
    away, irregular, less = (
        np.array([reason in each for each in told])
        for reason in (Reason.AWAY_LONG, Reason.IRREGULAR, Reason.COMES_LESS)
    )
    assert away.any()
    assert not away.all()
    assert (found.silence_by_mean[away] > 1).all()
    assert not irregular[(found.two_week_gaps == 0) & (found.gap_variation < 1)].any()
    assert not less[(found.trend_28d > 1) & (found.trend_56d > 1) & (found.gap_ratio < 1)].any()
