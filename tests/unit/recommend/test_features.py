from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from mercato.contracts.tables.features import (
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_TRENDS,
    RETURN_BASKETS,
    RETURN_TIMES,
    STORE_PROMOTIONS,
)
from mercato_models.recommend.candidates import SOURCES, candidates
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.features import FEATURES, build
from mercato_models.recommend.habits import HABITS, habits
from mercato_models.recommend.history import History
from mercato_models.recommend.returns import RETURNS, Returns
from tests.unit.recommend import world
from tests.unit.recommend.world import NOW, PRODUCTS, STORE


def features_of(context: Context, catalogue: Catalogue) -> dict[int, dict[str, float]]:
    found = candidates(context, catalogue)
    matrix = build(context, catalogue, found)
    assert matrix.shape == (len(found.rows), len(FEATURES))
    assert matrix.dtype == np.float32
    ids = catalogue.product_ids[found.rows].tolist()
    return {
        product: dict(zip(FEATURES, row.tolist(), strict=True))
        for product, row in zip(ids, matrix, strict=True)
    }


@pytest.mark.parametrize("seed", range(8))
def test_habits_are_what_a_loop_over_the_baskets_says(seed: int) -> None:
    context, catalogue = world.random_context(seed), world.catalogue()
    past, now = context.history, NOW.timestamp()
    found = habits(past, catalogue.rows(past.products), now, STORE)
    bounds = np.concatenate([[0], np.cumsum(past.basket_sizes)])
    for row, values in zip(found.rows, found.values, strict=True):
        said = dict(zip(HABITS, values.tolist(), strict=True))
        product = catalogue.product_ids[row]
        held = [b for b in range(past.baskets) if product in past.products[bounds[b] : bounds[b + 1]]]
        ages = [(now - past.basket_times[b]) / 86_400 for b in held]
        assert said["own_count"] == len(held)
        assert said["own_decayed_30d"] == pytest.approx(sum(0.5 ** (age / 30) for age in ages), rel=1e-4)
        ago = [past.baskets - 1 - b for b in held]
        assert said["own_decayed_3b"] == pytest.approx(sum(0.5 ** (a / 3) for a in ago), rel=1e-4)
        assert said["own_share_last_6"] == pytest.approx(sum(a < 6 for a in ago) / 6, rel=1e-4)
        assert said["own_days_since_last"] == pytest.approx(min(ages), rel=1e-4)
        assert said["own_same_store"] == pytest.approx(
            np.mean([past.basket_stores[b] == STORE for b in held]), rel=1e-4
        )
        gaps = -np.diff(ages)
        if len(gaps):
            assert said["own_mean_gap_days"] == pytest.approx(gaps.mean(), rel=1e-3)
            assert said["own_gap_deviation_days"] == pytest.approx(gaps.std(), rel=1e-2, abs=0.02)
        else:
            assert math.isnan(said["own_mean_gap_days"])


@pytest.mark.parametrize("seed", range(4))
def test_a_habit_with_a_type_is_that_with_its_products_taken_for_one(seed: int) -> None:
    context, catalogue = world.random_context(seed), world.catalogue()
    past = context.history
    first = {product: PRODUCTS[i - i % world.OF_A_TYPE] for i, product in enumerate(PRODUCTS)}
    bounds = np.concatenate([[0], np.cumsum(past.basket_sizes)])
    baskets = [
        sorted({first[product] for product in past.products[start:end].tolist()})
        for start, end in itertools.pairwise(bounds)
    ]
    lines = [product for basket in baskets for product in basket]
    merged = History.of(
        past.basket_times,
        past.basket_stores,
        list(map(len, baskets)),
        lines,
        [1] * len(lines),
        [1] * len(lines),
    )
    as_one = habits(merged, catalogue.rows(merged.products), context.time, STORE)
    rows = features_of(context, catalogue)
    bought = {first[product] for product in past.products.tolist()}
    for product, row in rows.items():
        if product >= PRODUCTS[36]:
            assert math.isnan(row["type_decayed_30d"])  # it has no type
        elif first[product] not in bought:
            assert math.isnan(row["type_decayed_30d"])
        else:
            (expected,) = as_one.of(catalogue.rows([first[product]]))
            for name in ("decayed_30d", "share_last_6", "days_since_last"):
                assert row[f"type_{name}"] == expected[HABITS.index(f"own_{name}")]


def test_products_come_from_every_source() -> None:
    past = world.history(
        (30, STORE, [PRODUCTS[10]]), (20, STORE, [PRODUCTS[10]]), (10, STORE, [PRODUCTS[15]])
    )
    context = Context(
        past, store_id=STORE, time=NOW.timestamp(), cart=(PRODUCTS[25],), viewed=(PRODUCTS[35],)
    )
    catalogue = world.catalogue()
    found = candidates(context, catalogue)
    by_product = {int(catalogue.product_ids[row]): set(found.names(i)) for i, row in enumerate(found.rows)}
    assert "own" in by_product[PRODUCTS[10]]
    assert {"together", "recent"} <= by_product[PRODUCTS[16]]
    assert "session" in by_product[PRODUCTS[26]]
    assert "session" in by_product[PRODUCTS[35]]  # what was viewed may be bought
    assert {"popular", "popular_everywhere"} <= by_product[PRODUCTS[3]]
    assert "promoted" in by_product[PRODUCTS[30]]
    assert PRODUCTS[25] not in by_product  # it is in the cart already
    assert set().union(*by_product.values()) == set(SOURCES)


def test_a_click_changes_what_the_model_sees() -> None:
    context, catalogue = world.random_context(1), world.catalogue()
    before = features_of(context, catalogue)
    after = features_of(replace(context, cart=(PRODUCTS[25],)), catalogue)
    assert after[PRODUCTS[26]]["session"] > 0
    assert all(row["session"] == 0 and row["cart_size"] == 0 for row in before.values())
    assert all(row["cart_size"] == 1 for row in after.values())


def test_promotions_popularity_and_prices_are_those_of_the_catalogue() -> None:
    rows = features_of(
        Context(world.history((9, STORE, [PRODUCTS[0]])), store_id=STORE, time=NOW.timestamp()),
        world.catalogue(),
    )
    assert (rows[PRODUCTS[30]]["display"], rows[PRODUCTS[30]]["mailer"]) == (10, 0)
    assert (rows[PRODUCTS[20]]["display"], rows[PRODUCTS[20]]["mailer"]) == (0, 3)
    assert rows[PRODUCTS[3]]["store_popularity"] == 1
    assert rows[PRODUCTS[1]]["popularity"] == 0.5
    assert rows[PRODUCTS[1]]["price_ratio"] == 0.5
    assert math.isnan(rows[PRODUCTS[0]]["price_ratio"])
    assert rows[PRODUCTS[3]]["hour"] == 18
    assert rows[PRODUCTS[3]]["own_count"] == 0
    assert math.isnan(rows[PRODUCTS[3]]["own_decayed_10d"])


def test_a_product_in_fashion_rises_and_one_that_was_not_bought_falls() -> None:
    rows = features_of(world.random_context(1), world.catalogue())
    # Of 40 baskets in the last 7 days 32 had the first, of the usual 3,280 in four weeks 160.
    assert rows[PRODUCTS[0]]["share_7d"] == pytest.approx(0.8)
    assert rows[PRODUCTS[0]]["rise_7d"] == pytest.approx((32 + 2) / (40 * 160 / 3280 + 2))
    assert rows[PRODUCTS[1]]["share_1d"] == 0
    assert rows[PRODUCTS[2]]["rise_7d"] == pytest.approx(2 / (40 * 152 / 3280 + 2))
    assert rows[PRODUCTS[1]]["price_rise_7d"] == 0.75
    assert math.isnan(rows[PRODUCTS[2]]["price_rise_7d"])


def test_a_product_that_is_not_in_the_newest_snapshot_has_not_sold() -> None:
    """The online store has each product's last row, however old."""
    trends, occasions, returns = (
        world.table(contract, made().to_pylist() + [row | {"product_id": PRODUCTS[5]} for row in old])
        for contract, made in (
            (PRODUCT_TRENDS, world.product_trends),
            (PRODUCT_OCCASIONS, world.product_occasions),
            (PRODUCT_RETURNS, world.product_returns),
        )
        for old in [made(NOW - timedelta(days=28)).to_pylist()[:1]]
    )
    known = {PRODUCT_TRENDS: trends, PRODUCT_OCCASIONS: occasions, PRODUCT_RETURNS: returns}
    found = Catalogue.from_tables(world.tables() | known, NOW)
    np.testing.assert_array_equal(found.trends, world.catalogue().trends)
    np.testing.assert_array_equal(found.occasions.sizes, world.catalogue().occasions.sizes)
    np.testing.assert_array_equal(found.returns.chances, world.catalogue().returns.chances)


def test_a_product_is_likelier_at_its_times_and_one_without_a_past_is_like_its_type() -> None:
    night, noon = NOW + timedelta(hours=1), NOW + timedelta(days=1, hours=-5)  # Monday 19:00, Tuesday 13:00
    past = world.history((9, STORE, PRODUCTS[:8]))
    at_night, at_noon, unknown = (
        features_of(Context(past, store_id=STORE, time=time), world.catalogue())
        for time in (night.timestamp(), noon.timestamp(), None)
    )
    for name in ("product_slot_lift", "product_weekday_lift"):
        assert at_night[PRODUCTS[0]][name] > 1.2 > 0.8 > at_noon[PRODUCTS[0]][name]
        assert math.isnan(unknown[PRODUCTS[0]][name])
    assert at_noon[PRODUCTS[1]]["product_slot_lift"] > 1.2
    # The first four are of one type, bought as often at night as at noon; the next four of one never bought.
    for product in (PRODUCTS[2], PRODUCTS[7]):
        assert at_night[product]["product_slot_lift"] == pytest.approx(1)
    assert (at_night[PRODUCTS[0]]["product_log_size"], at_night[PRODUCTS[0]]["product_inverse_size"]) == (
        0,
        1,
    )
    assert at_night[PRODUCTS[0]]["product_small_share"] == pytest.approx(14.5 / 19)
    assert math.isnan(at_night[PRODUCTS[2]]["product_log_size"])


def test_a_product_that_comes_back_is_likelier_and_one_without_a_past_is_like_its_type() -> None:
    past = world.history((9, STORE, PRODUCTS[:5]), (2, STORE, PRODUCTS[7:8]))
    rows = features_of(Context(past), world.catalogue())
    chances = {product: rows[product]["return_chance"] for product in PRODUCTS[:5]}
    # Of the first four, which are of one type, two were waited for 200 baskets each: 100 of 400 had one.
    assert rows[PRODUCTS[2]]["type_return_chance"] == pytest.approx(0.25)
    assert chances[PRODUCTS[0]] == pytest.approx((100 + 60 * 0.25) / 260)
    assert chances[PRODUCTS[1]] == pytest.approx(60 * 0.25 / 260)
    assert chances[PRODUCTS[2]] == pytest.approx(0.25)
    assert chances[PRODUCTS[4]] == pytest.approx(0.25)  # a type of which nothing is known is like all
    assert rows[PRODUCTS[0]]["return_lift"] == pytest.approx(chances[PRODUCTS[0]] / 0.25)
    never = next(row for product, row in rows.items() if product not in past.products)
    assert math.isnan(never["return_chance"])


def stepped_returns() -> pa.Table:
    """The first product's chance is a thousandth of the step's number."""
    row = world.product_returns().to_pylist()[0]
    steps = len(RETURN_TIMES) * len(RETURN_BASKETS)
    row |= {"returned": [1_000 * each for each in range(steps)], "waited": [1_000_000] * steps}
    return world.table(PRODUCT_RETURNS, [row])


def test_a_wait_counts_from_the_newest_purchase() -> None:
    # Bought twice, and then in neither of two baskets: the coming one is the third after it.
    past = world.history(*((9 - day, STORE, [PRODUCTS[0 if day < 2 else 5]]) for day in range(4)))
    catalogue = Catalogue.from_tables(world.tables() | {PRODUCT_RETURNS: stepped_returns()}, NOW)
    chance = features_of(Context(past), catalogue)[PRODUCTS[0]]["return_chance"]
    assert chance * 1_000 == pytest.approx(len(RETURN_BASKETS) + 2, abs=1e-2)


def test_returns_go_by_how_often_and_how_long_ago() -> None:
    times, baskets = len(RETURN_TIMES), len(RETURN_BASKETS)
    found = Returns.of(np.array([0]), np.array([0]), stepped_returns())
    bought, ago = np.array([1.0, 3.0, 50.0, np.nan]), np.array([1.0, 5.0, 90.0, np.nan])
    chances = found.at(np.zeros(4, np.int64), bought, ago)[:, 0]
    assert chances[:3] * 1_000 == pytest.approx([0, baskets + 3, times * baskets - 1], abs=1e-3)
    assert math.isnan(chances[3])


def test_what_is_unknown_is_nan_and_not_a_guess() -> None:
    rows = features_of(Context(world.history((9, STORE, [PRODUCTS[0]]))), world.catalogue())
    unknown = (
        "store_popularity",
        "display",
        "hour",
        "weekday",
        "own_same_store",
        "own_same_time_of_day",
        "store_share",
    )
    assert all(math.isnan(row[name]) for row in rows.values() for name in unknown)
    assert all(row["popularity"] >= 0 for row in rows.values())


def test_a_household_without_a_basket_gets_what_is_popular_and_promoted() -> None:
    rows = features_of(Context(History.of(), store_id=STORE, time=NOW.timestamp()), world.catalogue())
    assert set(rows) == {*PRODUCTS[:4], PRODUCTS[20], PRODUCTS[30]}


def test_an_unknown_store_falls_back_to_all_stores() -> None:
    catalogue = world.catalogue()
    assert catalogue.popular_in(999) == catalogue.popular_in(None)
    assert len(catalogue.popular_in(STORE).rows) == 1  # the product without statistics is left out


def test_promotions_that_ended_are_left_out() -> None:
    ended = world.store_promotions(NOW - timedelta(days=7), ends=NOW)
    catalogue = Catalogue.from_tables(world.tables() | {STORE_PROMOTIONS: ended}, NOW)
    assert not catalogue.promoted
    assert catalogue.until is None
    running = world.store_promotions(NOW - timedelta(days=7), ends=NOW + timedelta(days=1))
    catalogue = Catalogue.from_tables(world.tables() | {STORE_PROMOTIONS: running}, NOW)
    assert catalogue.until == NOW + timedelta(days=1)


def test_an_empty_catalogue_gives_no_candidates() -> None:
    context = world.random_context(0)
    found = candidates(context, Catalogue.bare([]))
    assert build(context, Catalogue.bare([]), found).shape == (0, len(FEATURES))


def test_a_bare_catalogue_gives_the_households_own_products() -> None:
    context = world.random_context(0)
    rows = features_of(context, Catalogue.bare(context.history.products))
    assert set(rows) == set(context.history.products.tolist())
    assert all(math.isnan(row[name]) for row in rows.values() for name in RETURNS)


def test_a_broken_history_is_refused() -> None:
    with pytest.raises(ValueError, match="sizes sum to 3, but there are 2 products"):
        History.of([1], [1], [3], [1, 2], [1, 1], [1.0, 1.0])
    with pytest.raises(ValueError, match="2 basket times, 1 stores"):
        History.of([1, 2], [1], [3, 1], [1, 2], [1, 1], [1.0, 1.0])
