"""Both engines, started once, and a lake that each of them filled from the same bronze."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from glue_jobs.catalog import CATALOG
from glue_jobs.runner import Run, Runner
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from tests.parity.bronze import Bronze

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINES = ("sail", "spark")


@dataclass(frozen=True)
class Engines:
    """A session and a lake of each engine, by its name; the lakes share their bronze."""

    bronze: Bronze
    sessions: dict[str, SparkSession]
    lakes: dict[str, Lake]

    def run(self, engine: str, lake: Lake) -> dict[str, Run]:
        """Run the whole catalog on an engine, into a lake."""
        runner = Runner(self.sessions[engine], lake)
        return {name: runner.run(job) for name, job in CATALOG.items()}


@pytest.fixture(scope="package")
def engines(stack_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    root = tmp_path_factory.mktemp("parity")
    bronze = Bronze(Lake(str(root / "bronze")))
    bronze.write_early()
    lakes = {name: Lake(str(root / name), base=bronze.lake) for name in ENGINES}
    with connect(stack_settings, "sail") as sail, connect(stack_settings, "spark") as spark:
        yield Engines(bronze, {"sail": sail, "spark": spark}, lakes)


@pytest.fixture(scope="package")
def filled(engines: Engines) -> Engines:
    """Each lake filled by its own engine from the early records."""
    for name, lake in engines.lakes.items():
        engines.run(name, lake)
    return engines


@dataclass(frozen=True)
class Continued:
    """Lakes that hold the late records too.

    Attributes:
        crossed: filled by one engine and brought up to date by the other, by the first one's name.
        anew: filled at once.
        runs: what the other engine's runs did.
    """

    crossed: dict[str, Lake]
    anew: Lake
    runs: dict[str, dict[str, Run]]


@pytest.fixture(scope="package")
def continued(filled: Engines) -> Continued:
    filled.bronze.write_late()
    anew = Lake(f"{filled.bronze.lake.uri}-anew", base=filled.bronze.lake)
    sail, spark = ENGINES
    runs = {first: filled.run(other, filled.lakes[first]) for first, other in ((sail, spark), (spark, sail))}
    filled.run(sail, anew)
    return Continued(filled.lakes, anew, runs)
