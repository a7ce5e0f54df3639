"""What is served at t is what was known at t: Redis, Feast's join and plain Python agree."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from feast import FeatureStore
from pyspark.sql import SparkSession
from redis import Redis

from features.materialize import materialize
from features.offline import TIME, historical
from features.services import SERVICES
from features.snapshot import catalogue
from features.store import apply
from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables.silver import PRODUCTS
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.online import catalogue as catalogue_store
from mercato.online import views
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import OnlineFeatures
from mercato.online.store import BATCH as AT_ONCE
from mercato.online.views import BATCH, CATALOGUE, View
from mercato.settings import Settings
from mercato_models.recommend import channels
from mercato_models.recommend.candidates import candidates
from mercato_models.recommend.catalogue import SNAPSHOTS, Catalogue
from mercato_models.recommend.dataset import Target
from mercato_models.recommend.features import build
from tests.integration.feature_rows import (
    SIZES,
    SPAN,
    START,
    Oracle,
    Row,
    by_entity,
    random_row,
    served,
    write,
    write_all,
)
from tests.unit.models import world as shop

pytestmark = pytest.mark.integration

MICRO = timedelta(microseconds=1)
VIEWS = pytest.mark.parametrize("view", BATCH, ids=lambda view: view.name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, list[Row]]]:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    return lake, write_all(lake)


@pytest.fixture(scope="module")
def spark(stack_settings: Settings) -> Iterator[SparkSession]:
    with connect(stack_settings, "sail") as session:
        yield session


@pytest.fixture
def feast(own: Settings) -> FeatureStore:
    return apply(own)


def pairs(view: View, rows: list[Row], count: int) -> pa.Table:
    """Entities and moments: random ones, the very moments of rows, and a microsecond before them."""
    rng = random.Random(view.name)
    entities = SIZES[view.entity][0] + 5  # some are unknown
    asked = {
        (rng.randint(1, entities), START + rng.random() * SPAN - timedelta(days=10)) for _ in range(count)
    }
    exact = {(row[view.entity], row[view.time]) for row in rng.choices(rows, k=count // 4)}
    asked |= exact | {(entity, time - MICRO) for entity, time in exact}
    entity, time = zip(*sorted(asked), strict=True)
    return pa.table({view.entity: entity, TIME: pa.array(time, UTC_MICROS)})


@VIEWS
def test_the_join_answers_with_what_was_known(
    view: View, world: tuple[Lake, dict[str, list[Row]]], spark: SparkSession, feast: FeatureStore
) -> None:
    lake, rows = world
    asked = pairs(view, rows[view.name], 2_000)
    found = historical(spark, lake, feast, asked, [view])
    oracle = Oracle(view, rows[view.name])
    assert found.num_rows == asked.num_rows
    answered = {(row[view.entity], row[TIME]): served(view, row) for row in found.to_pylist()}
    for entity, time in zip(asked[view.entity].to_pylist(), asked[TIME].to_pylist(), strict=True):
        assert answered[entity, time] == oracle.values(entity, time), (entity, time)
    for field in view.features:
        assert found.schema.field(field.name).type == field.type


def test_online_at_t_equals_offline_at_t(
    world: tuple[Lake, dict[str, list[Row]]],
    spark: SparkSession,
    own: Settings,
    online: OnlineFeatures,
    feast: FeatureStore,
) -> None:
    lake, rows = world
    compared = 0
    moments = [START + SPAN * share for share in (0.05, 0.3, 0.31, 0.6, 0.95, 0.4)]  # the last one goes back
    for at in moments:
        materialize(spark, lake, own, at=at)
        for view in BATCH:
            entities = list(range(1, SIZES[view.entity][0] + 1))
            asked = pa.table({view.entity: entities, TIME: pa.array([at] * len(entities), UTC_MICROS)})
            offline = by_entity(view, historical(spark, lake, feast, asked, [view]))
            table = online.store.table(view)
            values = by_entity(view, table)
            nothing = (None,) * len(view.features)
            for entity in entities:
                assert seconds(values.get(entity, nothing)) == seconds(offline[entity]), (
                    view.name,
                    entity,
                    at,
                )
            assert all(time <= at for time in table[view.time].to_pylist())
            if view in CATALOGUE:
                whole = online.catalogue()[view.name]
                assert seconds_of(by_entity(view, whole)) == seconds_of(values)
                assert whole[view.entity] == table[view.entity]
            assert seconds_of(values) == seconds_of(Oracle(view, rows[view.name]).snapshot(at))
            compared += len(entities)
    assert compared > 5_000


def seconds(values: tuple[object, ...]) -> tuple[object, ...]:
    """Times cut to whole seconds, as Feast's online format keeps them."""
    return tuple(v.replace(microsecond=0) if isinstance(v, datetime) else v for v in values)


def seconds_of(rows: dict[int, tuple[object, ...]]) -> dict[int, tuple[object, ...]]:
    return {entity: seconds(values) for entity, values in rows.items()}


def test_only_what_changed_is_written(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("changing")))
    rows = write_all(lake)
    end = START + SPAN
    first = {o.view: o.rows for o in materialize(spark, lake, own, at=end)}
    assert first == {view.name: len(Oracle(view, rows[view.name]).snapshot(end)) for view in BATCH}
    token = online.marker()
    assert {o.view: o.rows for o in materialize(spark, lake, own, at=end)} == dict.fromkeys(first, 0)

    rng = random.Random(1)
    view = views.HOUSEHOLD_PROFILE
    newer = random_row(view, 3, end - MICRO, rng)
    latest = Oracle(view, rows[view.name])(7, end)
    assert latest is not None
    corrected = random_row(view, 7, latest[view.time], rng)  # late data: another value, the same moment
    changed = [row for row in rows[view.name] if row is not latest] + [newer, corrected]
    write(lake, view, changed)
    outcome = {o.view: o.rows for o in materialize(spark, lake, own, at=end)}
    assert outcome == dict.fromkeys(first, 0) | {view.name: 2}
    assert by_entity(view, online.store.table(view)) == Oracle(view, changed).snapshot(end)
    assert online.marker() == token  # households don't make a process reload its catalogue

    ahead = random_row(views.STORE_PROMOTIONS, 2, end + timedelta(days=1), rng)
    write(lake, views.STORE_PROMOTIONS, [*rows[views.STORE_PROMOTIONS.name], ahead])
    assert sum(o.rows for o in materialize(spark, lake, own, at=end)) == 0
    outcome = {o.view: o.rows for o in materialize(spark, lake, own, at=end + timedelta(days=1))}
    assert outcome[views.STORE_PROMOTIONS.name] == 1
    assert online.marker() != token


def test_after_the_last_versions_log_was_cleaned_every_row_is_written(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    view, end = views.HOUSEHOLD_PROFILE, START + SPAN
    lake, rng = Lake(str(tmp_path_factory.mktemp("cleaned"))), random.Random(2)
    rows = [random_row(view, entity, START, rng) for entity in (1, 2)]
    write(lake, view, rows[:1])
    materialize(spark, lake, own, views=[view], at=end)
    write(lake, view, rows)
    lake.create(view.table).create_checkpoint()
    (Path(lake.path(view.table)) / "_delta_log" / f"{0:020}.json").unlink()
    (outcome,) = materialize(spark, lake, own, views=[view], at=end)
    assert outcome.rows == 2
    assert by_entity(view, online.store.table(view)) == Oracle(view, rows).snapshot(end)


@pytest.mark.parametrize("full", [False, True])
def test_a_table_made_anew_leaves_nothing_of_the_old_one(
    tmp_path_factory: pytest.TempPathFactory,
    spark: SparkSession,
    own: Settings,
    online: OnlineFeatures,
    full: bool,
) -> None:
    view, end = views.PRODUCT_STATS, START + SPAN
    for seed, entity in enumerate((1, 2)):
        lake = Lake(str(tmp_path_factory.mktemp("anew")))
        write(lake, view, [random_row(view, entity, START, random.Random(seed))])
        materialize(spark, lake, own, views=[view], at=end, full=full)
    assert online.store.table(view)[view.entity].to_pylist() == [2]
    assert online.catalogue()[view.name][view.entity].to_pylist() == [2]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("view", [views.PRODUCT_NEIGHBOURS, views.HOUSEHOLD_PROFILE], ids=lambda v: v.name)
def test_an_entity_without_a_row_any_more_loses_its_values(
    tmp_path_factory: pytest.TempPathFactory,
    spark: SparkSession,
    own: Settings,
    online: OnlineFeatures,
    view: View,
    full: bool,
) -> None:
    """Else a Redis that was filled today would differ from an older one over the same lake."""
    lake, end, rng = Lake(str(tmp_path_factory.mktemp("ended"))), START + SPAN, random.Random(3)
    rows = [random_row(view, entity, START, rng) for entity in (1, 2, 3)]
    write(lake, view, rows)
    materialize(spark, lake, own, views=[view], at=end)
    token = online.marker()
    beside = replace(view, name="beside_v1")
    online.store.write(beside, rows[:1])
    newer = random_row(view, 3, START + MICRO * 10**6, rng)
    write(lake, view, [rows[1], newer])
    (outcome,) = materialize(spark, lake, own, views=[view], at=end, full=full)
    assert outcome.rows == 2  # one written and one removed, or both that there are
    left = Oracle(view, [rows[1], newer]).snapshot(end)
    assert seconds_of(by_entity(view, online.store.table(view))) == seconds_of(left)
    assert online.store.table(beside)[view.entity].to_pylist() == [1]  # what others know of it stays
    if view in CATALOGUE:
        assert online.catalogue()[view.name][view.entity].to_pylist() == [2, 3]
        assert online.marker() != token
    write(lake, view, [newer])  # only removed: processes that hold the catalogue are to know, too
    token = online.marker()
    (outcome,) = materialize(spark, lake, own, views=[view], at=end, full=full)
    assert online.store.table(view)[view.entity].to_pylist() == [3]
    if view in CATALOGUE:
        assert online.catalogue()[view.name][view.entity].to_pylist() == [3]
        assert online.marker() != token


def test_who_has_no_row_any_more_is_looked_for_once_for_all_views(
    world: tuple[Lake, dict[str, list[Row]]], spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    """A pass over all keys holds up whoever else asks Redis."""
    lake, _ = world
    redis, end = online.store.redis, START + SPAN
    materialize(spark, lake, own, at=end)
    redis.config_resetstat()
    for _ in redis.scan_iter(count=AT_ONCE):
        pass
    once = scans(redis)
    redis.config_resetstat()
    materialize(spark, lake, own, at=end, full=True)
    assert 0 < scans(redis) <= once


def scans(redis: Redis) -> int:
    calls: int = redis.info("commandstats")["cmdstat_scan"]["calls"]
    return calls


def test_a_redis_that_lived_through_two_weeks_serves_what_a_new_one_serves_and_what_is_trained_on(
    tmp_path: Path, spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    lake, week, now = Lake(str(tmp_path / "lake")), timedelta(weeks=1), shop.NOW
    before, after = shop.tables(now), shop.tables(now + week)
    for table in SNAPSHOTS:  # a product, or a store, is in no snapshot any more
        after[table] = after[table].slice(1)
    kept = {table: pa.concat_tables([before[table], after[table]]) for table in after}
    for written in (before, kept, after):  # the last one as if the window had moved on
        for table, rows in written.items():
            write_deltalake(lake.path(table), rows, mode="overwrite")
        materialize(spark, lake, own, at=now + week)
    tables = {view.table: online.catalogue()[view.name] for view in CATALOGUE}
    lived = Catalogue.from_tables(tables, now + week)
    online.store.redis.flushdb()
    materialize(spark, lake, own, at=now + week)
    fresh = {view.table: online.catalogue()[view.name] for view in CATALOGUE}
    assert {table: rows.num_rows for table, rows in fresh.items()} == {
        table: rows.num_rows for table, rows in tables.items()
    }
    shop.assert_same(Catalogue.from_tables(fresh, now + week), lived)
    for table, rows in kept.items():
        if table in channels.CATALOGUE_TABLES:
            channels.write(tmp_path, rows, table)
    channels.write_details(tmp_path, kept[PRODUCTS])
    for seed in range(20):
        known = replace(shop.random_context(seed), time=(now + week).timestamp())
        target = Target(seed, known, frozenset())
        _, trained = next(channels.Snapshots(tmp_path, [shop.STORE]).beside([target]))
        shop.assert_same(trained, lived)
        found, proposed = (candidates(known, each) for each in (trained, lived))
        assert found.rows.tolist() == proposed.rows.tolist()
        np.testing.assert_array_equal(build(known, trained, found), build(known, lived, proposed))


def test_catalogue_has_one_shape_online_and_offline(
    world: tuple[Lake, dict[str, list[Row]]], spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    lake, _ = world
    at = START + SPAN
    materialize(spark, lake, own, at=at)
    served_now, then = online.catalogue(), catalogue(spark, lake, at)
    assert served_now.keys() == then.keys()
    for view in CATALOGUE:
        assert served_now[view.name].schema == then[view.name].schema
        assert seconds_of(by_entity(view, served_now[view.name])) == seconds_of(
            by_entity(view, then[view.name])
        )


def test_a_catalogue_that_was_lost_is_written_again(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    lake, view, end = Lake(str(tmp_path_factory.mktemp("lost"))), views.PRODUCT_STATS, START + SPAN
    write(lake, view, [random_row(view, 1, START, random.Random(0))])
    materialize(spark, lake, own, views=[view], at=end)
    before, token = online.catalogue(), online.marker()
    online.store.redis.delete("mercato:catalogue")
    assert seconds_of(by_entity(view, online.catalogue()[view.name])) == seconds_of(
        by_entity(view, before[view.name])
    )  # read row by row
    assert online.marker() == token
    materialize(spark, lake, own, views=[view], at=end)
    assert catalogue_store.held(online.store.redis) == {view.name}
    assert online.catalogue() == before
    assert online.marker() != token


def test_a_release_that_gives_a_view_columns_has_it_written_again(
    own: Settings, online: OnlineFeatures
) -> None:
    view, redis = views.PRODUCT_STATS, online.store.redis
    old = replace(view, columns=(view.features[0].name,))
    columns = old.arrow_schema.names
    rows = pa.Table.from_pylist([random_row(view, 1, START, random.Random(0))], view.arrow_schema)
    catalogue_store.merge(redis, old, rows.select(columns))
    assert catalogue_store.held(redis) == set()
    catalogue_store.merge(redis, view, rows)
    assert catalogue_store.held(redis) == {view.name}
    assert online.catalogue()[view.name] == rows
    assert redis.hlen("mercato:catalogue") == 1


def test_what_keeps_a_part_from_being_written_is_said(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, own: Settings, online: OnlineFeatures
) -> None:
    lake, view, end = Lake(str(tmp_path_factory.mktemp("refused"))), views.HOUSEHOLD_PROFILE, START + SPAN
    write(lake, view, [random_row(view, 1, START, random.Random(0))])
    redis, address = online.store.redis, own.require("redis_url").removeprefix("redis://")
    redis.acl_setuser("keeper", enabled=True, passwords=["+own"], keys=["mercato:*"], categories=["+@all"])
    limited = own.model_copy(update={"redis_url": f"redis://keeper:own@{address}"})
    try:
        with pytest.raises(OnlineUnavailableError, match="no permissions to access one of the keys"):
            materialize(spark, lake, limited, views=[view], at=end)
    finally:
        redis.acl_deluser("keeper")
    assert view.name not in online.store.marker()
    (outcome,) = materialize(spark, lake, own, views=[view], at=end)
    assert outcome.rows == 1


def test_feasts_sdk_reads_what_is_served(
    world: tuple[Lake, dict[str, list[Row]]], spark: SparkSession, own: Settings, feast: FeatureStore
) -> None:
    lake, rows = world
    at = START + SPAN
    materialize(spark, lake, own, at=at)
    view = views.HOUSEHOLD_HISTORY
    oracle = Oracle(view, rows[view.name])
    service = feast.get_feature_service(SERVICES[0].name)
    entities = [{view.entity: entity} for entity in range(1, 101)]
    found = feast.get_online_features(features=service, entity_rows=entities).to_dict()
    for index in range(100):
        row = {field.name: found[field.name][index] for field in view.features}
        assert served(view, row) == oracle.values(index + 1, at)


@pytest.mark.parity
@pytest.mark.slow
def test_the_join_is_the_same_on_spark(
    world: tuple[Lake, dict[str, list[Row]]],
    spark: SparkSession,
    stack_settings: Settings,
    feast: FeatureStore,
) -> None:
    lake, rows = world
    asked = {view.name: pairs(view, rows[view.name], 500) for view in BATCH}
    with connect(stack_settings, "spark") as jvm:
        for view in BATCH:
            order = [(view.entity, "ascending"), (TIME, "ascending")]
            on_sail = historical(spark, lake, feast, asked[view.name], [view]).sort_by(order)
            on_spark = historical(jvm, lake, feast, asked[view.name], [view]).sort_by(order)
            assert on_spark.equals(on_sail), view.name
