"""Ratios between groups, and the gate on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

from mercato_models import checks, demographics
from mercato_models.fairness import FLAGGED, FOUND, NO, TOO_FEW, UNSURE, YES, Measure, Ratio, ratios, verdict
from mercato_models.recommend import fairness as of_lists

PEOPLE = 400


def judged(share_of_second: float) -> list[Ratio]:
    """Two groups of one size: all positives of the first are flagged, a share of those of the second."""
    label = np.tile([1, 0], PEOPLE // 2)
    group = np.repeat(["a", "b"], PEOPLE // 2)
    flagged = label.copy()
    of_second = np.flatnonzero((group == "b") & (label == 1))
    flagged[of_second[int(len(of_second) * share_of_second) :]] = 0
    attributes = pd.DataFrame({"age": group})
    attributes.loc[0, "age"] = "few"
    return ratios(label, flagged, attributes, np.arange(PEOPLE), resamples=40)


def found(share_of_second: float) -> Ratio:
    return next(ratio for ratio in judged(share_of_second) if ratio.measure == FOUND)


@pytest.mark.parametrize(("share", "reached"), [(1.0, YES), (0.5, NO), (0.8, UNSURE), (0.0, TOO_FEW)])
def test_the_least_ratio_is_judged_by_its_interval(share: float, reached: str) -> None:
    ratio = found(share)
    assert ratio.least is not None
    assert ratio.least.estimate == pytest.approx(share, abs=0.02)
    assert ratio.reached == reached


def test_groups_too_small_are_named_and_not_judged() -> None:
    ratio = found(1.0)
    assert ratio.judged == ("a", "b")
    assert ratio.small == ("few",)


def test_a_model_that_surely_overlooks_a_group_is_refused_and_says_which() -> None:
    refused = verdict(judged(0.5))
    assert not refused.passes
    assert "unfair by age, share of positives flagged: least ratio 0.5" in refused.reasons[0]
    assert verdict(judged(0.8)).passes


def test_shares_flagged_alone_refuse_nothing() -> None:
    """A group of whom twice as many leave is flagged twice as often, and rightly so."""
    label = np.concatenate([np.tile([1, 0], 100), np.tile([1, 0, 0, 0], 50)])
    groups = pd.DataFrame({"income": np.repeat(["low", "high"], 200)})
    rows = ratios(label, label, groups, np.arange(400), resamples=40)
    assert next(ratio for ratio in rows if ratio.measure == FLAGGED).reached == NO
    assert verdict(rows).passes


@pytest.mark.parametrize(("hits_of_second", "reached"), [(4, YES), (2, NO)])
def test_lists_are_judged_by_what_they_hold_of_a_groups_baskets(hits_of_second: int, reached: str) -> None:
    """Baskets of five products, of which the lists hold four, or fewer in the second group."""
    hits = [4] * 100 + [hits_of_second] * 100
    lists = [[*range(held), *range(90, 96)] for held in hits]
    groups = pd.DataFrame({"age": np.repeat(["a", "b"], 100)})
    found = of_lists.ratios(lists, [set(range(5))] * 200, groups)
    recall, ndcg = found
    assert (recall.measure, recall.reached) == (of_lists.RECALL, reached)
    assert recall.least is not None
    assert recall.least.estimate == pytest.approx(hits_of_second / 4)
    assert ndcg.measure == of_lists.NDCG
    refused = of_lists.verdict(found)
    assert refused.passes == (reached == YES)
    assert not any(of_lists.NDCG in reason for reason in refused.reasons)


def test_lists_of_unknown_people_are_not_compared() -> None:
    assert of_lists.ratios([[1]], [{1}], None) == []


def test_bands_come_from_the_channel_and_only_where_it_has_them(tmp_path: Path) -> None:
    households = pd.Series([3, 1, 1, 9])
    assert demographics.groups(tmp_path, households) is None
    people = pd.DataFrame(
        {
            demographics.HOUSEHOLD: [1, 3],
            demographics.AGE: ["25-34", "65+"],
            demographics.INCOME: ["250K+", None],
            demographics.SIZE: ["1", "5+"],
        }
    )
    demographics.write(tmp_path, people)
    bands = demographics.groups(tmp_path, households)
    assert bands is not None
    assert bands[demographics.AGE].fillna("").tolist() == ["55 and above", "under 35", "under 35", ""]
    assert bands[demographics.INCOME].isna().tolist() == [True, False, False, True]
    with pytest.raises(checks.CheckError, match="missing columns: income"):
        demographics.write(tmp_path, people.drop(columns=demographics.INCOME))


@pytest.mark.parametrize("seed", range(5))
def test_draws_are_reckoned_as_fairlearn_reckons(seed: int) -> None:
    generator = np.random.default_rng(seed)
    label, flagged = generator.integers(0, 2, (2, PEOPLE))
    group, weights = generator.integers(0, 3, PEOPLE), generator.integers(0, 4, PEOPLE).astype(np.float64)
    for metric, counted in ((selection_rate, np.ones(PEOPLE)), (true_positive_rate, label)):
        frame = MetricFrame(
            metrics=metric,
            y_true=label,
            y_pred=flagged,
            sensitive_features=group,
            sample_params={"sample_weight": weights},
        )
        assert Measure(metric, flagged, counted).least_ratio(group, weights) == pytest.approx(frame.ratio())
