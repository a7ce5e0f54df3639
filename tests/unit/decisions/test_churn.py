"""Reasons for a household's leaving."""

from __future__ import annotations

from mercato.decisions.churn import CODES, SENTENCES, Reason
from mercato_models.churn.features import baskets, features
from tests.unit.churn.visits import START, visits


def test_every_feature_has_a_reason_and_every_reason_its_sentence() -> None:
    named = features(baskets(visits(), START), 200).columns
    assert {CODES.of(feature) for feature in named} == set(Reason) == set(SENTENCES)


def test_a_reason_adds_up_its_features() -> None:
    shares = {"recency": 0.3, "silence_by_mean": 0.4, "trend_28d": 0.6, "baskets": -0.2}
    assert CODES.strongest(shares.items()) == [Reason.AWAY_LONG, Reason.COMES_LESS]
