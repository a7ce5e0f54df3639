"""What raised a score, and what drives a model."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb

from mercato_models.artifact import Model
from mercato_models.reasons import EXPLAINED, contributions, drivers, reasons

FEATURES = ("little", "much", "never")


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(size=(2_000, 3)).astype(np.float32)
    data = xgb.DMatrix(rows, rows[:, 1] + 0.3 * rows[:, 0], feature_names=list(FEATURES))
    return Model(xgb.train({"max_depth": 3, "nthread": 1}, data, 20), FEATURES, "1")


def test_a_reason_raised_the_score_and_the_strongest_comes_first(model: Model) -> None:
    rows = np.array([[1, 2, 0], [1, -2, 0]], np.float32)
    both, one = reasons(model, rows, k=2)
    assert [reason.feature for reason in both] == ["much", "little"]
    assert [reason.value for reason in both] == [2, 1]
    assert [reason.feature for reason in one] == ["little"]
    values = contributions(model, rows)
    assert [reason.contribution for reason in both] == [values[0, 1], values[0, 0]]


def test_some_of_many_rows_tell_what_all_of_them_would(model: Model) -> None:
    """Those in front are no more like the rest than those of a table in order are."""
    rows = np.random.default_rng(1).normal(size=(10 * EXPLAINED, 3)).astype(np.float32)
    rows = rows[np.argsort(rows[:, 1])]
    of_all = np.abs(contributions(model, rows)).mean(axis=0)
    found = drivers(model, rows)
    assert list(found) == ["much", "little", "never"]
    assert [found[name] for name in FEATURES] == pytest.approx(of_all, rel=0.05, abs=0.01)
    assert found == drivers(model, rows)
