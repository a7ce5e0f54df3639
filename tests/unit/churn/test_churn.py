"""Churn features know nothing of their own future; refusals name the check; calibration calibrates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import calibration, checks
from mercato_models.churn.days import DAY
from mercato_models.churn.distillation import soften
from mercato_models.churn.features import baskets, features, labels
from tests.unit.churn.visits import START, visits

L = BASKET_LINES.c


def history(seed: int = 0) -> pd.DataFrame:
    return baskets(visits(seed), START)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 50), as_of=st.integers(60, 190))
def test_later_baskets_change_no_feature(seed: int, as_of: int) -> None:
    whole = history(seed)
    altered = whole[(whole[DAY] < as_of) | (whole[L.basket_id] % 2 == 0)].copy()
    altered.loc[altered[DAY] >= as_of, L.sales_value] *= 100
    pd.testing.assert_frame_equal(features(whole, as_of), features(altered, as_of))


def test_the_label_is_no_basket_from_the_day_on_for_28_days() -> None:
    made = pd.DataFrame({L.household_id: [1, 2, 3], DAY: [100.0, 127.9, 128.0]})
    assert labels(made, pd.Index([1, 2, 3, 4]), 100).tolist() == [0, 0, 1, 1]


def test_refusals_name_the_check_and_the_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, np.inf, 2.0], "b": [np.nan] * 3, "label": [1.0] * 3})
    with pytest.raises(checks.CheckError, match="missing columns: c; 3 rows"):
        checks.check_columns(frame, ["a", "c"])
    with pytest.raises(checks.CheckError, match="empty slice"):
        checks.check_columns(frame[:0], ["a"])
    with pytest.raises(checks.CheckError, match="constant label: all 3 rows have label = 1"):
        checks.check_not_constant(frame["label"])
    with pytest.raises(checks.CheckError, match=r"infinite features: 1 of 3 rows \(1\)"):
        checks.check_missing_or_infinite(frame, ["a"])
    with pytest.raises(checks.CheckError, match="NaN flood in b"):
        checks.check_missing_or_infinite(frame, ["b"])
    rare = pd.DataFrame({"c": [1.0] * 6 + [np.nan] * 94})
    with pytest.raises(checks.CheckError, match=r"NaN flood in c, known in 6\.0% of the rows: 94 of 100"):
        checks.check_missing_or_infinite(rare, ["c"])
    with pytest.raises(checks.CheckError, match=r"unknown c: 94 of 100 rows \(6, 7"):
        checks.check_known(rare, ["c"])
    times = pd.Series([START, START + pd.Timedelta(days=2)], name="basket_time")
    with pytest.raises(checks.CheckError, match=r"future timestamps in basket_time.* 1 of 2 rows \(1\)"):
        checks.check_not_future(times, START + pd.Timedelta(days=1))


def test_calibration_undoes_a_known_distortion() -> None:
    generator = np.random.default_rng(0)
    true = generator.uniform(0.02, 0.6, 20_000)
    outcomes = (generator.random(len(true)) < true).astype(np.float32)
    distorted = (true**2).astype(np.float32)
    found = calibration.fit(distorted, outcomes)
    before, after = (calibration.expected_error(outcomes, p) for p in (distorted, found(distorted)))
    assert before > 0.1
    assert after < 0.02


def test_softened_labels_lie_between_the_label_and_what_the_features_say() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(2000, 3)).astype(np.float32)
    rows[::10, 1] = np.nan
    likely = 1 / (1 + np.exp(2 - 2 * rows[:, 0]))
    labels = (generator.random(2000) < likely).astype(np.float32)
    softened = soften(rows, labels, 0.5, 0)
    assert ((softened >= labels / 2) & (softened <= (1 + labels) / 2)).all()
    assert softened.mean() == pytest.approx(labels.mean(), abs=0.01)
    # What is half the teacher's word tells the true risk better than the label does.
    assert np.abs(softened - likely).mean() < np.abs(labels - likely).mean()
    taught = 2 * softened - labels
    assert np.corrcoef(taught, likely)[0, 1] > 0.9


def test_labels_that_are_all_the_same_are_not_softened() -> None:
    labels = np.ones(20, np.float32)
    assert soften(np.zeros((20, 2), np.float32), labels, 0.5, 0).tolist() == labels.tolist()
