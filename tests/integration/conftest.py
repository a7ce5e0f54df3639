"""A product index and a Redis database for the tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.search.index import ProductIndex
from mercato.settings import Settings
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
