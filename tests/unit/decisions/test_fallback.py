"""Popular products where nothing personal can be said."""

from __future__ import annotations

from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.fallback import SENTENCES, Popular, Reason, popular_in_store

LISTS = {ALL_STORES: Popular([1, 2, 3, 4], [9.0, 8.0, 7.0, 6.0]), 367: Popular([3, 5], [4.0, 2.0])}


def test_the_store_first_then_all_stores() -> None:
    items, store = popular_in_store(LISTS, 367, n=4, hidden=())
    assert store == 367
    assert [(item.product_id, item.rank) for item in items] == [(3, 1), (5, 2), (1, 3), (2, 4)]
    assert [item.why[0].text for item in items[1:3]] == ["Popular in store 367", "Popular in all stores"]


def test_unknown_store_and_hidden_products() -> None:
    items, store = popular_in_store(LISTS, 999, n=2, hidden={1})
    assert store == ALL_STORES
    assert [item.product_id for item in items] == [2, 3]


def test_nothing_known_at_all() -> None:
    assert popular_in_store({}, None, n=5, hidden=()) == ([], ALL_STORES)


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
