"""What several kinds of tests share, engines above all, and how tests are spread over workers."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from mercato.local.services import ENGINES
from mercato.local.supervisor import Stack
from mercato.settings import Settings, get_settings
from mercato.stream.topics import ensure_topics

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes is the machine's business, and the benchmarks'.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

#: `make setup` puts them there.
JARS = Path(__file__).parents[1] / "var" / "jars"

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

#: So long that they even out the lanes.
_BY_THEMSELVES = (
    *("tests/infra/test_models.py", "tests/infra/model_jobs/", "tests/infra/test_jobs.py"),
    "tests/integration/test_notebooks.py",
)


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    """Lanes that workers take one by one, each worker with engines of its own; unit tests fill the rest.

    What shares something that takes long to start is a lane: a demo, an emulator of AWS, two Sparks.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        _, kind, *_ = file.split("/")
        if kind == "unit":
            return file
        return next((each for each in _BY_THEMSELVES if file.startswith(each)), kind)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """What tests go together, with `pytest -n`."""
    return Lanes(config, log)


@pytest.fixture(autouse=True)
def settings_are_read_anew() -> None:
    """Else a test would have those of one before it in the same lane."""
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def stack_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("stack"), jars_dir=JARS)


@pytest.fixture(scope="session")
def stack(stack_settings: Settings) -> Iterator[Stack]:
    """Kafka, Redis and MLflow, started once and stopped at the end."""
    stack = Stack(stack_settings)
    try:
        stack.up(engine.name for engine in ENGINES)
        yield stack
    finally:
        stack.down()


@pytest.fixture
def settings(stack: Stack, stack_settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a home, a lake and topics of the test's own, on the shared engines."""
    addresses = {row.name: row.url for row in stack.status()}
    return Settings(
        home=tmp_path,
        jars_dir=stack_settings.jars_dir,
        topic_prefix=f"t{uuid.uuid4().hex[:8]}.",
        kafka_bootstrap=addresses["kafka"],
        redis_url=addresses["redis"],
        mlflow_uri=addresses["mlflow"],
    )


@pytest.fixture
def topics(settings: Settings) -> Settings:
    """Settings whose topics are there."""
    ensure_topics(settings)
    return settings


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert path, "Chromium is missing: `mercato doctor` says how to install it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of one OpenSearch for all tests; each has an index of its own."""
    settings = Settings(home=tmp_path_factory.mktemp("opensearch"), jars_dir=JARS)
    stack = Stack(settings)
    try:
        stack.up(["opensearch"])
        yield settings.require("opensearch_url")
    finally:
        stack.down()


@pytest.fixture
def searching(opensearch: str, tmp_path: Path) -> Settings:
    """Settings with a lake and a product index of the test's own."""
    index = f"t{uuid.uuid4().hex[:8]}"
    return Settings(home=tmp_path, jars_dir=JARS, opensearch_url=opensearch, opensearch_index=index)
