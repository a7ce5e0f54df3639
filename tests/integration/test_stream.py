"""The Structured Streaming counterpart writes what the ingester writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from glue_jobs.bronze import stream
from mercato.contracts.events import PAYMENTS
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.ingest import Ingester
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics
from tests.integration.records import assert_once, bronze, payment, produce

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow]
TABLE = BRONZE[PAYMENTS.name]


@pytest.fixture(scope="module")
def spark(stack_settings: Settings) -> Iterator[SparkSession]:
    with connect(stack_settings, "spark") as session:
        yield session


def drain(spark: SparkSession, settings: Settings, lake: Lake) -> None:
    assert stream.start(spark, settings, lake, PAYMENTS).awaitTermination(120)


def ingest(settings: Settings, lake: Lake) -> None:
    ingester = Ingester(settings, lake, [PAYMENTS])
    ingester.run_once()
    ingester.close()


def test_writes_the_same_rows_and_repeats_no_batch(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    ensure_topics(settings)
    first = [payment(number) for number in range(300)] + [b"\xff broken", None]
    produce(settings, PAYMENTS, first)
    streamed, ingested = Lake(str(tmp_path / "streamed")), Lake(str(tmp_path / "ingested"))
    drain(spark, settings, streamed)
    ingest(settings, ingested)
    same = [name for name in TABLE.c if name != TABLE.c.ingest_time]
    assert bronze(streamed, PAYMENTS).select(same).equals(bronze(ingested, PAYMENTS).select(same))
    assert bronze(streamed, PAYMENTS).schema == bronze(ingested, PAYMENTS).schema

    # A batch that is repeated, as after a crash before the checkpoint, adds nothing.
    version, rows = streamed.version(TABLE), streamed.read(spark, TABLE)
    batch = rows.withColumnRenamed(TABLE.c.kafka_time, "timestamp")
    stream.write_batch(batch, 0, path=streamed.path(TABLE), topic=PAYMENTS.name)
    assert streamed.version(TABLE) == version

    # The stream goes on in a table that the ingester began.
    second = [payment(number) for number in range(1000, 1100)]
    produce(settings, PAYMENTS, second)
    drain(spark, settings, ingested)
    drain(spark, settings, streamed)
    assert_once(bronze(ingested, PAYMENTS), [*first, *second])
    assert_once(bronze(streamed, PAYMENTS), [*first, *second])
