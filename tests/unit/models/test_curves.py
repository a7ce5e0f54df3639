"""Areas under the curves against scikit-learn's, and weights against rows that are repeated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from mercato_models.curves import Curve

Row = tuple[int, int, int]
#: Few distinct scores, so that many are equal; label, score and how often the row comes.
rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=60)


def columns(given_rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    label, score, times = (np.array(column) for column in zip(*given_rows, strict=True))
    return label.astype(np.float32), score.astype(np.float32), times.astype(np.float64)


@given(rows)
def test_both_areas_are_those_of_scikit_learn(given_rows: list[Row]) -> None:
    label, score, times = columns(given_rows)
    kept = label[times > 0]
    if len(set(kept.tolist())) < 2:
        return
    curve = Curve(label, score)
    assert curve.auc(times) == pytest.approx(roc_auc_score(label, score, sample_weight=times))
    expected = average_precision_score(label, score, sample_weight=times)
    assert curve.average_precision(times) == pytest.approx(expected)


@given(rows)
def test_a_weight_is_a_row_that_comes_so_often(given_rows: list[Row]) -> None:
    label, score, times = columns(given_rows)
    repeated = np.repeat(np.arange(len(label)), times.astype(int))
    if not len(repeated):
        return
    weighted, copied = Curve(label, score), Curve(label[repeated], score[repeated])
    assert weighted.auc(times) == pytest.approx(copied.auc(), nan_ok=True)
    assert weighted.average_precision(times) == pytest.approx(copied.average_precision(), nan_ok=True)


def test_a_single_class_has_no_area() -> None:
    score = np.array([0.1, 0.9], np.float32)
    assert math.isnan(Curve(np.zeros(2, np.float32), score).auc())
    assert math.isnan(Curve(np.zeros(2, np.float32), score).average_precision())
    assert math.isnan(Curve(np.ones(2, np.float32), score).auc())
