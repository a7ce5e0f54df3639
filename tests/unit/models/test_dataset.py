from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import (
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato.contracts.tables.silver import PRODUCTS as PRODUCTS_TABLE
from mercato_models.recommend import channels, parallel
from mercato_models.recommend.catalogue import SNAPSHOTS, STATS, Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import Target, examples, hide, ranked, ranked_each, reveal, training_set
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.history import History
from mercato_models.recommend.trends import TRENDS
from tests.unit.models import world
from tests.unit.models.world import NOW, PRODUCTS
from tests.waiting import eventually

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def target(seed: int = 0, days: float = 0) -> Target:
    context = world.random_context(seed)
    truth = frozenset(np.unique(context.history.products)[:4].tolist())
    return Target(seed, replace(context, time=(NOW + timedelta(days=days)).timestamp()), truth)


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    """Snapshots at NOW and a week later, whose popularity differs."""
    later = world.product_stats(NOW + WEEK)
    column = PRODUCT_STATS.c.baskets_4w
    place = later.schema.get_field_index(column)
    later = later.set_column(place, later.schema.field(column), pa.array([7] * len(PRODUCTS), pa.int32()))
    for contract, tables in (
        (PRODUCT_STATS, [later, world.product_stats()]),
        (PRODUCT_TRENDS, [world.product_trends(), world.product_trends(NOW + DAY).slice(1)]),
        (PRODUCT_OCCASIONS, [world.product_occasions()]),
        (PRODUCT_RETURNS, [world.product_returns()]),
        (PRODUCT_NEIGHBOURS, [world.product_neighbours()]),
        (STORE_POPULAR, [world.store_popular()]),
        (STORE_PROMOTIONS, [world.store_promotions()]),
    ):
        channels.write(tmp_path, pa.concat_tables(tables), contract)
    moved = world.product_details(NOW + WEEK, ["TYPE 8", *world.TYPES[1:]])
    channels.write_details(tmp_path, pa.concat_tables([moved, world.product_details()]))
    return tmp_path


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


def test_what_is_bought_is_labelled_and_large_baskets_weigh_less() -> None:
    catalogue = world.catalogue()
    data = training_set(examples([(target(seed), catalogue) for seed in range(30)], negatives=5))
    assert data.features.shape == (len(data.labels), len(FEATURES))
    for group in range(30):
        mine = data.group == group
        assert 1 <= data.labels[mine].sum() <= 4
        assert (data.labels[mine] == 0).sum() == 5
    cart = data.features[:, FEATURES.index("cart_size")]
    assert np.allclose(data.weights, (4 - cart) ** -0.5)


def test_rows_stand_for_all_candidates_of_contexts_that_are_not_hidden() -> None:
    catalogue = world.catalogue()
    data = training_set(examples([(target(seed), catalogue) for seed in range(40)], negatives=5))
    whole = training_set(examples([(target(seed), catalogue) for seed in range(40)], negatives=1000))
    hidden = np.isnan(data.features[:, FEATURES.index("hour")])
    assert 0 < hidden.sum() < len(hidden) / 2
    assert not data.stands_for[hidden].any()
    assert (data.stands_for[(data.labels == 1) & ~hidden] == 1).all()
    for group in range(40):
        mine, candidates = data.group == group, (whole.group == group).sum()
        assert data.stands_for[mine].sum() == pytest.approx(0 if hidden[mine].any() else candidates)


def test_the_basket_itself_never_reaches_the_features() -> None:
    catalogue = world.catalogue()
    one = target(3)
    other = replace(one, truth=frozenset(PRODUCTS[:2]))
    seen = [ranked(t.context, catalogue, lambda rows: rows.sum(axis=1), 5)[0].tolist() for t in (one, other)]
    assert seen[0] == seen[1]


def test_training_is_repeatable() -> None:
    made = [
        training_set(examples([(target(s), world.catalogue()) for s in range(9)], negatives=5, seed=4))
        for _ in "ab"
    ]
    assert np.array_equal(made[0].features, made[1].features, equal_nan=True)


def test_what_is_learned_of_a_target_does_not_depend_on_the_others() -> None:
    catalogue = world.catalogue()
    asked = [(target(seed), catalogue) for seed in range(20)]
    backwards = list(examples(asked[::-1], negatives=5))[::-1]
    for one, other in zip(examples(asked, negatives=5), backwards, strict=True):
        assert np.array_equal(one.features, other.features, equal_nan=True)
        assert one.labels.tolist() == other.labels.tolist()


def test_cores_together_make_what_one_makes(channel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [target(seed, days=seed / 4) for seed in range(30)]
    alone = list(examples(channels.Snapshots(channel, [world.STORE]).beside(asked), negatives=5))
    monkeypatch.setattr(parallel, "_WORTH_A_PROCESS", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    shared = parallel.over_cores(channel, [world.STORE], asked, partial(examples, negatives=5))
    assert len(shared) == len(alone)
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.features, other.features, equal_nan=True)
        assert (one.labels.tolist(), one.weight) == (other.labels.tolist(), other.weight)
    assert os.getpid() not in parallel.over_cores(channel, [world.STORE], asked, process_ids)


def process_ids(targets: Iterable[object]) -> Iterator[int]:
    for _ in targets:
        yield os.getpid()


SLEEPERS = """
import os, sys, time
from pathlib import Path
from mercato_models.recommend import parallel

def sleep(_targets):
    Path(sys.argv[2], str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    os.cpu_count, parallel._WORTH_A_PROCESS = lambda: 2, 1
    parallel.over_cores(Path(sys.argv[1]), [], [None, None], sleep)
"""


def test_no_process_outlives_a_killed_training(channel: Path, tmp_path: Path) -> None:
    script, started = tmp_path / "sleepers.py", tmp_path / "started"
    script.write_text(SLEEPERS)
    started.mkdir()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script, channel, started], env=environment)
    try:
        eventually(lambda: len(list(started.iterdir())) == 2, 60)
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not any(runs(int(each.name)) for each in started.iterdir()), 60)


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_revealed_cart_is_no_longer_to_be_predicted() -> None:
    generator = np.random.default_rng(0)
    before = target(5)
    shown = [reveal(before, np.array(PRODUCTS), generator) for _ in range(300)]
    with_cart = [each for each in shown if each.context.cart]
    assert 0.2 < len(with_cart) / len(shown) < 0.4
    assert any(each.context.viewed for each in with_cart)
    for each in with_cart:
        assert each.truth | set(each.context.cart) == before.truth
        assert not each.truth & set(each.context.cart)
        assert each.truth


def test_a_hidden_target_knows_neither_place_nor_time() -> None:
    hidden = hide(target()).context
    assert (hidden.store_id, hidden.time) == (None, None)


def test_nothing_bought_is_an_error() -> None:
    never = replace(target(), truth=frozenset([5]))
    with pytest.raises(ValueError, match="label is constant"):
        training_set(examples([(never, world.catalogue())], negatives=5))


def test_lists_that_are_scored_together_are_those_of_each_alone() -> None:
    catalogue = world.catalogue()
    asked = [(target(seed).context, catalogue) for seed in range(130)]
    asked[64] = Context(History.of()), Catalogue.bare([])  # nothing to propose

    def by_sum(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        sums: NDArray[np.float32] = np.nan_to_num(rows).sum(axis=1)
        return sums

    together = list(ranked_each(asked, by_sum, 5))
    assert len(together) == len(asked)
    for (products, scores), (context, known) in zip(together, asked, strict=True):
        alone = ranked(context, known, by_sum, 5)
        assert products.tolist() == alone[0].tolist()
        assert scores.tolist() == alone[1].tolist()
    assert len(together[64][0]) == 0
