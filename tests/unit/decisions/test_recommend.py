"""Order, what is hidden, and the evidence that is looked up."""

from __future__ import annotations

import numpy as np

from mercato.contracts.durations import DAY_SECONDS
from mercato.decisions.evidence import EvidenceFor, Purchases, Store
from mercato.decisions.recommend import Evidence, Item, recommend

NAMES = {1: "Bananas", 2: "Milk", 3: "White bread", 4: "Eggs"}
NEIGHBOURS = {1: ([2, 4], [0.4, 0.2]), 3: ([2], [0.9])}
NOW = 100 * DAY_SECONDS


def _recommend(scores: list[float], n: int = 10, hidden: tuple[int, ...] = ()) -> list[Item]:
    return recommend(
        np.arange(1, len(scores) + 1),
        np.array(scores),
        n=n,
        hidden=hidden,
        sources=lambda position: (f"source {position}",),
        evidence=lambda product_id: Evidence(times_bought=product_id),
    )


def _evidence(
    cart: tuple[int, ...] = (), viewed: tuple[int, ...] = (), latest: int | None = None
) -> EvidenceFor:
    baskets = Purchases(
        times=np.array([80 * DAY_SECONDS, 90 * DAY_SECONDS, 98 * DAY_SECONDS]),
        sizes=np.array([2, 1, 2]),
        products=np.array([1, 2, 1, 1, 3]),
    )
    store = Store(367, promotions={4: ("1", "D")}, popular_ranks={2: 1})
    return EvidenceFor(
        baskets,
        NOW,
        cart=cart,
        viewed=viewed,
        latest=latest,
        store=store,
        neighbours=lambda product_id: NEIGHBOURS.get(product_id, ((), ())),
        name=NAMES.__getitem__,
    )


def test_best_score_first_ties_by_product_and_nan_last() -> None:
    items = _recommend([0.1, float("nan"), 0.7, 0.7])
    assert [item.product_id for item in items] == [3, 4, 1, 2]
    assert [item.rank for item in items] == [1, 2, 3, 4]
    assert items[0].sources == ("source 2",)


def test_hidden_products_make_room_for_the_next() -> None:
    items = _recommend([4.0, 3.0, 2.0, 1.0], n=2, hidden=(1, 3))
    assert [(item.product_id, item.rank) for item in items] == [(2, 1), (4, 2)]


def test_evidence_is_asked_only_for_what_is_shown() -> None:
    asked: list[int] = []

    def evidence(product_id: int) -> Evidence:
        asked.append(product_id)
        return Evidence()

    recommend(np.arange(500), np.arange(500.0), n=3, hidden=(), sources=lambda _: (), evidence=evidence)
    assert asked == [499, 498, 497]


def test_own_purchases() -> None:
    known = _evidence()(1)
    assert (known.times_bought, known.mean_gap_days, known.days_since) == (3, 9.0, 2.0)
    assert _evidence()(3).times_bought == 1
    assert _evidence()(3).mean_gap_days is None


def test_the_cart_explains_before_what_was_viewed() -> None:
    assert _evidence(viewed=(3,))(2).partner_name == "White bread"
    both = _evidence(cart=(1,), viewed=(3,))(2)
    assert (both.partner_name, both.partner_in_cart) == ("Bananas", True)


def test_the_latest_click_explains_before_the_rest_of_the_session() -> None:
    newest = _evidence(cart=(1,), viewed=(3,), latest=3)(2)
    assert (newest.partner_name, newest.partner_in_cart) == ("White bread", False)
    taken_out = _evidence(cart=(1,), latest=3)(2)
    assert taken_out.partner_name == "Bananas"


def test_promotions_and_popularity_of_the_store() -> None:
    assert (_evidence()(4).mailer, _evidence()(4).display, _evidence()(2).popular_rank) == ("D", "1", 1)


def test_a_product_never_bought_names_its_usual_companion() -> None:
    known = _evidence()(4)
    assert known.usual_partner_name is None  # nothing points from eggs to what is bought
    assert known.days_since is None
