"""How much an amount that is unusual for its customer speaks for a leaked card, learned from known frauds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

from mercato_models.arrays import Floats, Mask
from mercato_models.artifact import ModelError
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments

_FILE = "surprise.json"
_BINS = 60
_MAX_GAIN = 1e4
#: From which likelihood ratio on an amount alone makes a fraud plain.
_PLAIN = 10.0
_MIN_RATIO = 1e-3
#: Least different fraud amounts to learn from; with fewer, no amount counts as surprising.
_MIN_FRAUDS = 2
#: Of a leaked card's payments, those that are frauds, where nothing tells.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class AmountLikelihood:
    """Likelihood ratio of an amount, fraud with a leaked card over honest, by its ratio to the usual amount.

    Attributes:
        log_ratio: knots, ascending.
        gain: likelihood ratio at each; straight between them.
        share: of a leaked card's payments, those that are frauds.
    """

    log_ratio: list[float]
    gain: list[float]
    share: float

    def of(self, ratio: Floats) -> Floats:
        """Likelihood ratio of amounts, 0 where the usual amount is unknown."""
        gain = np.interp(np.log(np.maximum(ratio, _MIN_RATIO)), self.log_ratio, self.gain)
        return np.where(np.isfinite(ratio), gain, 0.0)

    def save(self, folder: Path) -> None:
        """Write it into a model folder: features for that model are made with it."""
        folder.mkdir(parents=True, exist_ok=True)
        path(folder).write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> AmountLikelihood:
        """Read it from a model folder.

        Raises:
            ModelError: it is missing or broken.
        """
        try:
            return cls(**json.loads(path(folder).read_text()))
        except (OSError, ValueError, TypeError) as error:
            message = f"{folder} holds no {_FILE} ({error}): sagemaker/fraud/train.py makes it"
            raise ModelError(message) from error


def path(folder: Path) -> Path:
    """Where a model folder holds it."""
    return folder / _FILE


def learn(payments: Payments, ratio: Floats, known: Mask) -> AmountLikelihood:
    """Learn from payments whose labels are known.

    Frauds at compromised terminals have honest amounts. What share of all frauds they are shows at the
    smallest ratios, where leaked cards leave no trace; the rest of the frauds are those of leaked cards.
    """
    usable = known & np.isfinite(ratio)
    log_ratio, fraud = np.log(np.maximum(ratio[usable], _MIN_RATIO)), payments.fraud[usable]
    if len(np.unique(log_ratio[fraud])) < _MIN_FRAUDS:
        return AmountLikelihood([0.0], [0.0], _SHARE)
    edges = np.unique(np.quantile(log_ratio[fraud], np.linspace(0, 1, _BINS)))
    inner = edges[1:-1]
    counts = [np.bincount(np.searchsorted(inner, log_ratio[of]), minlength=len(inner) + 1) + 0.5
              for of in (fraud, ~fraud)]  # fmt: skip
    densities = [count / count.sum() for count in counts]
    rising = isotonic_regression(densities[0] / densities[1], weights=counts[0]).x
    explained = rising[0]
    gain = np.clip((rising - explained) / max(1 - explained, 1e-6), 0, _MAX_GAIN)
    knots = np.concatenate([inner[:1], (inner[1:] + inner[:-1]) / 2, inner[-1:]])
    likelihood = AmountLikelihood(knots.tolist(), gain.tolist(), _SHARE)
    return AmountLikelihood(
        likelihood.log_ratio, likelihood.gain, _share(payments, known, likelihood.of(ratio) > _PLAIN)
    )


def _share(payments: Payments, known: Mask, plain: Mask) -> float:
    """Share of frauds among payments between plain frauds of the same customer that lie near each other."""
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(payments.customer[rows], kind="stable")]
    ends = np.flatnonzero(payments.fraud[rows] & plain[rows])
    first, second = ends[:-1], ends[1:]
    near = payments.customer[rows[first]] == payments.customer[rows[second]]
    near &= payments.second[rows[second]] - payments.second[rows[first]] < LABEL_DELAY
    frauds = np.concatenate([[0], np.cumsum(payments.fraud[rows])])
    # A gap counts its closing fraud, but not the opening one, which every burst has once too often.
    inside, struck = (second - first)[near].sum(), (frauds[second + 1] - frauds[first + 1])[near].sum()
    return float(np.clip(struck / inside, 0.01, 0.99)) if inside else _SHARE
