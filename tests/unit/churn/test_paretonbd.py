"""Pareto/NBD finds the parameters of a world that it describes, and predicts its purchases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1

from mercato_models.churn.bgnbd import Summary
from mercato_models.churn.paretonbd import ParetoNbd, fit

#: What Fader, Hardie and Lee (2005) report for the CDNOW customers.
CDNOW = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)
WEEKS, AHEAD = 78.0, 39.0
#: x, t_x and T of customers, from one who never came back to one who comes twice a week.
KNOWN = Summary(
    np.array([0.0, 1.0, 3.0, 26.0, 150.0, 150.0]),
    np.array([0.0, 2.0, 30.0, 30.9, 20.0, 77.8]),
    np.array([38.9, 10.0, 31.0, 31.0, 78.0, 78.0]),
)


def world(customers: int) -> tuple[Summary, np.ndarray]:
    """Customers as the model has them: what is known after WEEKS, and purchases in the next AHEAD."""
    generator = np.random.default_rng(0)
    rates = generator.gamma(CDNOW.r, 1 / CDNOW.alpha, customers)
    leaves = generator.exponential(1 / generator.gamma(CDNOW.s, 1 / CDNOW.beta, customers))
    repeats, last, later = (np.zeros(customers) for _ in range(3))
    for customer, (rate, until) in enumerate(zip(rates, np.minimum(leaves, WEEKS + AHEAD), strict=True)):
        times = np.sort(generator.uniform(0, until, generator.poisson(rate * until)))
        past = times[times < WEEKS]
        repeats[customer], later[customer] = len(past), len(times) - len(past)
        last[customer] = past[-1] if len(past) else 0.0
    return Summary(repeats, last, np.full(customers, WEEKS)), later


def test_parameters_purchases_and_silences_of_a_world_like_the_papers() -> None:
    known, later = world(20_000)
    found = fit(known)
    assert found.r == pytest.approx(CDNOW.r, rel=0.05)
    assert found.r / found.alpha == pytest.approx(CDNOW.r / CDNOW.alpha, rel=0.05)
    assert found.s / found.beta == pytest.approx(CDNOW.s / CDNOW.beta, rel=0.15)
    silence, purchases = found.silence(known, AHEAD), found.purchases(known, AHEAD)
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1)):
        told = (silence > low) & (silence <= high)
        assert (later[told] == 0).mean() == pytest.approx(silence[told].mean(), abs=0.03)
        assert later[told].mean() == pytest.approx(purchases[told].mean(), rel=0.1)


@pytest.mark.parametrize("beta", [2.0, CDNOW.beta, 60.0])
def test_the_likelihood_is_the_papers(beta: float) -> None:
    made = ParetoNbd(CDNOW.r, CDNOW.alpha, CDNOW.s, beta)
    r, alpha, s = made.r, made.alpha, made.s
    # The closed form by Gauss's hypergeometric function, expanded about the larger of alpha and beta.
    larger, second = max(alpha, beta), s + 1 if alpha >= beta else r + KNOWN.repeats
    power = r + s + KNOWN.repeats

    def term(time: np.ndarray) -> np.ndarray:
        bent = hyp2f1(power, second, power + 1, abs(alpha - beta) / (larger + time))
        return np.asarray(np.log(bent) - power * np.log(larger + time))

    until, since = term(KNOWN.age), term(KNOWN.last)
    gone = np.log(s / power) + since + np.log(-np.expm1(until - since))
    alive = -(r + KNOWN.repeats) * np.log(alpha + KNOWN.age) - s * np.log(beta + KNOWN.age)
    common = gammaln(r + KNOWN.repeats) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    assert made.log_likelihood(KNOWN) == pytest.approx((common + np.logaddexp(alive, gone)).sum(), rel=1e-7)
    assert made.alive(KNOWN) == pytest.approx(1 / (1 + np.exp(gone - alive)), rel=1e-6)


def test_purchases_are_the_papers() -> None:
    r, alpha, s, beta = CDNOW.r, CDNOW.alpha, CDNOW.s, CDNOW.beta
    since = beta + KNOWN.age
    closed = (r + KNOWN.repeats) * since / ((alpha + KNOWN.age) * (s - 1))
    closed *= 1 - (since / (since + AHEAD)) ** (s - 1)
    assert CDNOW.purchases(KNOWN, AHEAD) == pytest.approx(closed * CDNOW.alive(KNOWN), rel=1e-9)


def test_silence_is_that_of_each_pair_of_rates() -> None:
    """The rates of a customer who has not left follow gamma distributions again; averaged over both."""
    customer = 2
    one = Summary(*(column[[customer]] for column in (KNOWN.repeats, KNOWN.last, KNOWN.age)))
    generator, draws, weeks = np.random.default_rng(0), 400_000, 4.0
    buys = generator.gamma(CDNOW.r + one.repeats, 1 / (CDNOW.alpha + one.age), draws)
    leaves = generator.gamma(CDNOW.s, 1 / (CDNOW.beta + one.age), draws)
    silent = (leaves + buys * np.exp(-(buys + leaves) * weeks)) / (buys + leaves)
    alive = CDNOW.alive(one)
    assert CDNOW.silence(one, weeks) == pytest.approx(1 - alive * (1 - silent.mean()), abs=1e-3)


def test_who_bought_just_now_has_not_left() -> None:
    often = Summary(np.full(2, 150.0), np.array([77.99, 60.0]), np.full(2, 78.0))
    alive = CDNOW.alive(often)
    assert alive[0] > 0.99
    assert alive[1] < 1e-6
