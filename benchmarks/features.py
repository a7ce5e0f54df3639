"""The feature store: point-in-time join, materialisation, online reads, click to Redis.

python -m benchmarks.features             # on the lake, Redis and Kafka that `mercato up` started
python -m benchmarks.features --clicks 50

Every row is written to Redis anew, with the values that belong there.
"""

from __future__ import annotations

import argparse
import functools
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.latency import percentiles
from benchmarks.machine import describe_machine, write_result
from mercato.contracts.events import CLICKSTREAM, Click
from mercato.contracts.tables.features import HOUSEHOLD_HISTORY
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.online import views
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings, get_settings
from mercato.stream.topics import kafka_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Beyond every household of the data, so that no real session is touched.
HOUSEHOLD = 2**52
CLICK_TIMEOUT = 10.0


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def join(spark: SparkSession, lake: Lake, settings: Settings) -> dict[str, Any]:
    """Join histories and profiles to a moment one second before each known basket."""
    from pyspark.sql import functions as F

    from features.offline import TIME, historical
    from features.store import apply

    c = HOUSEHOLD_HISTORY.c
    known = lake.read(spark, HOUSEHOLD_HISTORY)
    before = (F.col(c.event_timestamp) - F.expr("INTERVAL '1' SECOND")).alias(TIME)
    asked: pa.Table = known.select(c.household_id, before).toArrow()
    joined = (views.HOUSEHOLD_HISTORY, views.HOUSEHOLD_PROFILE)
    store = apply(settings)
    joined_rows, seconds = timed(lambda: historical(spark, lake, store, asked, joined))
    return {
        "rows": joined_rows.num_rows,
        "views": [view.name for view in joined],
        "seconds": round(seconds, 3),
    }


def bring_online(spark: SparkSession, lake: Lake, settings: Settings) -> dict[str, Any]:
    """Materialise everything, then once more with nothing to do."""
    from features.materialize import materialize

    outcomes, full = timed(lambda: materialize(spark, lake, settings, full=True))
    _, again = timed(lambda: materialize(spark, lake, settings))
    rows = {outcome.view: outcome.rows for outcome in outcomes}
    return {"rows": rows, "seconds": round(full, 3), "nothing_new_seconds": round(again, 3)}


def reads(online: OnlineFeatures, count: int) -> dict[str, Any]:
    """Read households one after another, then the catalogue."""
    households = online.household_ids()
    wanted = [households[n % len(households)] for n in range(count)]
    taken = [1000 * timed(functools.partial(online.household, household))[1] for household in wanted]
    tables, seconds = timed(online.catalogue)
    return {
        "household_ms": percentiles(taken),
        "catalogue_seconds": round(seconds, 3),
        "catalogue_rows": {name: table.num_rows for name, table in tables.items()},
    }


def clicks(settings: Settings, online: OnlineFeatures, count: int) -> dict[str, Any]:
    """Produce clicks one at a time and wait until each is in Redis.

    Raises:
        TimeoutError: one did not arrive; the updater is not running.
    """
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": settings.require("kafka_bootstrap"), "linger.ms": 0})
    topic = kafka_name(settings, CLICKSTREAM.name)
    taken = []
    for number in range(count):
        click = Click(
            event_id=uuid.uuid4().hex, event_time=datetime.now(UTC), simulated=True, session_id="benchmark",
            household_id=HOUSEHOLD + number % 8, action="view", product_id=1,
        )  # fmt: skip
        started = time.perf_counter()
        producer.produce(topic, CLICKSTREAM.encode(click), str(click.household_id))
        producer.flush()
        while not _served(online, click):
            if time.perf_counter() - started > CLICK_TIMEOUT:
                raise TimeoutError("A click did not reach Redis: start the updater with `mercato up online`.")
            time.sleep(0.001)
        taken.append(1000 * (time.perf_counter() - started))
    return {"clicks": count, "to_redis_ms": percentiles(taken)}


def _served(online: OnlineFeatures, click: Click) -> bool:
    household = online.household(click.household_id)
    return household is not None and household.session.last_event_id == click.event_id


def main() -> None:
    """Run every part and write `features.json` beside the other results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reads", type=int, default=5_000)
    parser.add_argument("--clicks", type=int, default=200)
    arguments = parser.parse_args()
    settings = get_settings()
    lake, online = Lake(settings.lake_uri), OnlineFeatures(settings)
    with connect(settings) as spark:
        result = {
            "machine": describe_machine(),
            "engine": settings.engine,
            "point_in_time_join": join(spark, lake, settings),
            "materialise": bring_online(spark, lake, settings),
        }
    result |= {"online": reads(online, arguments.reads), "stream": clicks(settings, online, arguments.clicks)}
    write_result("features", result)


if __name__ == "__main__":
    main()
