"""What tests ask for by name: an index, a Redis database, an API over its own engines, rows of features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pyspark.sql import SparkSession

from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.search.index import ProductIndex
from mercato.settings import Settings
from tests.integration.feature_rows import Row, write_all
from tests.integration.rig import Rig
from tests.integration.shelf import shelf


@pytest.fixture
def index(searching: Settings) -> ProductIndex:
    """An index of SHELF."""
    index = ProductIndex(searching)
    index.rebuild(shelf())
    return index


@pytest.fixture
def own(settings: Settings) -> Iterator[Settings]:
    """Settings with a Redis database that is empty, and that no other test uses at the time."""
    own = settings.model_copy(update={"redis_url": settings.require("redis_url").replace("/0", "/5")})
    yield own
    OnlineStore(own).redis.flushdb()


@pytest.fixture
def online(own: Settings) -> Iterator[OnlineFeatures]:
    features = OnlineFeatures(own)
    yield features
    features.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig.running(tmp_path) as rig:
        yield rig


@pytest.fixture
def api(rig: Rig) -> Iterator[httpx2.Client]:
    with rig.serve() as client:
        yield client


@pytest.fixture
def redis_only(tmp_path: Path, stack_settings: Settings) -> Settings:
    return Settings(home=tmp_path / "with space" / ("x" * 120), jars_dir=stack_settings.jars_dir)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, list[Row]]]:
    """A lake with a table of random rows for every batch view, and the rows."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    return lake, write_all(lake)


@pytest.fixture(scope="module")
def spark(stack_settings: Settings) -> Iterator[SparkSession]:
    with connect(stack_settings, "sail") as session:
        yield session
