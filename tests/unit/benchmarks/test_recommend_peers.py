"""The peers score as their papers' formulas do, written out product by product."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from benchmarks import recommend_peers as peers
from benchmarks.recommend_peers import Baskets, Peer
from mercato.contracts.tables.gold import BASKET_LINES

L = BASKET_LINES.c
HOUSEHOLDS, PRODUCTS = 12, 9
#: Baskets of each household, oldest first.
LIVES = {
    household: [
        np.random.default_rng([household, number]).choice(
            PRODUCTS, 1 + (household + number) % 4, replace=False
        )
        for number in range(3 + household % 7)
    ]
    for household in range(HOUSEHOLDS)
}


#: When each basket was, and when the next one is, days since 1970.
DAYS = {
    household: np.cumsum(np.random.default_rng(household).integers(1, 20, len(life) + 1)).tolist()
    for household, life in LIVES.items()
}


def table(rows: list[tuple[int, int, int, int]]) -> pa.Table:
    household, number, item, day = np.array(rows).T
    times = day.astype("datetime64[D]").astype("datetime64[us]")
    names = (L.household_id, L.basket_seq, L.product_id, L.basket_time)
    return pa.table(dict(zip(names, (household, number, item, times), strict=True)))


def baskets_of() -> Baskets:
    lines = [
        (household, number + 1, int(item), DAYS[household][number])
        for household, life in LIVES.items()
        for number, basket in enumerate(life)
        for item in basket
    ]
    wanted = [(household, len(life) + 1, 0, DAYS[household][-1]) for household, life in LIVES.items()]
    return Baskets.of(table(lines), table(wanted))


def scored(peer: Peer, **setting: Any) -> NDArray[np.float64]:
    baskets = baskets_of()
    found = np.zeros((HOUSEHOLDS, PRODUCTS))
    for rows, scores in peer(baskets, **setting):
        found[rows.start : rows.stop, baskets.products] = scores
    return found


def test_up_cf_is_the_papers_sum() -> None:
    recent, alpha, power = 3, 0.25, 5
    expected = np.zeros((HOUSEHOLDS, PRODUCTS))
    bought = {each: {int(item) for basket in life for item in basket} for each, life in LIVES.items()}
    for u in LIVES:
        for v, life in LIVES.items():
            shared = len(bought[u] & bought[v])
            alike = shared / (len(bought[u]) ** alpha * len(bought[v]) ** (1 - alpha))
            newest = life[-recent:]
            for basket in newest:
                for item in basket:
                    expected[u, item] += alike**power / min(recent, len(life))
    assert np.allclose(scored(peers.up_cf, recent=recent, asymmetry=alpha, locality=power), expected)


def _vector(life: list[Any], group: int, within: float, between: float) -> NDArray[np.float64]:
    groups = math.ceil(len(life) / group)
    first = len(life) - group * (groups - 1)
    parts = [life[:first], *(life[first + group * n : first + group * (n + 1)] for n in range(groups - 1))]
    vector = np.zeros(PRODUCTS)
    for number, part in enumerate(parts):
        for place, basket in enumerate(part):
            decay = within ** (len(part) - 1 - place) / len(part)
            vector[basket] += decay * between ** (groups - 1 - number) / groups
    return vector


def test_tifu_knn_is_the_papers_sum() -> None:
    group, within, between, neighbours, own = 2, 0.9, 0.7, 3, 0.6
    vectors = np.array([_vector(life, group, within, between) for life in LIVES.values()])
    expected = np.zeros_like(vectors)
    for u in range(HOUSEHOLDS):
        apart = np.linalg.norm(vectors - vectors[u], axis=1)
        apart[u] = np.inf
        nearest = np.argsort(apart)[:neighbours]
        expected[u] = own * vectors[u] + (1 - own) * vectors[nearest].mean(axis=0)
    found = scored(
        peers.tifu_knn, group=group, within=within, between=between, neighbours=neighbours, own=own
    )
    assert np.allclose(found, expected)


def test_item_neighbours_are_the_most_alike() -> None:
    bought = np.zeros((HOUSEHOLDS, PRODUCTS))
    counts = np.zeros((HOUSEHOLDS, PRODUCTS))
    for household, life in LIVES.items():
        for basket in life:
            counts[household, basket] += 1
            bought[household, basket] = 1
    unit = bought / np.linalg.norm(bought, axis=0)
    alike = unit.T @ unit
    for row in alike:
        row[np.argsort(-row)[4:]] = 0
    assert np.allclose(scored(peers.item_neighbours, neighbours=4), counts @ alike.T)


def test_slrc_adds_up_what_each_purchase_excites() -> None:
    half_life, rhythm, everyone, prior = 5.0, 0.4, 0.5, 10.0
    bought: dict[int, list[tuple[int, int]]] = {item: [] for item in range(PRODUCTS)}
    for household, life in LIVES.items():
        for number, basket in enumerate(life):
            for item in basket:
                bought[int(item)].append((household, DAYS[household][number]))
    gaps = {
        item: [
            after - before
            for (one, before), (other, after) in itertools.pairwise(sorted(purchases))
            if one == other
        ]
        for item, purchases in bought.items()
    }
    every = [gap for some in gaps.values() for gap in some]
    purchases = sum(map(len, bought.values()))
    expected = np.zeros((HOUSEHOLDS, PRODUCTS))
    for item, some in gaps.items():
        mean = (sum(some) + prior * statistics.fmean(every)) / (len(some) + prior)
        squares = sum((gap - mean) ** 2 for gap in some)
        spread = math.sqrt((squares + prior * statistics.pvariance(every)) / (len(some) + prior))
        excites = (len(some) + prior * len(every) / purchases) / (len(bought[item]) + prior)
        expected[:, item] = everyone * len(bought[item]) / purchases
        for household, day in bought[item]:
            since = DAYS[household][-1] - day
            short = math.log(2) / half_life * 0.5 ** (since / half_life)
            long = statistics.NormalDist(mean, spread).pdf(since)
            expected[household, item] += excites * ((1 - rhythm) * short + rhythm * long)
    found = scored(peers.slrc, half_life=half_life, rhythm=rhythm, everyone=everyone)
    assert np.allclose(found, expected)


@pytest.mark.parametrize("peer", [peers.personal, peers.personal_then_popular])
def test_lists_hold_the_best_first_and_ties_by_product(peer: Peer) -> None:
    baskets = baskets_of()
    listed = peers.lists(baskets, peer(baskets))
    scores = scored(peer)
    for household, products in listed.items():
        positive = [item for item in range(PRODUCTS) if scores[household, item] > 0]
        assert products == sorted(positive, key=lambda item: (-scores[household, item], item))[:10]


def test_a_history_holds_the_newest_baskets_alone() -> None:
    many = [(1, number, number, number) for number in range(1, 61)]
    baskets = Baskets.of(table(many), table([(1, 61, 1, 70)]))
    assert sorted(baskets.products[baskets.product].tolist()) == list(range(11, 61))
    assert baskets.held.tolist() == [50]
