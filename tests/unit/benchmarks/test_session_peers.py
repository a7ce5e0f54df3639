"""Session recommenders score as their papers' formulas do, written out session by session."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import recommend_sessions
from benchmarks.recommend_sessions import TOLD, opened
from benchmarks.session_peers import Sessions, together, vmis_knn
from mercato.contracts.tables.gold import BASKET_LINES

L = BASKET_LINES.c
PRODUCTS = [100 + 10 * number for number in range(9)]
#: Products of each session by its hour; the newest comes last.
SESSIONS = [
    set(np.random.default_rng(hour).choice(PRODUCTS, 2 + hour % 4, replace=False).tolist())
    for hour in range(24)
]
BEFORE = 20
SHOWN = [110, 170, 130]


def table(baskets: list[tuple[int, int, set[int]]]) -> pa.Table:
    """Lines of baskets given as household, hour and products; basket ids fall as time goes on."""
    rows = [(of, 1000 - hour, hour, item) for of, hour, items in baskets for item in sorted(items)]
    household, basket, hour, item = np.array(rows).T
    times = hour.astype("datetime64[h]").astype("datetime64[us]")
    names = (L.household_id, L.basket_id, L.basket_time, L.product_id)
    return pa.table(dict(zip(names, (household, basket, times, item), strict=True)))


@pytest.fixture(scope="module")
def known() -> Sessions:
    return Sessions.of(table([(1, hour, items) for hour, items in enumerate(SESSIONS)]))


@pytest.mark.parametrize("rarity", [True, False])
@pytest.mark.parametrize(("recent", "neighbours"), [(4, 3), (6, 6), (100, 5)])
def test_vmis_knn_is_the_papers_sum(known: Sessions, recent: int, neighbours: int, rarity: bool) -> None:
    past = SESSIONS[:BEFORE]
    sharing = [hour for hour, items in enumerate(past) if items & set(SHOWN)][-recent:]
    decay = {item: (place + 1) / len(SHOWN) for place, item in enumerate(SHOWN)}
    alike = {hour: sum(decay[item] for item in SHOWN if item in past[hour]) for hour in sharing}
    nearest = sorted(sharing, key=lambda hour: (round(-alike[hour], 9), -hour))[:neighbours]
    expected = dict.fromkeys(PRODUCTS, 0.0)
    for hour in nearest:
        from_the_end = next(back for back, item in enumerate(SHOWN[::-1], 1) if item in past[hour])
        for item in past[hour]:
            held = sum(item in other for other in past)
            weight = math.log(len(past) / held) if rarity else 1
            expected[item] += alike[hour] * (1 - 0.1 * from_the_end) * weight
    before = known.before(np.datetime64(BEFORE, "h"))
    shown = known.places(np.array(SHOWN))
    found = vmis_knn(known, shown, before, recent=recent, neighbours=neighbours, rarity=rarity)
    assert any(expected.values())
    assert found == pytest.approx([expected[item] for item in known.products.tolist()])


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_co_occurrence_is_the_share_of_sessions(known: Sessions, damping: float) -> None:
    past = SESSIONS[:BEFORE]
    expected = dict.fromkeys(PRODUCTS, 0.0)
    for shown in SHOWN:
        holders = [items for items in past if shown in items]
        for item in PRODUCTS:
            both = sum(item in items for items in holders)
            if both:
                expected[item] += both / len(holders) / sum(item in items for items in past) ** damping
    found = together(known, known.places(np.array(SHOWN)), BEFORE, damping=damping)
    assert found == pytest.approx([expected[item] for item in known.products.tolist()])


def test_an_unknown_product_leads_nowhere(known: Sessions) -> None:
    nowhere = known.places(np.array([105]))
    assert not together(known, nowhere, BEFORE, damping=0.0).any()
    assert not vmis_knn(known, nowhere, BEFORE, recent=5, neighbours=5, rarity=True).any()


def test_baskets_are_opened_in_an_order_of_their_own_which_is_always_the_same() -> None:
    large = set(PRODUCTS)
    lines = table([(1, 3, large), (2, 4, large), (3, 5, set(PRODUCTS[: max(TOLD)]))])
    found = opened(lines)
    assert found == opened(lines)
    assert sorted(found) == [1, 2]  # the third is told whole
    assert found[1].products != found[2].products
    assert not all(one < other for one, other in pairwise(found[1].products))
    assert found[1].rest(2) == large - set(found[1].products[:2])


def test_what_was_told_is_not_listed(known: Sessions) -> None:
    asked = opened(table([(1, BEFORE, set(PRODUCTS[:6]))]))
    listed = recommend_sessions.lists(together, known, asked, 2, {"damping": 0.0})[1]
    assert listed
    assert not set(listed) & set(asked[1].products[:2])
