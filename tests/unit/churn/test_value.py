"""Gamma-Gamma finds the parameters of a world that it describes; what it predicts is spent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.days import DAY
from mercato_models.churn.value import GammaGamma, expected_spend, fit

L = BASKET_LINES.c
#: What Fader and Hardie (2013) report for the CDNOW customers.
CDNOW = GammaGamma(p=6.25, q=3.74, gamma=15.44)
START, AHEAD = 200.0, 100.0


def test_parameters_of_a_world_like_the_papers() -> None:
    generator, customers = np.random.default_rng(0), 20_000
    visits = generator.geometric(0.3, customers).astype(float)
    scale = 1 / generator.gamma(CDNOW.q, 1 / CDNOW.gamma, customers)
    found = fit(visits, generator.gamma(CDNOW.p * visits, scale / visits))
    assert found.p == pytest.approx(CDNOW.p, rel=0.05)
    assert found.q == pytest.approx(CDNOW.q, rel=0.05)
    assert found.gamma == pytest.approx(CDNOW.gamma, rel=0.05)


@pytest.mark.parametrize(("visits", "average"), [(1.0, 5.0), (3.0, 60.0)])
def test_likelihood_and_mean_are_integrals_over_what_is_not_known(visits: float, average: float) -> None:
    def joint(rate: float) -> float:
        seen = gamma.pdf(average, CDNOW.p * visits, scale=1 / (rate * visits))
        return float(seen * gamma.pdf(rate, CDNOW.q, scale=1 / CDNOW.gamma))

    likelihood = quad(joint, 0, 5, points=[0.1, 0.5])[0]
    count, mean = np.array([visits]), np.array([average])
    assert CDNOW.log_likelihood(count, mean) == pytest.approx(np.log(likelihood))
    expected = quad(lambda rate: CDNOW.p / rate * joint(rate), 0, 5, points=[0.1, 0.5])[0] / likelihood
    assert CDNOW.mean(count, mean)[0] == pytest.approx(expected, rel=1e-6)


def shop(households: int) -> pd.DataFrame:
    """Baskets of households that come and spend at rates of their own until they leave."""
    generator = np.random.default_rng(1)
    made = []
    for household in range(households):
        gap, mean = 1 / generator.gamma(3, 0.05), generator.lognormal(3, 0.6)
        end = min(START + AHEAD, generator.exponential(400))
        days = np.cumsum(generator.exponential(gap, 300))
        days = days[days < end]
        spend = generator.gamma(4, mean / 4, len(days))
        made.append(pd.DataFrame({L.household_id: household, DAY: days, L.sales_value: spend}))
    return pd.concat(made, ignore_index=True)


def test_what_is_predicted_is_spent() -> None:
    history = shop(1500)
    told = expected_spend(history, START, AHEAD)
    later = history[history[DAY] >= START].groupby(L.household_id)[L.sales_value].sum()
    spent = later.reindex(told.index, fill_value=0.0)
    assert told.sum() == pytest.approx(spent.sum(), rel=0.1)
    fifths = np.argsort(np.argsort(told.to_numpy())) * 5 // len(told)
    for fifth in range(1, 5):
        chosen = fifths == fifth
        assert told[chosen].mean() == pytest.approx(spent[chosen].mean(), rel=0.25)


def test_nothing_from_the_day_on_is_read() -> None:
    history = shop(200)
    later = history.assign(**{L.sales_value: history[L.sales_value].where(history[DAY] < START, 1e6)})
    pd.testing.assert_series_equal(expected_spend(history, START), expected_spend(later, START))
    past = history[history[DAY] < START]
    pd.testing.assert_series_equal(expected_spend(history, START), expected_spend(past, START))
