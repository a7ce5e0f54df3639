"""What changed goes to Redis, what is gone leaves it, and one that was lost is filled again."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from redis import Redis

from features.materialize import materialize
from mercato.lake.tables import Lake
from mercato.online import catalogue as catalogue_store
from mercato.online import views
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import OnlineFeatures
from mercato.online.store import BATCH as AT_ONCE
from mercato.online.views import BATCH, CATALOGUE, View
from mercato.settings import Settings
from tests.integration.feature_rows import (
    SPAN,
    START,
    Oracle,
    Row,
    by_entity,
    random_row,
    seconds_of,
    write,
    write_all,
)

pytestmark = pytest.mark.integration

MICRO = timedelta(microseconds=1)


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
