"""What each store promotes at an instant."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from glue_jobs.gold.store_promotions import store_promotions
from mercato.contracts.events.retail import Placement
from mercato.contracts.tables.silver import PROMOTIONS
from tests.unit.gold.conftest import DAY, MONDAY, WEEK, frame, rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

END = MONDAY + WEEK
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def placement(*stores: int, display: str = "1", mailer: str = "0") -> Placement:
    return Placement(display=display, mailer=mailer, stores=list(stores))


def promotion(
    product: int, begins: datetime, ends: datetime, *placements: Placement, told: datetime | None = None
) -> dict[str, Any]:
    """Of a product from one instant to another, told when it begins unless given."""
    shown = [{name: getattr(each, name) for name in Placement.__struct_fields__} for each in placements]
    return {
        "product_id": product, "event_time": told or begins, "valid_from": begins, "valid_to": ends,
        "placements": shown,
    }  # fmt: skip


def plan(seed: int) -> list[dict[str, Any]]:
    """Promotions of 200 days in four stores, told of up to nine days before they begin or after."""
    draw = random.Random(seed)
    planned = []
    for _ in range(150):
        begins = MONDAY + DAY * draw.randrange(200)
        ends, told = begins + DAY * draw.randint(1, 15), begins + HOUR * draw.randint(-200, 200)
        where = placement(*draw.sample(range(1, 5), 2), display=draw.choice("017"), mailer=draw.choice("0AD"))
        planned.append(promotion(draw.randint(1, 9), begins, ends, where, told=told))
    # All the year, alone in its store.
    return [*planned, promotion(10, MONDAY - 30 * DAY, MONDAY + 300 * DAY, placement(5))]


def shelves(
    spark: SparkSession, promotions: list[dict[str, Any]]
) -> dict[int, dict[datetime, dict[str, Any]]]:
    """Rows by store and instant."""
    found: dict[int, dict[datetime, dict[str, Any]]] = {}
    for row in rows(store_promotions(frame(spark, PROMOTIONS, promotions))):
        found.setdefault(row["store_id"], {})[row["event_timestamp"]] = row
    return found


def promoted(
    spark: SparkSession, promotions: list[dict[str, Any]]
) -> dict[int, dict[datetime, tuple[datetime, list[int]]]]:
    """By store and instant: until when, and what."""
    return {
        store: {instant: (row["valid_to"], row["product_ids"]) for instant, row in held.items()}
        for store, held in shelves(spark, promotions).items()
    }


def test_a_promoted_product_is_in_a_store_once(spark: SparkSession) -> None:
    found = shelves(
        spark,
        [
            promotion(
                9,
                MONDAY,
                END,
                placement(1, 2, display="0", mailer="A"),
                placement(1, display="7", mailer="D"),
            ),
            promotion(4, MONDAY, END, placement(1, display="5")),
        ],
    )
    one, two = found[1][MONDAY], found[2][MONDAY]
    assert one["product_ids"] == [4, 9]
    assert (one["displays"], one["mailers"]) == (["5", "7"], ["0", "D"])
    assert (two["displays"], two["mailers"]) == (["0"], ["A"])
    assert one["valid_to"] == END


def test_a_weekend_promotion_does_not_hide_that_of_the_week(spark: SparkSession) -> None:
    """Only the newest row of a store is read, online and in training."""
    friday, sunday = MONDAY + 4 * DAY, MONDAY + 6 * DAY
    found = promoted(
        spark,
        [
            promotion(1, MONDAY, END, placement(1, 2)),
            promotion(2, MONDAY, END, placement(1)),
            promotion(3, friday, sunday, placement(1)),
            promotion(2, friday, END + WEEK, placement(1, display="7")),
        ],
    )
    assert found[1] == {
        MONDAY: (END, [1, 2]),
        friday: (END + WEEK, [1, 2, 3]),
        sunday: (END + WEEK, [1, 2]),
        END: (END + WEEK, [2]),
    }
    assert found[2] == {MONDAY: (END, [1])}


def test_at_every_instant_the_newest_row_has_what_runs_then(spark: SparkSession) -> None:
    planned = plan(5)
    found = promoted(spark, planned)
    newest = max(each["valid_from"] for each in planned)
    for store, hours in itertools.product(range(1, 6), range(-1, 2_500, 7)):
        at = newest + timedelta(hours=1_000 - hours)
        running = {
            each["product_id"]
            for each in planned
            if each["valid_from"] <= at < each["valid_to"]
            and each["event_time"] <= at
            and store in each["placements"][0]["stores"]
        }
        known = [instant for instant in found[store] if instant <= at]
        until, products = found[store][max(known)] if known else (at, [])
        assert (products if until > at else []) == sorted(running)


def test_a_plan_that_comes_late_is_known_from_the_next_hour(spark: SparkSession) -> None:
    """Not from the instant of each of its events: it would have as many rows, each with all products."""
    late = [promotion(n, MONDAY, END, placement(1), told=MONDAY + n * MINUTE) for n in (1, 2, 60)]
    in_time = promotion(3, MONDAY + 30 * MINUTE, END, placement(1), told=MONDAY + 10 * MINUTE)
    over = promotion(4, MONDAY, MONDAY + HOUR, placement(1), told=MONDAY + 5 * MINUTE)
    assert promoted(spark, [*late, in_time, over]) == {
        1: {MONDAY + 30 * MINUTE: (END, [3]), MONDAY + HOUR: (END, [1, 2, 3, 60])}
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_later_changes_no_shelf(spark: SparkSession, seed: int) -> None:
    """Training took promotions for known from their `valid_from` on, although told of days after it."""
    planned = [
        {**each, "event_time": each["event_time"] + number % 60 * MINUTE}
        for number, each in enumerate(plan(seed))
    ]
    whole, newest = shelves(spark, planned), max(each["valid_from"] for each in planned)

    def shelf(found: dict[int, dict[datetime, dict[str, Any]]], store: int, at: datetime) -> Any:
        known = [instant for instant in found.get(store, ()) if instant <= at]
        row = found[store][max(known)] if known else None
        return row if row and row["valid_to"] > at else None

    seen = 0
    for days in range(0, 17 * 7, 11):
        at = newest - DAY * days + 30 * MINUTE
        then = shelves(spark, [each for each in planned if each["event_time"] <= at])
        for store in range(1, 6):
            assert shelf(whole, store, at) == shelf(then, store, at)
            seen += shelf(then, store, at) is not None
    assert seen > 40


def test_what_is_planned_far_ahead_hides_no_promotion_of_today(spark: SparkSession) -> None:
    """A campaign for Christmas, told in June, once left every store without one till autumn."""
    christmas, past = MONDAY + 26 * WEEK, MONDAY - 20 * WEEK
    found = promoted(
        spark,
        [
            promotion(1, christmas, christmas + WEEK, placement(1), told=MONDAY),
            promotion(1, MONDAY, END, placement(2)),
            promotion(1, past, past + WEEK, placement(3)),
        ],
    )
    assert {store: list(held) for store, held in found.items()} == {1: [christmas], 2: [MONDAY]}
