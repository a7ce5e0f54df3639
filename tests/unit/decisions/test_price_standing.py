"""How a price stands follows from baskets, counts, people's decisions and what the shop wrote down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mercato.decisions.price import Guardrails, Priced, propose
from mercato.decisions.price_limits import parse
from mercato.decisions.price_standing import Shop, Standing
from tests.unit.decisions.shop import NOW, basket, counted, decided, shop

CELL = (1, 7)


def stand(
    known: Shop, prices: Sequence[float] = (2.0,) * 10, elasticity: float = -1.2, running: float = 0
) -> Priced:
    """Product 1 in store 7, its cost half the usual price, `running` days of its newest week to come."""
    answers = (elasticity, elasticity - 0.1, elasticity + 0.1)
    ages = np.arange(len(prices), 0, -1) * np.timedelta64(7, "D")
    began = np.datetime64(NOW.replace(tzinfo=None)) + np.timedelta64(int(running * 24), "h") - ages
    return Standing.of(known, NOW).stand(CELL, np.array(prices), began, 10.0, answers, 0.5)


def test_stock_is_the_newest_count_less_what_was_sold_since() -> None:
    known = shop(
        stock=[counted(50, 9), counted(20, 2), counted(90, 1, store=8), counted(70, 1, product=2)],
        baskets=[basket(2.0, 3, 5), basket(2.0, 1, 4), basket(2.0, 0.5, 3), basket(2.0, 1, 8, store=8)],
    )
    assert stand(known).stock == 13
    assert stand(shop(stock=[counted(3, 2)], baskets=[basket(2.0, 1, 9)])).stock == 0
    assert stand(shop()).stock is None


def test_of_counts_of_one_instant_the_last_by_id_counts() -> None:
    told = [counted(units, 2, event_id=event) for units, event in ((50, "a"), (20, "c"), (70, "b"))]
    assert stand(shop(stock=told)).stock == 20


def test_stock_that_is_short_keeps_a_price_from_falling() -> None:
    """Each is sold out before its price could sell more."""
    short, plenty = (stand(shop(stock=[counted(left, 1)]), elasticity=-4.0) for left in (9, 900))
    assert propose(plenty).price < propose(short).price == 2.0
    assert "stock" in propose(short).held


def test_a_price_that_changed_in_the_newest_week_waits_by_default() -> None:
    """It may have changed on that week's last day."""
    changed, week_ago = stand(shop(), [2.0] * 9 + [2.5]), stand(shop(), [2.0] * 8 + [2.5] * 2)
    assert (changed.days_unchanged, week_ago.days_unchanged) == (0, 7)
    assert propose(changed, Guardrails()).price == 2.5
    assert "change_frequency" in propose(changed, Guardrails()).held
    assert propose(week_ago, Guardrails()).price != 2.5
    assert stand(shop()).days_unchanged == 70
    # A day of the running week is a day: the price may have changed on the last one of the week before.
    assert stand(shop(), [2.0] * 8 + [2.5] * 2, running=6).days_unchanged == 1


def test_the_lowest_price_is_the_one_that_a_basket_was_charged() -> None:
    """A week's mean of 2.00 hides that half of it was sold at 1.60."""
    known = shop(
        baskets=[basket(1.6, 20), basket(2.4, 20), basket(1.0, 45), basket(2.0, 0, 2), basket(0.0, 1)]
    )
    assert stand(known).lowest_30_days == 1.6
    assert stand(shop()).lowest_30_days == 2.0
    cut = propose(stand(known, elasticity=-4.0), Guardrails(step=0.15))
    assert (cut.price, "lowest_price_of_30_days" in cut.held) == (2.0, True)
    assert propose(stand(shop(), elasticity=-4.0), Guardrails(step=0.15)).price == 1.7


def test_what_was_accepted_is_charged_though_nobody_bought_it_yet() -> None:
    accepted = decided(1.8, 3)
    fresh = stand(shop(charged=[accepted]), elasticity=-4.0)
    assert (fresh.price, fresh.days_unchanged, fresh.lowest_30_days) == (1.8, 3, 1.8)
    assert propose(fresh).price == 1.8
    old = stand(shop(charged=[decided(1.8, 8)]), elasticity=-4.0)
    assert old.days_unchanged == 8
    # The next step starts from the accepted price, not from the one that was sold last.
    assert propose(old).price == pytest.approx(1.62)


def test_a_price_that_was_accepted_and_replaced_counts_as_charged() -> None:
    """Nobody bought at 1.70: only the decisions know it."""
    first, second = decided(1.7, 25), decided(1.9, 10, before=1.7)
    assert stand(shop(decisions=[first], charged=[second])).lowest_30_days == 1.7
    assert stand(shop(charged=[second])).lowest_30_days == 1.7
    assert stand(shop(decisions=[decided(1.5, 25, "reject")])).lowest_30_days == 2.0
    assert stand(shop(decisions=[decided(1.5, 40)])).lowest_30_days == 2.0


def test_after_a_withdrawal_the_shops_price_holds_and_is_new() -> None:
    back = stand(shop(decisions=[decided(1.8, 12), decided(1.8, 4, "withdraw")]))
    assert (back.price, back.days_unchanged, back.lowest_30_days) == (2.0, 4, 1.8)


def test_limits_of_the_file_reach_the_product() -> None:
    lines = b"product_id,store_id,minimum_advertised,ceiling\n1,,1.9,2.6\n1,7,,2.1\n1,8,,2.2\n"
    stands = stand(shop(limits=parse(lines, "limits.csv")))
    assert (stands.minimum_advertised, stands.ceiling) == (1.9, 2.1)
    assert propose(stands).price == 2.1


def test_a_cost_does_not_follow_what_is_proposed_because_of_it() -> None:
    """Else each acceptance moves floor and optimum along, and prices climb or fall without an end."""
    accepted = decided(1.2, 100)
    prices = [2.0] * 10 + [1.2] * 14
    assert stand(shop(decisions=[accepted]), prices).cost == 1.0
    assert stand(shop(charged=[decided(1.2, 4)]), [2.0] * 9 + [1.2]).cost == 1.0
    often = [decided(1.2, 900), decided(1.3, 800, before=1.2)]
    assert stand(shop(decisions=often), [1.2] * 24).cost == 1.0, "as it stood then, if all weeks are later"
    assert stand(shop(), prices).cost == 0.6, "the shop's own price, which nobody proposed"
    known = parse(b"product_id,unit_cost\n1,1.4\n", "limits.csv")
    assert stand(shop(limits=known), prices).cost == 1.4
