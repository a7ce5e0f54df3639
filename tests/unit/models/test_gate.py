"""What a gate says of a figure on the wrong side of its bar."""

from __future__ import annotations

import pytest

from mercato_models.churn import evaluation
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
    refused = evaluation.verdict(gains | {"calibration_error": error})
    said = "calibration error is 0.0412, it must stay below 0.0300"
    assert refused.reasons == (() if error < evaluation.MAX_ERROR else (said,))
