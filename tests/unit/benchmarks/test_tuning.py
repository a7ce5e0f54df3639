"""Peers get the best of their settings, wherever in the grid it lies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.tuning import climb

VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=8, unique=True).map(
    lambda some: tuple(sorted(some))
)


@given(first=VALUES, second=VALUES, peak=st.tuples(st.integers(-60, 60), st.integers(-60, 60)))
def test_the_top_of_a_single_hill_is_found(
    first: tuple[int, ...], second: tuple[int, ...], peak: tuple[int, int]
) -> None:
    tried: list[tuple[int, int]] = []

    def height(setting: dict[str, int]) -> float:
        tried.append((setting["first"], setting["second"]))
        return -float((setting["first"] - peak[0]) ** 2 + (setting["second"] - peak[1]) ** 2)

    setting, reached = climb({"first": first, "second": second}, height, "a hill")
    assert reached == max(height({"first": x, "second": y}) for x in first for y in second)
    assert reached == height(setting)


def test_no_setting_is_tried_twice_and_a_peer_without_any_is_judged_once() -> None:
    tried: list[dict[str, int]] = []

    def judge(setting: dict[str, int]) -> float:
        tried.append(setting)
        return 1.0

    assert climb({"one": (1, 2, 3), "two": (1, 2)}, judge, "flat") == ({"one": 2, "two": 2}, 1.0)
    assert len({tuple(each.items()) for each in tried}) == len(tried)
    tried.clear()
    assert climb({}, judge, "nothing to set") == ({}, 1.0)
    assert tried == [{}]
