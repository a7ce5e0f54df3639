"""What is served at t is what was known at t: Redis, Feast's join and plain Python agree."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from feast import FeatureStore
from pyspark.sql import SparkSession

from features.materialize import materialize
from features.offline import TIME, historical
from features.services import SERVICES
from features.snapshot import catalogue
from features.store import apply
from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables.silver import PRODUCTS
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.online import views
from mercato.online.reader import OnlineFeatures
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
    seconds,
    seconds_of,
    served,
)
from tests.unit.recommend import world as shop

pytestmark = pytest.mark.integration

MICRO = timedelta(microseconds=1)
VIEWS = pytest.mark.parametrize("view", BATCH, ids=lambda view: view.name)


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
