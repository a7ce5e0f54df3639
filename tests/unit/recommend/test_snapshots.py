"""A basket of training sees the catalogue of its moment, as a request does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import PRODUCT_STATS, STORE_POPULAR, STORE_PROMOTIONS
from mercato.contracts.tables.silver import PRODUCTS as PRODUCTS_TABLE
from mercato_models.recommend import channels
from mercato_models.recommend.catalogue import SNAPSHOTS, STATS, Catalogue
from mercato_models.recommend.trends import TRENDS
from tests.unit.recommend import world
from tests.unit.recommend.world import NOW, PRODUCTS, target

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def test_the_catalogue_is_never_from_later_than_the_basket(channel: Path) -> None:
    snapshots = channels.Snapshots(channel, [world.STORE])
    column = STATS.index(PRODUCT_STATS.c.baskets_4w)
    asked = [target(days=days) for days in (-0.001, 0, 6.999, 7, 30)]
    seen = [catalogue.stats[0, column] for _, catalogue in snapshots.beside(asked)]
    assert np.isnan(seen[0])
    assert seen[1:] == [160, 160, 7, 7]


def test_trends_are_those_of_the_day_before_the_basket(channel: Path) -> None:
    snapshots = channels.Snapshots(channel, [world.STORE])
    share = TRENDS.index("share_7d")
    asked = [target(days=days) for days in (0, 0.999, 1, 6.999, 7)]
    seen = [catalogue.trends[:2, share].tolist() for _, catalogue in snapshots.beside(asked)]
    assert seen[:2] == [pytest.approx([0.8, 0.2])] * 2
    assert seen[2:] == [[0, 1]] * 3  # the first product was not bought in the week before


def test_a_type_is_not_known_before_it_is_told(channel: Path) -> None:
    snapshots = channels.Snapshots(channel, [world.STORE])
    rows = np.array([0, 1, 32])
    before, after = (c.types(rows) for _, c in snapshots.beside([target(days=6.9), target(days=7)]))
    assert before[0] == before[1] != before[2]
    assert after[0] == after[2] == before[2] != after[1]


def test_promotions_end(channel: Path) -> None:
    snapshots = channels.Snapshots(channel, [world.STORE])
    promoted = [c.promoted for _, c in snapshots.beside([target(days=6.9), target(days=7)])]
    assert [list(found) for found in promoted] == [[world.STORE], []]


def test_each_store_has_its_own_newest_promotions(channel: Path) -> None:
    """One store's start in the middle of the week once took all others' promotions out of training."""
    c, stores = STORE_PROMOTIONS.c, (world.STORE, 8, 9, 10)
    begins = [NOW, NOW, NOW - 3 * DAY, NOW - 3 * DAY, NOW + 4 * DAY, NOW + 5 * DAY]
    ends = [NOW + WEEK, NOW + WEEK, NOW + 6 * DAY, NOW + 9 * DAY, NOW + WEEK, NOW + WEEK]
    rows: list[dict[str, Any]] = [
        {
            c.store_id: store, c.event_timestamp: begin, c.valid_to: end,
            c.product_ids: [PRODUCTS[number]], c.displays: ["1"], c.mailers: ["0"],
        }
        for number, (store, begin, end) in enumerate(zip((*stores, 8, 11), begins, ends, strict=True))
    ]  # fmt: skip
    channels.write(channel, world.table(STORE_PROMOTIONS, rows), STORE_PROMOTIONS)
    asked = [target(days=days) for days in (0, 3.9, 4, 5.5, 6, 6.9, 7, 9)]
    seen = []
    for one, trained in channels.Snapshots(channel, stores).beside(asked):
        at = datetime.fromtimestamp(one.context.time or 0, UTC)
        known = {
            row[c.store_id]: row for row in rows if row[c.store_id] != 11 and row[c.event_timestamp] <= at
        }
        newest = world.table(STORE_PROMOTIONS, list(known.values()))
        served = Catalogue.from_tables(world.tables() | {STORE_PROMOTIONS: newest}, at)
        assert {store: found.rows.tolist() for store, found in trained.promoted.items()} == {
            store: found.rows.tolist() for store, found in served.promoted.items()
        }
        seen.append({store: found.rows.tolist() for store, found in trained.promoted.items()})
    week = {7: [0], 8: [1], 9: [2], 10: [3]}
    weekend = week | {8: [4]}
    after = {store: rows for store, rows in weekend.items() if store != 9}
    assert seen == [week, week, weekend, weekend, after, after, {10: [3]}, {}]


@pytest.mark.parametrize("contract", SNAPSHOTS, ids=lambda contract: contract.short_name)
def test_what_is_not_in_the_newest_snapshot_is_as_unknown_online_as_in_training(
    channel: Path, contract: Table
) -> None:
    """Online a product or store that is not in it any more has its last row."""
    held = world.tables()
    rows, c = held[contract], contract.c
    newer = rows.slice(1).drop([c.event_timestamp])
    times = pa.array([NOW + DAY] * len(newer), rows.schema.field(c.event_timestamp).type)
    newer = newer.append_column(rows.schema.field(c.event_timestamp), times).select(rows.schema.names)
    channels.write(channel, pa.concat_tables([rows, newer]), contract)
    for table, there in held.items():
        if table not in (contract, PRODUCTS_TABLE):
            channels.write(channel, there, table)
    _, trained = next(channels.Snapshots(channel, [world.STORE]).beside([target(days=1)]))
    served = held | {contract: pa.concat_tables([rows.slice(0, 1), newer])}
    world.assert_same(Catalogue.from_tables(served, NOW + DAY), trained)


def test_other_stores_are_not_read(channel: Path) -> None:
    _, catalogue = next(iter(channels.Snapshots(channel, [999]).beside([target()])))
    assert list(catalogue.popular) == [0]


def test_a_missing_file_or_column_is_named(channel: Path) -> None:
    path = channel / channels.file_name(STORE_POPULAR)
    channels.write(channel, world.store_popular().drop([STORE_POPULAR.c.scores]), STORE_POPULAR)
    with pytest.raises(channels.ChannelError, match=r"store_popular\.parquet lacks the columns scores"):
        channels.Snapshots(channel, [])
    path.unlink()
    with pytest.raises(channels.ChannelError, match=r"store_popular\.parquet is missing"):
        channels.Snapshots(channel, [])


def test_a_store_may_promote_nothing_but_products_must_be_known(channel: Path) -> None:
    channels.write(channel, STORE_PROMOTIONS.arrow_schema.empty_table(), STORE_PROMOTIONS)
    _, catalogue = next(iter(channels.Snapshots(channel, []).beside([target()])))
    assert not catalogue.promoted
    channels.write(channel, PRODUCT_STATS.arrow_schema.empty_table(), PRODUCT_STATS)
    with pytest.raises(channels.ChannelError, match="no product is known"):
        channels.Snapshots(channel, [])
