"""A product index for the tests that ask for one."""

from __future__ import annotations

import pytest

from mercato.search.index import ProductIndex
from mercato.settings import Settings
from tests.integration.shelf import shelf


@pytest.fixture
def index(searching: Settings) -> ProductIndex:
    """An index of SHELF."""
    index = ProductIndex(searching)
    index.rebuild(shelf())
    return index
