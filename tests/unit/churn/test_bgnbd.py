"""BG/NBD finds the parameters of a world that it describes, and predicts its silences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.bgnbd import BgNbd, Summary, fit, summary
from mercato_models.churn.days import DAY

#: What the paper found for the CDNOW customers.
CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
WEEKS, AHEAD = 78.0, 39.0


def world(customers: int) -> tuple[Summary, np.ndarray]:
    """Customers as the model says they are: what is known after WEEKS, and who buys in the next AHEAD."""
    generator = np.random.default_rng(0)
    repeats, last, returns = np.zeros(customers), np.zeros(customers), np.zeros(customers, bool)
    rates = generator.gamma(CDNOW.r, 1 / CDNOW.alpha, customers)
    drops = generator.beta(CDNOW.a, CDNOW.b, customers)
    for customer, (rate, drop) in enumerate(zip(rates, drops, strict=True)):
        time = generator.exponential(1 / rate)
        while time < WEEKS + AHEAD:
            if time >= WEEKS:
                returns[customer] = True
                break
            repeats[customer] += 1
            last[customer] = time
            if generator.random() < drop:
                break
            time += generator.exponential(1 / rate)
    return Summary(repeats, last, np.full(customers, WEEKS)), returns


def test_parameters_and_silences_of_a_world_like_the_papers() -> None:
    known, returns = world(20_000)
    found = fit(known)
    assert found.r == pytest.approx(CDNOW.r, rel=0.05)
    assert found.alpha == pytest.approx(CDNOW.alpha, rel=0.1)
    assert found.a / found.b == pytest.approx(CDNOW.a / CDNOW.b, rel=0.1)
    silence = found.silence(known, AHEAD)
    for low, high in ((0, 0.5), (0.5, 0.9), (0.9, 1)):
        told = (silence > low) & (silence <= high)
        assert 1 - returns[told].mean() == pytest.approx(silence[told].mean(), abs=0.03)


def test_the_likelihood_is_the_papers() -> None:
    r, alpha, a, b = CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b
    never = (alpha / (alpha + 10)) ** r
    # Two repeats, the last in week 6 of 10; the gamma and beta functions of small whole steps are products.
    came = r * (r + 1) * alpha**r
    stays = b * (b + 1) / ((a + b) * (a + b + 1)) / (alpha + 10) ** (r + 2)
    left = a * b / ((a + b) * (a + b + 1)) / (alpha + 6) ** (r + 2)
    for repeats, last, expected in ((0, 0, never), (2, 6, came * (stays + left))):
        known = Summary(np.array([repeats]), np.array([last]), np.full(1, 10.0))
        assert CDNOW.log_likelihood(known) == pytest.approx(np.log(expected))


def test_a_summary_counts_days_and_reads_nothing_from_the_day_on() -> None:
    household = BASKET_LINES.c.household_id
    history = pd.DataFrame({household: [1, 1, 1, 1, 2], DAY: [0.2, 7.1, 7.9, 21.0, 30.0]})
    assert list(summary(history, 21).loc[1]) == [1.0, 1.0, 3.0]
    assert 2 not in summary(history, 21).index
