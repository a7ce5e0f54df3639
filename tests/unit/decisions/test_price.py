"""Proposed prices keep to every guardrail, and say which one held them back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.decisions.price import Guardrail, Guardrails, Priced, propose

MILK = Priced(
    price=2.0,
    cost=1.0,
    units=100.0,
    elasticity=-1.2,
    low=-1.3,
    high=-1.1,
    lowest_30_days=2.0,
    days_unchanged=30,
)
FREE = Guardrails(margin=0.0, step=0.4, days=0, announced=False)


def milk(elasticity: float, error: float = 0.1, **changes: Any) -> Priced:
    """Milk whose elasticity is another."""
    low, high = elasticity - error, elasticity + error
    return replace(MILK, elasticity=elasticity, low=low, high=high, **changes)


def test_demand_that_hardly_answers_raises_the_price_as_far_as_the_step_goes() -> None:
    proposal = propose(MILK)
    assert proposal.price == pytest.approx(2.2)
    assert proposal.held == (Guardrail.STEP,)
    assert proposal.least_gain > 0


def test_without_guardrails_the_price_is_the_monopolists() -> None:
    """Where demand has the constant elasticity e, profit is largest at cost * e / (1 + e)."""
    proposal = propose(milk(-3.0, 0.0, price=1.6), FREE)
    assert proposal.price == pytest.approx(1.5)
    assert proposal.held == ()


@pytest.mark.parametrize(
    ("product", "rules", "rail"),
    [
        (replace(MILK, ceiling=2.1), Guardrails(), Guardrail.CEILING),
        (replace(MILK, days_unchanged=6), Guardrails(), Guardrail.FREQUENCY),
        (milk(-4.0, minimum_advertised=1.9), Guardrails(), Guardrail.MAP),
        (milk(-4.0, cost=1.2), Guardrails(margin=0.38), Guardrail.FLOOR),
        (milk(-4.0, stock=110.0), Guardrails(), Guardrail.STOCK),
        (milk(-4.0, lowest_30_days=1.7), Guardrails(), Guardrail.LOWEST_30_DAYS),
        (milk(-3.0, 2.0), FREE, Guardrail.UNSURE),
    ],
)
def test_each_guardrail_holds_and_says_so(product: Priced, rules: Guardrails, rail: Guardrail) -> None:
    proposal = propose(product, rules)
    assert rail in proposal.held
    assert proposal.breaks == ()


def test_the_interval_that_is_given_is_the_one_that_is_sure() -> None:
    """Gain and the guardrail rest on the ends as they are: nothing is made of an error a second time."""
    known = milk(-1.2, 0.5)
    proposal = propose(known)
    ends = [(2.2 - 1.0) * 100 * 1.1**end - 100 for end in (known.low, known.high)]
    assert proposal.price == pytest.approx(2.2)
    assert proposal.least_gain == pytest.approx(min(ends))
    assert proposal.most_gain == pytest.approx(max(ends))
    # At 2.20 demand that is just below -1.91 loses.
    assert propose(replace(known, low=-1.9)).price == pytest.approx(2.2)
    assert propose(replace(known, low=-1.95)).price < 2.2


@pytest.mark.parametrize(
    ("product", "price", "reasons"),
    [
        # Too cheap by far: a step up each time, though it earns less.
        (milk(-4.0, minimum_advertised=2.5), 2.2, ("breaks_minimum_advertised_price", "maximum_step")),
        (replace(MILK, cost=2.5), 2.2, ("breaks_floor", "maximum_step")),
        # Within a step: to the limit, not beyond it.
        (milk(-4.0, minimum_advertised=2.1), 2.1, ("breaks_minimum_advertised_price",)),
        (milk(-4.0, minimum_advertised=2.095), 2.1, ("breaks_minimum_advertised_price",)),
        (replace(MILK, ceiling=1.939), 1.93, ("breaks_ceiling",)),
        # Too dear.
        (replace(MILK, ceiling=1.5), 1.8, ("breaks_ceiling", "maximum_step")),
        (replace(MILK, ceiling=1.93), 1.93, ("breaks_ceiling",)),
        # Stock holds no price that is not allowed.
        (replace(MILK, ceiling=1.9, stock=0.0), 1.9, ("breaks_ceiling",)),
        # The pace and the law count still.
        (replace(MILK, ceiling=1.5, days_unchanged=2), 2.0, ("breaks_ceiling", "change_frequency")),
        (replace(MILK, ceiling=1.5, lowest_30_days=1.6), 2.0, ("breaks_ceiling", "lowest_price_of_30_days")),
        # Not past the floor: a cut would have to go below 1.85.
        (
            replace(MILK, ceiling=1.95, lowest_30_days=1.85, minimum_advertised=1.9),
            2.0,
            ("breaks_ceiling", "lowest_price_of_30_days"),
        ),
        # The ceiling counts where nothing can be right.
        (replace(MILK, ceiling=1.9, cost=1.95), 1.9, ("breaks_floor", "breaks_ceiling")),
    ],
)
def test_a_price_that_breaks_a_limit_moves_toward_it(
    product: Priced, price: float, reasons: tuple[str, ...]
) -> None:
    proposal = propose(product)
    assert proposal.price == pytest.approx(price)
    assert set(reasons) <= set(proposal.reasons)
    assert len(proposal.breaks) == sum(reason.startswith("breaks") for reason in reasons)


def test_beyond_a_limit_a_price_goes_where_it_surely_earns_more() -> None:
    assert propose(replace(MILK, minimum_advertised=2.1)).price == pytest.approx(2.2)


def test_the_floor_is_kept_to_the_cent() -> None:
    """At 1.00 the margin would be 4.7 %."""
    product = Priced(
        price=0.97,
        cost=0.953,
        units=100.0,
        elasticity=-2.0,
        low=-40.0,
        high=0.0,
        lowest_30_days=0.97,
        days_unchanged=30,
    )
    assert propose(product, Guardrails(margin=0.05)).price == pytest.approx(1.01)


def test_steps_lead_to_what_is_allowed() -> None:
    product, prices = milk(-4.0, minimum_advertised=2.5), [2.0]
    for _ in range(4):
        product = replace(product, price=propose(product).price)
        prices.append(product.price)
    assert prices == pytest.approx([2.0, 2.2, 2.42, 2.5, 2.5])


@given(
    price=st.floats(0.3, 50),
    cost=st.floats(0.2, 40),
    elasticity=st.floats(-6, 1),
    error=st.floats(0, 3),
    lowest=st.floats(0.2, 1.0),
    days=st.integers(0, 40),
    stock=st.none() | st.floats(0, 300),
    ceiling=st.none() | st.floats(0.3, 60),
    advertised=st.none() | st.floats(0.2, 40),
)
def test_no_proposal_breaks_a_rule(
    price: float, cost: float, elasticity: float, error: float, lowest: float, days: int,
    stock: float | None, ceiling: float | None, advertised: float | None,
) -> None:  # fmt: skip
    rules = Guardrails()
    product = Priced(
        price=round(price, 2),
        cost=cost,
        units=100.0,
        elasticity=elasticity,
        low=elasticity - error,
        high=elasticity + error,
        lowest_30_days=max(0.01, round(price * lowest, 2)),
        days_unchanged=days,
        stock=stock,
        minimum_advertised=advertised,
        ceiling=ceiling,
    )
    proposal = propose(product, rules)
    now, new = product.price, proposal.price
    assert new == pytest.approx(now, rel=rules.step + 1e-6, abs=0.011)
    most = 1e9 if ceiling is None else math.floor(100 * ceiling) / 100
    lowest_advertised = math.ceil(100 * (advertised or 0)) / 100
    floor = math.ceil(100 * cost / (1 - rules.margin) - 1e-6) / 100
    least = min(max(floor, lowest_advertised), most)
    before, after = max(least - now, now - most, 0), max(least - new, new - most, 0)
    contradictory = max(floor, lowest_advertised) > most
    assert (before > 0.004) == bool(proposal.breaks) or contradictory
    if before > 0.005 and after > 0.005:
        # Not there yet: it went a whole step, or had to stay.
        waits = days < rules.days
        if now > most:
            cut = new < now and new < 0.9 * now + 0.01
            # A cut below the lowest price must neither be out of reach nor break the floor.
            below = product.lowest_30_days - 0.01
            assert cut or waits or 0.9 * now >= below or below < least + 0.01 or now < 0.11
        else:
            assert new > 1.1 * now - 0.011 or waits
    assert after <= before + 0.004
    if now > most:
        assert new >= least - 0.005
    if now < least:
        assert new <= most + 0.005
    if new == now:
        return
    assert days >= rules.days
    if new < now - 0.005:
        assert new < product.lowest_30_days
    if before <= 0.004:
        assert after <= 0.004
        assert proposal.least_gain >= 0
        assert stock is None or new > now or 100 * (new / now) ** elasticity <= stock


@pytest.mark.parametrize("change", [{"price": 0.0}, {"cost": float("nan")}, {"low": 0.0}, {"high": math.inf}])
def test_what_is_no_price_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        propose(replace(MILK, **change))
