"""Slices hold the households and products that their names say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import recommend_slices as slices
from benchmarks.recommend_data import truths
from benchmarks.recommend_peers import Baskets
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import artifact
from mercato_models.recommend import channels
from mercato_models.recommend.dataset import examples, training_set
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.ranker import Hyperparameters, fit
from tests.integration.recommend_channel import write_channel

L = BASKET_LINES.c


def lines(rows: list[tuple[int, int, int, int]]) -> pa.Table:
    """Household, place of the basket, day and product."""
    household, number, day, item = np.array(rows).T
    columns = {
        L.household_id: household,
        L.basket_seq: number,
        L.basket_time: pd.to_datetime(day, unit="D"),
        L.product_id: item,
    }
    return pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)


HISTORY = lines([(1, 1, 1, 5), (1, 2, 2, 6), (1, 3, 3, 5), *[(2, n, n, 7) for n in range(1, 13)]])
TEST = lines([(1, 4, 100, 5), (1, 4, 100, 8), (2, 13, 200, 7), (2, 13, 200, 8), (2, 13, 200, 9)])
LISTS = {1: [5, 8], 2: [7, 9]}


def test_old_and_new_to_the_household() -> None:
    row = slices.by_past("ours", LISTS, truths(TEST), Baskets.of(HISTORY, TEST))
    assert list(row.values()) == ["ours", 1.0, pytest.approx((1 + 1 / 2) / 2)]


def test_lives_are_counted_in_baskets() -> None:
    rows = slices.by_history({"ours": LISTS}, truths(TEST), Baskets.of(HISTORY, TEST))
    found = {row[""]: (row["households"], row["ours"]) for row in rows}
    assert found == {
        "3 to 5": (1, 1.0),
        "6 to 10": (0, None),
        "11 to 49": (1, pytest.approx(2 / 3)),
        "50": (0, None),
    }


def test_a_product_is_new_for_four_weeks_after_anybodys_first_purchase() -> None:
    row = slices.by_age("ours", LISTS, pa.concat_tables([HISTORY, TEST]), TEST)
    # 8 is 100 days old when the second household buys it, and new when the first one does.
    assert (row["new products"], row["older products"]) == (2, 3)
    assert row["R@10 of new products"] == 1.0
    assert row["R@10 of older products"] == pytest.approx((1 + 1 / 2) / 2)


def test_baskets_from_before_products_could_be_old_are_not_asked() -> None:
    row = slices.by_age("ours", LISTS, pa.concat_tables([HISTORY, TEST]), lines([(1, 4, 60, 5)]))
    assert (row["new products"], row["R@10 of new products"]) == (0, None)


def test_promotions_are_told_and_hidden(tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    write_channel(channel, households=30)
    contexts = channels.read_contexts(channel)
    snapshots = channels.Snapshots(channel, channels.stores(contexts))
    data = training_set(examples(snapshots.beside(channels.targets(contexts, channels.TRAIN)), negatives=10))
    artifact.save(tmp_path / "model", fit(data, Hyperparameters(rounds=5, threads=1)), FEATURES, "1")
    known, hidden = slices.promotions(tmp_path)
    assert (known["households"], known["stores"]) == (30, 1)
    tests = channels.targets(contexts, channels.TEST)
    promoted = channels.Snapshots(channel, []).beside(tests)
    assert known["promoted products"] == hidden["promoted products"]
    assert sum(len(each.truth) for each, _ in promoted) == known["promoted products"] + known["others"]  # type: ignore[operator]
    assert known["gain in R@10 by knowing them"] is None
    assert str(hidden["gain in R@10 by knowing them"]).count(" to ") == 1
