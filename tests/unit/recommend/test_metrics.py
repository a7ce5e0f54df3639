from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato_models.recommend.baselines import Popularity, personal
from mercato_models.recommend.metrics import ndcg, order, quality, recall, reciprocal_rank
from tests.unit.recommend import world


def test_recall_counts_all_of_the_truth() -> None:
    assert recall([1, 2, 3], {1, 3, 50, 60}) == 0.5


def test_only_the_first_ten_count() -> None:
    assert recall(list(range(20)), {9, 10}) == 0.5
    assert ndcg([*range(10), 99], {99}) == 0


def test_the_ideal_sum_goes_over_all_of_the_truth() -> None:
    truth = set(range(12))
    gained = sum(1 / math.log2(rank + 1) for rank in range(1, 11))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, 13))
    assert ndcg(list(range(10)), truth) == pytest.approx(gained / ideal)


def test_a_hit_counts_less_further_down() -> None:
    assert ndcg([1, 2, 3], {3}) == pytest.approx(1 / math.log2(4))


def test_the_first_hit_alone_has_a_reciprocal_rank() -> None:
    assert reciprocal_rank([7, 3, 4, 9], {9, 4}) == pytest.approx(1 / 3)
    assert reciprocal_rank([*range(10), 99], {99}) == 0


@given(st.sets(st.integers(0, 40), min_size=1), st.permutations(range(41)))
def test_both_stay_between_zero_and_one(truth: set[int], ranked: list[int]) -> None:
    assert 0 <= recall(ranked, truth) <= 1
    assert 0 <= ndcg(ranked, truth) <= 1


def test_ties_go_to_the_smaller_product() -> None:
    assert order(np.array([1.0, 2.0, 1.0]), np.array([9, 8, 7])).tolist() == [1, 2, 0]


def test_the_interval_holds_the_mean() -> None:
    judged = quality([[1], [2], [3], [4]] * 20, [{1}, {2}, {9}, {4, 5}] * 20)
    assert judged.recall == pytest.approx(0.625)
    assert judged.recall_interval[0] < judged.recall < judged.recall_interval[1]
    assert judged.households == 80


@pytest.mark.parametrize("truths", [[], [set()]])
def test_nothing_to_judge_is_an_error(truths: list[set[int]]) -> None:
    with pytest.raises(ValueError, match="at least one true product"):
        quality([[1]] * len(truths), truths)


def test_own_products_first_then_popular_ones_each_once() -> None:
    past = world.history((9, 1, [4, 5, 6]), (3, 1, [6]))
    others = [world.history((1, 1, [8, 6]), (2, 1, [8]), (3, 1, [8, 5])), past]
    popularity = Popularity.of(others)
    assert popularity.top(3) == [6, 8, 5]
    assert personal(past, popularity, n=4) == [6, 5, 4, 8]
