"""What people are told of a household that may leave."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mercato.decisions.codes import Codes, above, below, either


class Reason(StrEnum):
    """Codes of why a household looks like leaving."""

    AWAY_LONG = "away_long"
    COMES_LESS = "comes_less"
    IRREGULAR = "irregular"
    SPENDING = "spending"
    VISITS = "visits"
    HABITS = "habits"


SENTENCES: Mapping[Reason, str] = {
    Reason.AWAY_LONG: "It has been away for long, for its habits",
    Reason.COMES_LESS: "It comes less often than it did",
    Reason.IRREGULAR: "Its visits are irregular, with long gaps",
    Reason.SPENDING: "What it spent of late",
    Reason.VISITS: "How often it has come so far, and since when",
    Reason.HABITS: "Its use of discounts, coupons and stores",
}

CODES = Codes(
    (
        ("recency", Reason.AWAY_LONG),
        ("silence_", Reason.AWAY_LONG),
        ("gap_survival", Reason.AWAY_LONG),
        ("stay_away", Reason.AWAY_LONG),
        ("gap_recent", Reason.COMES_LESS),
        ("gap_ratio", Reason.COMES_LESS),
        ("baskets_", Reason.COMES_LESS),
        ("trend_", Reason.COMES_LESS),
        ("active_weeks", Reason.COMES_LESS),
        ("gap_", Reason.IRREGULAR),
        ("long_gaps", Reason.IRREGULAR),
        ("two_week_gaps", Reason.IRREGULAR),
        ("spend", Reason.SPENDING),
        ("mean_basket_", Reason.SPENDING),
        ("baskets", Reason.VISITS),
        ("visits", Reason.VISITS),
        ("tenure", Reason.VISITS),
        ("discount_share", Reason.HABITS),
        ("coupon_share", Reason.HABITS),
        ("stores", Reason.HABITS),
    ),
    true_if={
        Reason.AWAY_LONG: above("silence_by_mean", 1),
        Reason.COMES_LESS: either(below("trend_28d", 1), below("trend_56d", 1), above("gap_ratio", 1)),
        Reason.IRREGULAR: either(above("two_week_gaps", 0), above("gap_variation", 1)),
    },
)
