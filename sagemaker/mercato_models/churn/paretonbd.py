"""The older peer from marketing science: buying by a Poisson process until a customer leaves at any time.

Schmittlein, Morrison and Colombo, "Counting Your Customers: Who Are They and What Will They Do Next?",
Management Science 33(1), 1987 (Pareto/NBD). The rates of buying and of leaving differ by gamma distributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from mercato_models.arrays import Floats
from mercato_models.churn.bgnbd import Summary

_LEGENDRE = np.polynomial.legendre.leggauss(48)
#: Of an integral from 0 to 1.
_NODES, _WEIGHTS = (_LEGENDRE[0] + 1) / 2, _LEGENDRE[1] / 2


@dataclass(frozen=True, slots=True)
class ParetoNbd:
    """Parameters as the paper names them: r, alpha of the rate of buying, s, beta of the rate of leaving."""

    r: float
    alpha: float
    s: float
    beta: float

    def silence(self, known: Summary, weeks: float) -> Floats:
        """Probability of no purchase in the next `weeks`."""
        until = weeks * _NODES
        leaves = self.s / (self.beta + known.age[:, None] + until) * self._stays(known, until)
        leaves_first = weeks * (self._waits(known, until) * leaves) @ _WEIGHTS
        end = np.array([weeks])
        waits_throughout = (self._waits(known, end) * self._stays(known, end))[:, 0]
        return 1 - self.alive(known) * (1 - leaves_first - waits_throughout)

    def purchases(self, known: Summary, weeks: float) -> Floats:
        """Expected purchases in the next `weeks`."""
        until = weeks * _NODES
        rate = (self.r + known.repeats) / (self.alpha + known.age)
        return self.alive(known) * rate * weeks * (self._stays(known, until) @ _WEIGHTS)

    def alive(self, known: Summary) -> Floats:
        """Probability that a customer has not left."""
        alive, gone = self._parts(known)
        return 1 / (1 + np.exp(gone - alive))

    def log_likelihood(self, known: Summary) -> float:
        """Sum over customers."""
        r, s = self.r, self.s
        common = gammaln(r + known.repeats) - gammaln(r) + r * np.log(self.alpha) + s * np.log(self.beta)
        return float((common + np.logaddexp(*self._parts(known))).sum())

    def _waits(self, known: Summary, weeks: Floats) -> Floats:
        """Probability that whoever has not left would buy nothing in `weeks` by staying; customer x weeks."""
        since = self.alpha + known.age[:, None]
        return np.asarray((since / (since + weeks)) ** (self.r + known.repeats[:, None]))

    def _stays(self, known: Summary, weeks: Floats) -> Floats:
        """Probability that whoever has not left stays for `weeks`; customer x weeks."""
        since = self.beta + known.age[:, None]
        return np.asarray((since / (since + weeks)) ** self.s)

    def _parts(self, known: Summary) -> tuple[Floats, Floats]:
        """Logarithms of the likelihood's two parts: stayed until now, left at some time since `last`.

        The second is the integral of s (alpha + t)^-(r + x) (beta + t)^-(s + 1). With
        ((alpha + last) / (alpha + t))^(r + s + x) for variable, what is left of it is smooth.
        """
        power = self.r + self.s + known.repeats
        start, end = self.alpha + known.last, self.alpha + known.age
        alive = -(power - self.s) * np.log(end) - self.s * np.log(self.beta + known.age)
        width = -np.expm1(power * np.log(start / end))
        variable = 1 - width[:, None] * _NODES
        time = start[:, None] * variable ** (-1 / power[:, None])
        smooth = (time / (time - self.alpha + self.beta)) ** (self.s + 1) @ _WEIGHTS
        gone = np.log(self.s / power) - power * np.log(start) + np.log(width * smooth)
        return alive, gone


def fit(known: Summary) -> ParetoNbd:
    """Maximum likelihood; every customer's last purchase must lie before the as-of day.

    Raises:
        ValueError: it does not converge.
    """

    def cost(logs: Floats) -> float:
        return -ParetoNbd(*np.exp(logs)).log_likelihood(known) / len(known.age)

    result = minimize(cost, np.zeros(4), method="L-BFGS-B", bounds=[(-8.0, 8.0)] * 4)
    if not result.success:
        raise ValueError(f"Pareto/NBD over {len(known.age)} customers does not converge: {result.message}")
    return ParetoNbd(*np.exp(result.x).tolist())
