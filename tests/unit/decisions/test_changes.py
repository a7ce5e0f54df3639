"""What changed between two lists, and the sentence that says so."""

from __future__ import annotations

from mercato.decisions.changes import Cause, Changes, compare
from mercato.decisions.recommend import Item, Why

NAMES = {1: "Bananas", 2: "Milk", 3: "Eggs", 4: "White bread", 5: "Sugar"}


def _list(*product_ids: int, because: dict[int, int] | None = None) -> list[Item]:
    because = because or {}
    items = []
    for rank, product_id in enumerate(product_ids, 1):
        partner = because.get(product_id)
        why = [Why("popular", "Popular in store 3")]
        if partner:
            why.append(Why("goes_with_cart", f"Often bought with {NAMES[partner].lower()} in your cart"))
        items.append(Item(product_id, rank, 1.0, (), tuple(why), because_of=partner))
    return items


def _compare(before: list[Item], after: list[Item], cause: Cause | None = None) -> Changes:
    return compare(before, after, cause, NAMES.__getitem__)


def test_same_list() -> None:
    changes = _compare(_list(1, 2), _list(1, 2), Cause("view", 1))
    assert changes.entered == changes.left == changes.moved_up == changes.moved_down == ()
    assert changes.summary == "You viewed bananas. The list stays as it was."


def test_sliding_into_a_gap_is_no_move() -> None:
    changes = _compare(_list(1, 2, 3), _list(2, 3, 4))
    assert [move.product_id for move in changes.left] == [1]
    assert [move.product_id for move in changes.entered] == [4]
    assert changes.moved_up == changes.moved_down == ()


def test_moves_both_ways() -> None:
    changes = _compare(_list(1, 2, 3), _list(3, 1, 2))
    assert [(m.product_id, m.before, m.after) for m in changes.moved_up] == [(3, 3, 1)]
    assert [m.product_id for m in changes.moved_down] == [1, 2]


def test_pushed_down_by_a_newcomer_is_no_move() -> None:
    changes = _compare(_list(1, 2), _list(4, 1, 2))
    assert changes.moved_up == changes.moved_down == ()


def test_the_click_and_what_it_brought_are_named() -> None:
    after = _list(2, 5, 4, because={4: 1})
    changes = _compare(_list(1, 2, 3), after, Cause("add_to_cart", 1))
    assert changes.summary == (
        "You added bananas. 2 items came in, 1 item left. "
        "White bread is now 3rd: often bought with bananas in your cart."
    )


def test_a_change_is_not_blamed_on_another_product_than_the_clicked_one() -> None:
    changes = _compare(_list(1, 2), _list(4, 1, because={4: 2}), Cause("view", 5))
    assert changes.summary.endswith("White bread is now 1st: popular in store 3.")


def test_actions_without_a_product() -> None:
    assert _compare(_list(1), _list(1), Cause("checkout", None)).summary.startswith("You checked out.")
    assert _compare(_list(1), _list(2), None).summary.startswith("1 item came in")
