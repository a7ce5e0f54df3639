"""As-of features: known answers, and nothing from after their instant."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest

from glue_jobs.gold.basket_lines import basket_lines
from glue_jobs.gold.household_history import household_history
from glue_jobs.gold.household_profile import household_profile
from glue_jobs.gold.product_neighbours import product_neighbours
from glue_jobs.gold.product_occasions import product_occasions
from glue_jobs.gold.product_returns import product_returns
from glue_jobs.gold.product_stats import product_stats
from glue_jobs.gold.product_trends import product_trends
from glue_jobs.gold.store_popular import HALF_LIFE_WEEKS, store_popular
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import (
    ALL_STORES,
    HISTORY_BASKETS,
    HISTORY_SNAPSHOTS,
    HOUSEHOLD_HISTORY,
    HOUSEHOLD_PROFILE,
    OCCASION_BASKETS,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    RETURN_BASKETS,
    RETURN_TIMES,
    STORE_POPULAR,
)
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import TRANSACTIONS
from tests.unit.gold.conftest import DAY, MONDAY, WEEK, bought, frame, rows, scanned

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AS_OF = (
    (HOUSEHOLD_HISTORY, household_history),
    (HOUSEHOLD_PROFILE, household_profile),
    (PRODUCT_STATS, product_stats),
    (PRODUCT_TRENDS, product_trends),
    (PRODUCT_OCCASIONS, product_occasions),
    (PRODUCT_RETURNS, product_returns),
    (PRODUCT_NEIGHBOURS, product_neighbours),
    (STORE_POPULAR, store_popular),
)


def shop(seed: int = 7, weeks: int = 60) -> list[dict[str, Any]]:
    """Scans of a small shop: many baskets per household, some at one instant, some on a week's end."""
    draw = random.Random(seed)
    scans = []
    for basket in range(1, 500):
        at = MONDAY + draw.choice((DAY * draw.randrange(weeks * 7), WEEK * draw.randrange(weeks)))
        for product in draw.sample(range(1, 16), draw.randint(1, 5)):
            quantity = draw.choice((0, 1, 2))
            paid = draw.choice((0.0, 0.99, 2.5))
            scans.append(
                scanned(1 + basket % 6, basket, product, at, quantity=quantity)
                | {TRANSACTIONS.c.sales_value: paid, TRANSACTIONS.c.store_id: 1 + basket % 2}
            )
    return scans


def by_key(
    spark: SparkSession, table: Table, job: Callable[..., DataFrame], scans: list[dict[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    lines = basket_lines(frame(spark, TRANSACTIONS, scans))
    return {tuple(row[name] for name in table.key): row for row in rows(job(lines))}


@pytest.mark.parametrize(("table", "job"), AS_OF, ids=lambda value: getattr(value, "short_name", ""))
def test_what_happens_later_changes_nothing(
    spark: SparkSession, table: Table, job: Callable[..., DataFrame]
) -> None:
    scans = shop()
    end = max(scan[TRANSACTIONS.c.event_time] for scan in scans)
    # Four weeks: as far as the snapshots of neighbours are apart.
    earlier = [scan for scan in scans if scan[TRANSACTIONS.c.event_time] <= end - 4 * WEEK]
    then, now = (by_key(spark, table, job, some) for some in (earlier, scans))
    shared = then.keys() & now.keys()
    assert len(shared) > 10
    assert {key: then[key] for key in shared} == {key: now[key] for key in shared}


def test_a_history_ends_with_the_basket_that_it_is_dated_by(spark: SparkSession) -> None:
    count = HISTORY_BASKETS + HISTORY_SNAPSHOTS + 3
    lines = [
        bought(1, basket, product, MONDAY + DAY * basket, basket, quantity=basket)
        for basket in range(1, count + 1)
        for product in (basket + 1000, basket)
    ]
    found = sorted(
        rows(household_history(frame(spark, BASKET_LINES, lines))), key=lambda row: row["event_timestamp"]
    )
    assert len(found) == HISTORY_SNAPSHOTS
    for row, last in zip(found, range(count - HISTORY_SNAPSHOTS + 1, count + 1), strict=True):
        kept = range(last - HISTORY_BASKETS + 1, last + 1)
        assert row["event_timestamp"] == MONDAY + DAY * last
        assert row["basket_times"] == [int((MONDAY + DAY * basket).timestamp()) for basket in kept]
        assert row["basket_sizes"] == [2] * HISTORY_BASKETS
        assert row["products"] == [product for basket in kept for product in (basket, basket + 1000)]
        assert row["quantities"] == [basket for basket in kept for _ in range(2)]


def test_a_history_says_no_more_units_than_it_can(spark: SparkSession) -> None:
    """2,200 lines of a million units overflowed, and no household had a history any more."""
    most = 2**31 - 1
    lines = [
        bought(1, 1, product, MONDAY, quantity=units) for product, units in enumerate((most, 2_200 * 10**6))
    ]
    (row,) = rows(household_history(frame(spark, BASKET_LINES, lines)))
    assert row["quantities"] == [most, most]


def test_baskets_of_one_instant_are_one_snapshot(spark: SparkSession) -> None:
    lines = frame(spark, BASKET_LINES, [bought(1, 1, 5, MONDAY, 1), bought(1, 2, 6, MONDAY, 2)])
    assert [row["products"] for row in rows(household_history(lines))] == [[5, 6]]
    (profile,) = rows(household_profile(lines))
    assert (profile["baskets"], profile["lines"], profile["baskets_28d"]) == (2, 2, 2)


def test_a_profile_counts_what_is_younger_than_28_days(spark: SparkSession) -> None:
    times = [MONDAY, MONDAY + DAY, MONDAY + 28 * DAY]
    lines = [
        bought(1, seq, 5, at, seq, sales_value=3.0, retail_disc=1.0) for seq, at in enumerate(times, start=1)
    ]
    first, _, last = sorted(
        rows(household_profile(frame(spark, BASKET_LINES, lines))), key=lambda row: row["baskets"]
    )
    assert (first["mean_gap_days"], first["last_gap_days"]) == (None, None)
    assert (last["baskets"], last["baskets_28d"], last["spend"], last["spend_28d"]) == (3, 2, 9.0, 6.0)
    assert (last["mean_gap_days"], last["last_gap_days"]) == (14.0, 27.0)
    assert last["retail_discount_share"] == 0.25


def test_a_profile_knows_the_order_of_baskets_within_a_second(spark: SparkSession) -> None:
    """The later basket of a second was in the row of the earlier one."""
    milli = timedelta(milliseconds=1)
    times = [MONDAY + 200 * milli, MONDAY + 700 * milli, MONDAY + 28 * DAY + 200 * milli]
    lines = [bought(1, seq, 5, at, seq) for seq, at in enumerate(times, start=1)]
    found = sorted(rows(household_profile(frame(spark, BASKET_LINES, lines))), key=lambda row: row["baskets"])
    assert [(row["baskets_28d"], row["spend_28d"]) for row in found] == [(1, 1.0), (2, 2.0), (2, 2.0)]


def test_product_stats_equal_a_recount(spark: SparkSession) -> None:
    scans, s = shop(), TRANSACTIONS.c
    found = by_key(spark, PRODUCT_STATS, product_stats, scans)
    assert len(found) > 200
    for (product, at), row in found.items():

        def within(weeks: int, product: int = product, at: datetime = at) -> list[dict[str, Any]]:
            return [
                scan
                for scan in scans
                if scan[s.product_id] == product and at - weeks * WEEK < scan[s.event_time] <= at
            ]

        for weeks in (1, 4, 13, 52):
            assert row[f"baskets_{weeks}w"] == len({scan[s.basket_id] for scan in within(weeks)})
        baskets = {(scan[s.household_id], scan[s.basket_id]) for scan in within(52)}
        visits = [household for household, _ in baskets]
        assert row["households_52w"] == len(set(visits))
        assert row["repeat_households_52w"] == sum(visits.count(one) > 1 for one in set(visits))
        priced = [scan for scan in within(13) if scan[s.quantity]]
        price = (
            sum(scan[s.sales_value] for scan in priced) / sum(scan[s.quantity] for scan in priced)
            if priced
            else None
        )
        assert row["mean_price_13w"] == pytest.approx(price)


def test_product_trends_equal_a_recount(spark: SparkSession) -> None:
    scans, s = shop(), TRANSACTIONS.c
    found = by_key(spark, PRODUCT_TRENDS, product_trends, scans)
    newest = max(at for _, at in found)
    assert newest.hour == 5
    assert newest <= max(scan[s.event_time] for scan in scans) < newest + DAY
    assert len(found) > 500
    for (product, at), row in found.items():
        for days in (1, 3, 7):
            held = [
                scan
                for scan in scans
                if scan[s.product_id] == product and at - days * DAY < scan[s.event_time] <= at
            ]
            assert row[f"baskets_{days}d"] == len({scan[s.basket_id] for scan in held})
        priced = [scan for scan in held if scan[s.quantity]]
        units = sum(scan[s.quantity] for scan in priced)
        price = sum(scan[s.sales_value] for scan in priced) / units if units else None
        assert row["mean_price_7d"] == pytest.approx(price)


def test_product_occasions_equal_a_recount(spark: SparkSession) -> None:
    scans, s = shop(), TRANSACTIONS.c
    found = by_key(spark, PRODUCT_OCCASIONS, product_occasions, scans)
    assert len(found) > 40
    sizes = Counter(scan[s.basket_id] for scan in scans)
    for (product, at), row in found.items():
        held = {
            scan[s.basket_id]: scan[s.event_time]
            for scan in scans
            if scan[s.product_id] == product and at - 52 * WEEK < scan[s.event_time] <= at
        }
        assert len(held) >= OCCASION_BASKETS
        slots, weekdays = (
            Counter(time.hour // 3 for time in held.values()),
            Counter(map(datetime.weekday, held.values())),
        )
        assert row["by_slot"] == [slots[each] for each in range(8)]
        assert row["by_weekday"] == [weekdays[each] for each in range(7)]
        assert row["small_baskets"] == sum(sizes[basket] <= 2 for basket in held)
        assert row["mean_log_size"] == pytest.approx(
            mean(math.log(sizes[basket]) for basket in held), abs=1e-5
        )
        assert row["mean_inverse_size"] == pytest.approx(mean(1 / sizes[basket] for basket in held), abs=1e-5)


def test_product_returns_equal_a_recount(spark: SparkSession) -> None:
    scans, s = shop(), TRANSACTIONS.c
    found = by_key(spark, PRODUCT_RETURNS, product_returns, scans)
    assert len(found) > 40
    assert max(max(row[PRODUCT_RETURNS.c.returned][2 * len(RETURN_BASKETS) :]) for row in found.values()) > 0
    baskets: dict[int, dict[tuple[datetime, int], set[int]]] = {}
    for scan in scans:
        own = baskets.setdefault(scan[s.household_id], {})
        own.setdefault((scan[s.event_time], scan[s.basket_id]), set()).add(scan[s.product_id])
    counted_at = set()
    for product, at in itertools.product(range(1, 16), {at for _, at in found}):
        returned, waited, purchases = Counter[tuple[int, int]](), Counter[tuple[int, int]](), 0
        for own in baskets.values():
            bought, wait, counted = 0, 0, False
            for time, held in ((time, held) for (time, _), held in sorted(own.items()) if time <= at):
                wait += 1
                if counted:
                    key = _step(RETURN_TIMES, bought), _step(RETURN_BASKETS, wait)
                    waited[key] += 1
                    returned[key] += product in held
                if product in held:
                    bought, wait, counted = bought + 1, 0, time > at - 52 * WEEK
                    purchases += counted
        if purchases < OCCASION_BASKETS:
            continue
        counted_at.add((product, at))
        row = found[product, at]
        steps = list(itertools.product(range(len(RETURN_TIMES)), range(len(RETURN_BASKETS))))
        assert row[PRODUCT_RETURNS.c.returned] == [returned[each] for each in steps]
        assert row[PRODUCT_RETURNS.c.waited] == [waited[each] for each in steps]
    assert counted_at == found.keys()


def _step(least: tuple[int, ...], value: int) -> int:
    return sum(value >= each for each in least) - 1


def test_neighbours_by_cosine(spark: SparkSession) -> None:
    baskets = [(1, 2)] * 4 + [(1, 2, 3)] * 2 + [(1,), (3,), (3,), (3,)]
    lines = [
        bought(1, basket, product, MONDAY + WEEK - DAY, basket)
        for basket, products in enumerate(baskets, start=1)
        for product in products
    ]
    after = [bought(1, 99, 9, MONDAY + WEEK, 99)]
    found = {
        row["product_id"]: row for row in rows(product_neighbours(frame(spark, BASKET_LINES, lines + after)))
    }
    assert found[1]["event_timestamp"] == MONDAY + WEEK
    assert found[1]["neighbour_ids"] == [2, 3]
    assert found[1]["scores"] == pytest.approx([6 / (7 * 6) ** 0.5, 2 / (7 * 5) ** 0.5])
    assert found[3]["neighbour_ids"] == [2, 1]
    assert 9 not in found


def test_popularity_halves_and_ties_go_to_the_smaller_id(spark: SparkSession) -> None:
    lines = [
        bought(1, 1, 30, MONDAY),
        bought(1, 2, 20, MONDAY),
        bought(1, 3, 10, MONDAY - HALF_LIFE_WEEKS * WEEK),
        bought(1, 4, 40, MONDAY, store_id=2),
        bought(1, 5, 50, MONDAY + DAY),
    ]
    found = {
        row["store_id"]: row
        for row in rows(store_popular(frame(spark, BASKET_LINES, lines)))
        if row["event_timestamp"] == MONDAY
    }
    assert found[1]["product_ids"] == [20, 30, 10]
    assert found[1]["scores"] == [1.0, 1.0, 0.5]
    assert found[ALL_STORES]["product_ids"] == [20, 30, 40, 10]
