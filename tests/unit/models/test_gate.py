"""What a gate says of a figure on the wrong side of its bar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercato_models.churn import evaluation
from mercato_models.churn.channels import HOUSEHOLD
from mercato_models.churn.features import AS_OF, LABEL
from mercato_models.gate import Verdict, above, below


def test_a_figure_must_be_on_the_right_side_of_its_bar() -> None:
    assert above("gain", 0.1, 0).passes
    assert above("gain", 0, 0).reasons == ("gain is 0.0000, it must exceed 0.0000",)
    assert below("error", 0.02, 0.03).passes
    assert below("error", 0.03, 0.03).reasons == ("error is 0.0300, it must stay below 0.0300",)
    assert (Verdict() + below("error", 1, 0)).reasons == below("error", 1, 0).reasons


@pytest.mark.parametrize("error", [0.01, 0.0412])
def test_a_churn_model_that_is_not_calibrated_is_told_its_error(error: float) -> None:
    gains = {f"gain_over_{evaluation.RECENCY}_{name}_low": 0.1 for name in ("auc", "average_precision")}
    refused = evaluation.verdict(gains | {"calibration_error": error, evaluation.EXPECTED: 1.0})
    said = "calibration error is 0.0412, it must stay below 0.0300"
    assert refused.reasons == (() if error < evaluation.MAX_ERROR else (said,))


def judged(factor: float) -> pd.DataFrame:
    """Households of whom a tenth leave, with as many times the probability that they do."""
    generator = np.random.default_rng(0)
    chance = generator.beta(0.45, 4.55, 4_000)
    columns = {
        AS_OF: np.arange(4_000) % 2,
        HOUSEHOLD: np.arange(4_000) // 2,
        LABEL: (generator.random(4_000) < chance).astype(int),
        evaluation.PROBABILITY: factor * chance,
        evaluation.RECENCY: generator.random(4_000),
    }
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1, ""),
        (0.7, "leavers expected to observed is 0.7357, it must exceed 0.8333"),
        (1.2, "leavers expected to observed is 1.2612, it must stay below 1.2000"),
    ],
)
def test_a_churn_model_whose_probabilities_are_too_low_or_high_in_sum_is_refused(
    factor: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calibration error alone lets them pass: the probabilities themselves are small."""
    monkeypatch.setattr(evaluation, "RESAMPLES", 50)
    figures = evaluation.metrics(judged(factor))
    assert figures["calibration_error"] < evaluation.MAX_ERROR
    assert figures[f"{evaluation.EXPECTED}_low"] < figures[evaluation.EXPECTED]
    assert "; ".join(evaluation.verdict(figures).reasons) == said
