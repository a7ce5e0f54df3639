"""Ratios between groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.fairness import ratios

PEOPLE = 400


def judged(share_of_second: float) -> dict[str, object]:
    """Two groups of one size: all positives of the first are flagged, a share of those of the second."""
    label = np.tile([1, 0], PEOPLE // 2)
    group = np.repeat(["a", "b"], PEOPLE // 2)
    flagged = label.copy()
    of_second = np.flatnonzero((group == "b") & (label == 1))
    flagged[of_second[int(len(of_second) * share_of_second) :]] = 0
    attributes = pd.DataFrame({"age": group})
    attributes.loc[0, "age"] = "few"
    rows = ratios(label, flagged, attributes, np.arange(PEOPLE), resamples=40)
    return dict(next(row for row in rows if row["measure"] == "share of positives flagged"))


@pytest.mark.parametrize(("share", "reached"), [(1.0, "yes"), (0.5, "no"), (0.8, "unsure")])
def test_the_least_ratio_is_judged_by_its_interval(share: float, reached: str) -> None:
    row = judged(share)
    assert row["least ratio"] == pytest.approx(share, abs=0.02)
    assert row["0.8 reached"] == reached


def test_groups_too_small_are_named_and_not_judged() -> None:
    row = judged(1.0)
    assert row["groups judged"] == "a, b"
    assert row["too small to judge"] == "few"
