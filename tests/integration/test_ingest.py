"""Kafka -> bronze, exactly once, whatever happens to the ingester."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from mercato.contracts.events import PAYMENTS, TOPICS
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake import ingest as ingesting
from mercato.lake.ingest import Ingester, Limits, app_id, lag
from mercato.lake.maintenance import maintain
from mercato.lake.origin import OffsetsGoneError
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics, kafka_name
from tests.integration.records import assert_once, bronze, ingest, make_anew, payment, produce, write_bronze
from tests.waiting import eventually

pytestmark = pytest.mark.integration
TABLE = BRONZE[PAYMENTS.name]


@pytest.fixture
def lake(settings: Settings) -> Lake:
    ensure_topics(settings)
    return Lake(settings.lake_uri)


def test_copies_records_as_they_came_and_goes_on_from_the_table(settings: Settings, lake: Lake) -> None:
    first = [payment(0), b"\xff not JSON", None, b""]
    produce(settings, PAYMENTS, first)
    assert sum(lag(settings, lake).values()) == 4
    assert ingest(settings, lake) == 4
    second = [payment(1), payment(2)]
    produce(settings, PAYMENTS, second)
    assert ingest(settings, lake) == 2
    assert ingest(settings, lake) == 0
    rows = bronze(lake, PAYMENTS)
    assert_once(rows, [*first, *second])
    assert None in rows["value"].to_pylist()
    assert set(rows["topic"].to_pylist()) == {PAYMENTS.name}
    assert not any(lag(settings, lake).values())
    assert lake.read_arrow(BRONZE[TOPICS["transactions.v1"].name]).num_rows == 0


def test_how_far_behind_is_not_said_of_a_broker_that_was_made_anew(settings: Settings, lake: Lake) -> None:
    produce(settings, PAYMENTS, [payment(0)])
    ahead = {app_id(PAYMENTS, partition): 1000 for partition in range(PAYMENTS.partitions)}
    lake.set_marks(BRONZE[PAYMENTS.name], ahead)
    with pytest.raises(OffsetsGoneError, match="does not have offset 1000"):
        lag(settings, lake)


def test_killed_at_random_points_it_neither_loses_nor_doubles(settings: Settings, lake: Lake) -> None:
    values = [payment(number) for number in range(60_000)]
    environment = {
        **os.environ,
        "MERCATO_HOME": str(settings.home),
        "MERCATO_KAFKA_BOOTSTRAP": settings.require("kafka_bootstrap"),
        "MERCATO_TOPIC_PREFIX": settings.topic_prefix,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "mercato", "ingest", "--follow"]
    # Small batches, so that many kills fall into a write or a commit.
    command += ["--max-records", "700", "--max-seconds", "0.05"]
    chance = random.Random(11)
    sender = threading.Thread(target=produce, args=(settings, PAYMENTS, values))
    sender.start()
    progress = []
    for _ in range(12):
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        held = lake.rows(TABLE)
        deadline = time.monotonic() + 60
        # Past its start-up, then at any instant.
        while lake.rows(TABLE) == held and held < len(values) and time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        progress.append(lake.rows(TABLE))
    sender.join()
    ingest(settings, lake)
    assert len({*progress, 0}) > 10, "the kills fell between batches of one and the same run"
    assert_once(bronze(lake, PAYMENTS), values)


def test_two_ingesters_do_not_double(settings: Settings, lake: Lake) -> None:
    values = [payment(number) for number in range(20_000)]
    produce(settings, PAYMENTS, values)
    ingesters = [Ingester(settings, lake, [PAYMENTS], Limits(500, 0.05)) for _ in range(2)]
    written: list[int] = []
    threads = [threading.Thread(target=lambda one=one: written.append(one.run_once())) for one in ingesters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for one in ingesters:
        one.close()
    assert_once(bronze(lake, PAYMENTS), values)
    assert sum(written) == len(values)


def test_upkeep_while_ingesting_loses_nothing(settings: Settings, lake: Lake) -> None:
    values = [payment(number) for number in range(10_000)]
    produce(settings, PAYMENTS, values)
    ingester, stop = Ingester(settings, lake, [PAYMENTS], Limits(200, 0.05)), threading.Event()
    thread = threading.Thread(target=ingester.run, args=(stop,))
    thread.start()
    while lake.rows(TABLE) < len(values):
        list(maintain(lake, retain_hours=1))
    stop.set()
    thread.join(60)
    ingester.close()
    assert_once(bronze(lake, PAYMENTS), values)


def test_says_when_kafka_is_not_the_one_that_bronze_knows(settings: Settings, lake: Lake) -> None:
    produce(settings, PAYMENTS, [payment(0)])
    lake.create(TABLE)
    lake.set_marks(TABLE, {app_id(PAYMENTS, partition): 1000 for partition in range(4)})
    with pytest.raises(OffsetsGoneError, match="does not have offset 1000"):
        ingest(settings, lake)


def test_sigterm_writes_what_is_held(settings: Settings, lake: Lake) -> None:
    produce(settings, PAYMENTS, [payment(number) for number in range(100)])
    stop, batches = threading.Event(), Counter[str]()
    ingester = Ingester(
        settings,
        lake,
        [PAYMENTS],
        Limits(1_000_000, 3600),
        on_batch=lambda topic, records: batches.update({topic.name: records}),
    )
    thread = threading.Thread(target=ingester.run, args=(stop,))
    thread.start()
    time.sleep(3)
    assert not batches
    stop.set()
    thread.join(60)
    ingester.close()
    assert batches == {PAYMENTS.name: 100}
    assert lake.rows(TABLE) == 100


def test_a_topic_made_anew_that_outgrew_bronze_is_not_taken_for_the_old_one(
    settings: Settings, lake: Lake
) -> None:
    first, others = ([payment(number) for number in range(at, at + 20)] for at in (0, 1000))
    produce(settings, PAYMENTS, first)
    ingest(settings, lake, [PAYMENTS])
    make_anew(settings, PAYMENTS)
    produce(settings, PAYMENTS, [*others, *others])
    with pytest.raises(OffsetsGoneError, match=r"payments\.v1 was made anew"):
        ingest(settings, lake, [PAYMENTS])
    with pytest.raises(OffsetsGoneError, match=r"payments\.v1 was made anew"):
        lag(settings, lake)
    assert_once(bronze(lake, PAYMENTS), first)


def test_a_table_from_before_topics_had_ids_goes_on(settings: Settings, lake: Lake) -> None:
    write_bronze(lake, PAYMENTS, [payment(0)])
    produce(settings, PAYMENTS, [payment(0), payment(1)], partitions=1)
    assert ingest(settings, lake, [PAYMENTS]) == 1
    assert_once(bronze(lake, PAYMENTS), [payment(0), payment(1)])


def test_following_reads_partitions_that_are_added(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "_LOOK", 0.5)
    name = kafka_name(settings, PAYMENTS.name)
    ingester, stop = Ingester(settings, lake, [PAYMENTS], Limits(seconds=0.1)), threading.Event()
    thread = threading.Thread(target=ingester.run, args=(stop,))
    thread.start()
    first, second = ([payment(number) for number in range(at, at + 50)] for at in (0, 1000))
    produce(settings, PAYMENTS, first)
    assert eventually(lambda: lake.rows(TABLE) == len(first))
    admin = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")})
    admin.create_partitions([NewPartitions(name, PAYMENTS.partitions + 2)])[name].result(20)
    produce(settings, PAYMENTS, second, PAYMENTS.partitions + 2)
    assert eventually(lambda: lake.rows(TABLE) == len(first) + len(second))
    stop.set()
    thread.join(60)
    ingester.close()
    assert_once(bronze(lake, PAYMENTS), [*first, *second])
    assert not any(lag(settings, lake).values())
