"""The plain sentence behind each recommendation, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mercato.decisions.recommend import Evidence, reasons, sentence

CASES = [
    (
        Evidence(times_bought=6, mean_gap_days=12.2, days_since=14.9),
        "bought_before",
        "You bought it 6 times, about every 12 days; last 14 days ago",
    ),
    (
        Evidence(times_bought=2, mean_gap_days=0.2, days_since=0.5),
        "bought_before",
        "You bought it 2 times, about every day; last today",
    ),
    (Evidence(times_bought=1, days_since=1.2), "bought_once", "You bought it once, yesterday"),
    (
        Evidence(partner_id=1, partner_name="Bananas"),
        "goes_with_cart",
        "Often bought with bananas in your cart",
    ),
    (
        Evidence(partner_id=1, partner_name="BBQ sauce", partner_in_cart=False),
        "goes_with_viewed",
        "Often bought with BBQ sauce, which you just viewed",
    ),
    (
        Evidence(mailer="D", display="1", store_id=367),
        "mailer",
        "On the front page of this week's mailer in store 367",
    ),
    (Evidence(display="7", store_id=367), "display", "On display in the aisle in store 367"),
    (Evidence(display="1"), "display", "On display at the front in your store"),
    (Evidence(popular_rank=3, store_id=367), "popular", "Popular in store 367"),
    (Evidence(popular_rank=3), "popular", "Popular in all stores"),
    (
        Evidence(usual_partner_name="White bread"),
        "goes_with_usual",
        "Often bought with white bread, which you buy",
    ),
    (Evidence(popular_rank=250), "similar_households", "Bought by households like yours"),
]


@pytest.mark.parametrize(("evidence", "code", "text"), CASES)
def test_strongest_reason(evidence: Evidence, code: str, text: str) -> None:
    why = reasons(evidence)[0]
    assert (why.code, why.text) == (code, text)


def test_own_rhythm_comes_before_the_cart_and_the_cart_before_a_single_purchase() -> None:
    bought_once = Evidence(times_bought=1, days_since=30.0, partner_id=1, partner_name="Bananas", mailer="D")
    regular = [why.code for why in reasons(replace(bought_once, times_bought=5, mean_gap_days=7.0))]
    once = [why.code for why in reasons(bought_once)]
    assert regular == ["bought_before", "goes_with_cart", "mailer"]
    assert once == ["goes_with_cart", "mailer", "bought_once"]


def test_a_sentence_holds_the_two_strongest_reasons() -> None:
    evidence = Evidence(popular_rank=1, display="1", mailer="0", store_id=3, days_since=2.0, times_bought=1)
    assert (
        sentence(reasons(evidence)) == "On display at the front in store 3. You bought it once, 2 days ago."
    )
