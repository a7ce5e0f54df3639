"""Ratios between groups, and the gate on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercato_models import checks, demographics
from mercato_models.fairness import (
    ALARMED,
    FLAGGED,
    FOUND,
    NO,
    TOO_FEW,
    UNSURE,
    YES,
    Ratio,
    ratios,
    verdict,
)
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
    return ratios(label, flagged, attributes, np.arange(PEOPLE))


def found(share_of_second: float) -> Ratio:
    return next(ratio for ratio in judged(share_of_second) if ratio.measure == FOUND)


@pytest.mark.parametrize(("share", "reached"), [(1.0, YES), (0.5, NO), (0.8, UNSURE), (0.0, NO)])
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
    assert "b against a, among a, b; 0.8 reached: no" in refused.reasons[0]
    assert verdict(judged(0.8)).passes


@pytest.mark.parametrize(("sizes", "rate"), [((20, 20, 20), 0.15), ((46, 20, 20), 0.35)])
def test_a_model_that_finds_three_small_groups_alike_is_hardly_ever_refused(
    sizes: tuple[int, ...], rate: float
) -> None:
    draws = np.random.default_rng(0).binomial(sizes, rate, (40, 3))
    made = [of_positives(*zip(sizes, found, strict=True)) for found in draws.tolist()]
    assert np.mean([ratio.reached == NO for ratio in made]) <= 0.05
    assert np.mean([ratio.least is None or ratio.least.high == 1 for ratio in made]) >= 0.9


def test_three_large_groups_found_alike_reach_the_gate_surely() -> None:
    assert of_positives((1000, 500), (1000, 510), (1000, 490)).reached == YES


def of_positives(*groups: tuple[int, int], households: int = 1_000_000) -> Ratio:
    """Groups of so many positives, of which so many are found; each `households` rows are one household's."""
    label = np.ones(sum(size for size, _ in groups))
    flagged = np.concatenate([np.arange(size) < found for size, found in groups]).astype(int)
    names = np.repeat([f"{number}" for number in range(len(groups))], [size for size, _ in groups])
    units = np.arange(len(label)) % households
    made = ratios(label, flagged, pd.DataFrame({"income": names}), units)
    return next(ratio for ratio in made if ratio.measure == FOUND)


def test_a_model_that_finds_nobody_of_a_large_group_is_refused() -> None:
    label = np.tile([1, 0], 5_000)
    groups = pd.DataFrame({"age": np.repeat(["a", "b"], 5_000)})
    flagged = label * (groups["age"] == "a").to_numpy(int)
    refused = verdict(ratios(label, flagged, groups, np.arange(10_000)))
    assert "unfair by age, share of positives flagged: least ratio 0.00 (0.00 to 0.00)" in refused.reasons[0]


@pytest.mark.parametrize(
    ("groups", "reached"),
    [
        (((28, 0), (39, 1)), TOO_FEW),  # churn's income bands
        (((28, 0), (39, 20)), NO),
        (((20, 0), (20, 5)), TOO_FEW),
        (((500, 0), (500, 0)), TOO_FEW),
        (((500, 0), (500, 0), (500, 400)), NO),
    ],
)
def test_a_group_of_whom_none_is_found_is_judged_by_its_size(
    groups: tuple[tuple[int, int], ...], reached: str
) -> None:
    ratio = of_positives(*groups)
    assert ratio.reached == reached
    assert verdict([ratio]).passes == (reached == TOO_FEW)


def test_rows_of_one_household_do_not_make_a_group_large() -> None:
    assert of_positives((60, 0), (60, 60)).reached == NO
    assert of_positives((60, 0), (60, 60), households=3).reached == TOO_FEW


def test_the_rate_of_each_group_stands_beside_the_ratio() -> None:
    """Of 200 rows each, half of them positives; `few` has a single one."""
    ratio = found(0.5)
    assert [(group.name, group.rows) for group in ratio.groups] == [("a", 99), ("b", 100), ("few", 1)]
    everyone, half, _ = (group.rate for group in ratio.groups)
    # By Clopper and Pearson: the share of which all of 99 are found once in forty times.
    assert (everyone.estimate, everyone.high) == (1, 1)
    assert everyone.low**99 == pytest.approx(0.025)
    assert half.estimate == pytest.approx(0.5)
    assert 0.35 < half.low < 0.45 < 0.55 < half.high < 0.65
    assert ratio.by_group.startswith(f"a 1.000 ({everyone.low:.3f} to 1.000) of 99; b 0.500 (")


def test_alarms_are_compared_where_they_are_asked_for() -> None:
    label = np.tile([1, 0, 0, 0], 100)
    groups = pd.DataFrame({"age": np.repeat(["a", "b"], 200)})
    flagged = label.copy()
    flagged[np.flatnonzero((label == 0) & (groups["age"] == "b"))[::3]] = 1
    flagged[np.flatnonzero((label == 0) & (groups["age"] == "a"))[::30]] = 1
    made = ratios(label, flagged, groups, np.arange(400), measured=(FOUND, ALARMED))
    assert [(ratio.measure, ratio.reached) for ratio in made] == [(FOUND, YES), (ALARMED, NO)]
    assert [group.rate.estimate for group in made[1].groups] == pytest.approx([1 / 30, 1 / 3])
    assert verdict(made).passes
    assert not verdict(made, ALARMED).passes


def test_shares_flagged_alone_refuse_nothing() -> None:
    """A group of whom twice as many leave is flagged twice as often, and rightly so."""
    label = np.concatenate([np.tile([1, 0], 100), np.tile([1, 0, 0, 0], 50)])
    groups = pd.DataFrame({"income": np.repeat(["low", "high"], 200)})
    rows = ratios(label, label, groups, np.arange(400))
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
    assert demographics.groups(tmp_path, households, "churn") is None
    people = pd.DataFrame(
        {
            demographics.HOUSEHOLD: [1, 3],
            demographics.AGE: ["25-34", "65+"],
            demographics.INCOME: ["250K+", None],
            demographics.SIZE: ["1", "5+"],
        }
    )
    demographics.write(tmp_path, people)
    bands = demographics.groups(tmp_path, households, "churn")
    assert bands is not None
    assert bands[demographics.AGE].fillna("").tolist() == ["55 and above", "under 35", "under 35", ""]
    assert bands[demographics.INCOME].isna().tolist() == [True, False, False, True]
    with pytest.raises(checks.CheckError, match="missing columns: income"):
        demographics.write(tmp_path, people.drop(columns=demographics.INCOME))
