from __future__ import annotations

import numpy as np
import pytest

from mercato_models.recommend import occasions
from mercato_models.recommend.habits import HABITS, PRIOR_BASKETS, habits
from mercato_models.recommend.history import History
from tests.unit.recommend import world
from tests.unit.recommend.world import NOW, PRODUCTS, STORE

FUEL, MILK = PRODUCTS[0], PRODUCTS[1]
OTHER_STORE = STORE + 1


def by_occasion(
    history: History, store_id: int | None = STORE, time: float | None = NOW.timestamp()
) -> dict[str, list[float]]:
    found = occasions.weights(history, time, store_id)
    return dict(zip(occasions.OCCASIONS, found.tolist(), strict=True))


def test_baskets_count_half_after_a_half_life() -> None:
    found = by_occasion(world.history((60, STORE, [FUEL]), (0, STORE, [FUEL])))
    assert found["any"] == pytest.approx([0.5, 1.0])


def test_baskets_of_the_same_store_hour_weekday_and_gap_count_most() -> None:
    past = world.history(
        (21, STORE, [FUEL]), (14, STORE, [FUEL]), (9.5, OTHER_STORE, [MILK]), (7, STORE, [FUEL])
    )
    found = by_occasion(past)
    faded = np.array(found["any"])
    assert found["here"] / faded == pytest.approx([1, 1, occasions.ELSEWHERE, 1])
    assert (np.array(found["time_of_day"]) / faded).argmin() == 2
    assert found["weekday"] / faded == pytest.approx([1, 1, occasions.OTHER_WEEKDAY, 1])
    assert found["gap"] / faded == pytest.approx([0.2, 1.2, 1.05, 0.52], abs=0.1)
    kinds = [np.array(found[name]) / faded for name in ("here", "time_of_day", "weekday", "gap")]
    assert found["alike"] == pytest.approx(faded * np.prod(kinds, axis=0))


def test_what_is_unknown_is_left_out_of_account() -> None:
    past = world.history((9, STORE, [FUEL]), (2.3, OTHER_STORE, [MILK]))
    found = by_occasion(past, None, None)
    assert all(row == pytest.approx(found["any"]) for row in found.values())


def test_no_history_has_no_weight() -> None:
    assert occasions.weights(History.of(), NOW.timestamp(), STORE).shape == (len(occasions.OCCASIONS), 0)


def test_a_product_of_the_store_is_due_there_and_fills_small_baskets() -> None:
    past = world.history(
        (12, OTHER_STORE, [FUEL]),
        (9, STORE, [MILK, *PRODUCTS[2:5]]),
        (6, OTHER_STORE, [FUEL]),
        (3, STORE, [MILK]),
    )
    catalogue = world.catalogue()

    def rates(store_id: int) -> dict[int, dict[str, float]]:
        found = habits(past, catalogue.rows(past.products), NOW.timestamp(), store_id)
        named = dict(zip(HABITS, found.values.T, strict=True))
        return {
            product: {
                name: float(column[found.rows == catalogue.rows([product])[0]][0])
                for name, column in named.items()
            }
            for product in (FUEL, MILK)
        }

    here, there = rates(STORE), rates(OTHER_STORE)
    assert here[FUEL]["own_rate_any"] == there[FUEL]["own_rate_any"] == pytest.approx(0.5, abs=0.05)
    assert there[FUEL]["own_rate_here"] > 0.6 > 0.4 > here[FUEL]["own_rate_here"]
    assert here[MILK]["own_rate_alike"] > here[FUEL]["own_rate_alike"]
    # Fuel is alone in its baskets, milk was once one of four.
    assert here[FUEL]["own_fill"] == pytest.approx(here[FUEL]["own_rate_any"], rel=1e-4)
    assert here[MILK]["own_fill"] < here[MILK]["own_rate_any"]
    weights = occasions.weights(past, NOW.timestamp(), STORE)
    alike, usual = weights[-1], here[FUEL]["own_rate_any"]
    expected = (alike[0] + alike[2] + PRIOR_BASKETS * usual) / (alike.sum() + PRIOR_BASKETS)
    assert here[FUEL]["own_rate_alike"] == pytest.approx(expected, rel=1e-4)


def test_survival_says_how_often_a_product_was_missed_for_longer() -> None:
    past = world.history(*((days, STORE, [FUEL]) for days in (20, 15, 13, 3)))
    catalogue = world.catalogue()
    found = habits(past, catalogue.rows(past.products), NOW.timestamp(), STORE)
    # Gaps of 5, 2 and 10 days, 3 days since: two of three were longer, and half a one for what is to come.
    named = dict(zip(HABITS, found.values[0], strict=True))
    assert named["own_gap_survival"] == pytest.approx(2.5 / 4)
    assert named["own_gap_baskets_ratio"] == pytest.approx(0)
