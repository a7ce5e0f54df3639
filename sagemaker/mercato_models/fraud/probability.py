"""From a fraud model's scores to probabilities that come true as often as they say.

A model that saw each fraud of its past is too sure of the next one: where decisions are made, scores were 1.3
times the share of frauds. Costs are weighed by the probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mercato_models import calibration
from mercato_models.arrays import Floats, Floats32, Ints, Mask
from mercato_models.calibration import Calibration
from mercato_models.intervals import Interval, bootstrap

#: Probability from which a payment is suspicious: of the others hardly one is decided on otherwise.
SUSPICIOUS = 0.01


def learn(scores: Sequence[Floats32], frauds: Sequence[Mask]) -> Calibration:
    """Of scores of payments that no model had learned from, by fold."""
    return calibration.fit(np.concatenate(scores), np.concatenate(frauds).astype(np.float32))


def by_fold(scores: Sequence[Floats32], frauds: Sequence[Mask]) -> list[Floats32]:
    """Each fold's probabilities by the folds before it; the first fold's are its scores."""
    return [
        learn(scores[:number], frauds[:number])(score) if number else score
        for number, score in enumerate(scores)
    ]


def found_of_expected(probability: Floats32, fraud: Mask, customer: Ints) -> Interval:
    """Frauds among suspicious payments over their expected number, 1 if probabilities are right.

    Raises:
        ValueError: no payment is suspicious.
    """
    suspicious = probability >= SUSPICIOUS
    expected, found = probability[suspicious].astype(np.float64), fraud[suspicious].astype(np.float64)

    def ratio(weights: Floats) -> float:
        return float(weights @ found / total) if (total := weights @ expected) else float("nan")

    return bootstrap(customer[suspicious], ratio)
