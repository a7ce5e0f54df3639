from __future__ import annotations

from collections import Counter
from datetime import timedelta
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.recommend.channels import CONTEXTS, TEST, TRAIN
from mercato_models.recommend.protocol import MIN_BASKETS, MIN_LINES, contexts, cut
from tests.unit.recommend.world import NOW

L, C = BASKET_LINES.c, CONTEXTS.c


def lines(seed: int) -> list[dict[str, Any]]:
    generator = np.random.default_rng(seed)
    return [
        {
            **dict.fromkeys(L, 0),
            L.household_id: household,
            L.basket_id: place,  # each household counts its own
            L.basket_seq: place,
            L.product_id: int(product),
            L.basket_time: NOW + timedelta(days=place),
        }
        for household in range(1, 30)
        for place in range(1, int(generator.integers(2, 9)))
        for product in np.unique(generator.zipf(1.4, 5) % 50)
    ]


def by_the_book(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], set[int]]:
    """The protocol's steps in plain Python: history lines, test households."""
    newest = {
        row[L.household_id]: row[L.basket_seq] for row in sorted(rows, key=lambda row: row[L.basket_seq])
    }
    kept = [row for row in rows if row[L.basket_seq] < newest[row[L.household_id]]]
    while True:
        before = len(kept)
        baskets = Counter(household for household, _ in {(r[L.household_id], r[L.basket_id]) for r in kept})
        kept = [row for row in kept if baskets[row[L.household_id]] >= MIN_BASKETS]
        sold = Counter(row[L.product_id] for row in kept)
        kept = [row for row in kept if sold[row[L.product_id]] >= MIN_LINES]
        if len(kept) == before:
            return kept, {row[L.household_id] for row in kept}


@pytest.mark.parametrize("seed", range(6))
def test_the_cut_is_the_protocols(seed: int) -> None:
    rows = lines(seed)
    history, households = by_the_book(rows)
    divided = cut(pa.Table.from_pylist(rows, BASKET_LINES.arrow_schema))
    key = itemgetter(*BASKET_LINES.key)
    assert [*map(key, divided.history.to_pylist())] == [*map(key, history)]
    assert set(divided.test[L.household_id].to_pylist()) == households


def test_contexts_hold_whole_baskets_and_no_test_basket_is_trained_on() -> None:
    divided = cut(pa.Table.from_pylist(lines(0), BASKET_LINES.arrow_schema))
    rows = contexts(divided, targets=2).to_pylist()
    tests = {row[C.household_id]: row for row in rows if row[C.split] == TEST}
    trained = Counter(row[C.household_id] for row in rows if row[C.split] == TRAIN)
    assert set(tests) == set(trained)
    assert set(trained.values()) <= {1, 2}
    for row in rows:
        assert row[C.split] == TEST or row[C.event_timestamp] < tests[row[C.household_id]][C.event_timestamp]
    truth = Counter(len(row[C.truth]) for row in tests.values())
    assert sum(size * count for size, count in truth.items()) == divided.test.num_rows


def test_who_left_years_ago_is_neither_learned_from_nor_predicted() -> None:
    rows, left = lines(0), {1, 2, 3}
    for row in rows:
        if row[L.household_id] in left:
            row[L.basket_time] -= timedelta(weeks=60)
    divided = cut(pa.Table.from_pylist(rows, BASKET_LINES.arrow_schema))
    assert left & set(divided.history[L.household_id].to_pylist()), "their baskets are history"
    found = set(contexts(divided, targets=2)[C.household_id].to_pylist())
    assert found == set(divided.test[L.household_id].to_pylist()) - left


def test_too_little_leaves_nothing() -> None:
    divided = cut(pa.Table.from_pylist(lines(0)[:6], BASKET_LINES.arrow_schema))
    assert (divided.history.num_rows, divided.test.num_rows) == (0, 0)
