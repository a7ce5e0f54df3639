"""The hand-made assembly, today's prices, the default usage."""

from __future__ import annotations

import pytest

from mercato.cloud.cost.prices import PriceList, newest
from mercato.cloud.cost.usage import Usage, load
from mercato.cloud.template import Assembly, read
from tests.unit.cloud import shop


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return read(shop.write(tmp_path_factory.mktemp("assembly")), "test")


@pytest.fixture(scope="session")
def prices() -> PriceList:
    return newest("us-east-1")


@pytest.fixture(scope="session")
def usage() -> Usage:
    return load()
