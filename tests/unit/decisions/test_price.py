"""Proposed prices keep to every guardrail, and say which one held them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.decisions.price import Guardrail, Guardrails, Priced, propose

MILK = Priced(
    price=2.0, cost=1.0, units=100.0, elasticity=-1.2, error=0.05, lowest_30_days=2.0, days_unchanged=30
)
FREE = Guardrails(margin=0.0, step=0.4, days=0, announced=False)


def test_demand_that_hardly_answers_raises_the_price_as_far_as_the_step_goes() -> None:
    proposal = propose(MILK)
    assert proposal.price == pytest.approx(2.2)
    assert proposal.held == (Guardrail.STEP,)
    assert proposal.least_gain > 0


def test_without_guardrails_the_price_is_the_monopolists() -> None:
    """Where demand has the constant elasticity e, profit is largest at cost * e / (1 + e)."""
    proposal = propose(replace(MILK, price=1.6, elasticity=-3.0, error=0.0), FREE)
    assert proposal.price == pytest.approx(1.5)
    assert proposal.held == ()


@pytest.mark.parametrize(
    ("change", "rules", "rail"),
    [
        ({"ceiling": 2.1}, Guardrails(), Guardrail.CEILING),
        ({"days_unchanged": 3}, Guardrails(), Guardrail.FREQUENCY),
        ({"elasticity": -4.0, "minimum_advertised": 1.9}, Guardrails(), Guardrail.MAP),
        ({"elasticity": -4.0, "cost": 1.2}, Guardrails(margin=0.38), Guardrail.FLOOR),
        ({"elasticity": -4.0, "stock": 110.0}, Guardrails(), Guardrail.STOCK),
        ({"elasticity": -4.0, "lowest_30_days": 1.7}, Guardrails(), Guardrail.LOWEST_30_DAYS),
        ({"elasticity": -3.0, "error": 1.0}, FREE, Guardrail.UNSURE),
    ],
)
def test_each_guardrail_holds_and_says_so(change: dict[str, Any], rules: Guardrails, rail: Guardrail) -> None:
    assert rail in propose(replace(MILK, **change), rules).held


@given(
    price=st.floats(0.3, 50),
    cost=st.floats(0.2, 40),
    elasticity=st.floats(-6, 1),
    error=st.floats(0, 1.5),
    lowest=st.floats(0.2, 1.0),
    days=st.integers(0, 40),
    stock=st.none() | st.floats(0, 300),
    ceiling=st.none() | st.floats(0.3, 60),
    advertised=st.none() | st.floats(0.2, 40),
)
def test_a_moved_price_breaks_no_rule(
    price: float, cost: float, elasticity: float, error: float, lowest: float, days: int,
    stock: float | None, ceiling: float | None, advertised: float | None,
) -> None:  # fmt: skip
    rules = Guardrails()
    product = Priced(
        round(price, 2),
        cost,
        100.0,
        elasticity,
        error,
        max(0.01, round(price * lowest, 2)),
        days,
        stock,
        advertised,
        ceiling,
    )
    proposal = propose(product, rules)
    new = proposal.price
    assert new == pytest.approx(product.price, rel=rules.step + 1e-6, abs=0.011)
    if new == product.price:
        return
    assert days >= rules.days
    assert proposal.least_gain >= 0
    assert new * (1 - rules.margin) >= cost - 0.01
    assert ceiling is None or new <= ceiling + 0.01
    assert advertised is None or new >= advertised - 0.01
    if new < product.price - 0.005:
        assert new < product.lowest_30_days
        assert stock is None or 100 * (new / product.price) ** elasticity <= stock


@pytest.mark.parametrize("change", [{"price": 0.0}, {"cost": float("nan")}, {"error": -1.0}])
def test_what_is_no_price_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        propose(replace(MILK, **change))
