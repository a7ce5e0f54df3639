"""The replay on a real broker: complete, in order, and able to go on after it was stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from mercato.replay.clock import Clock
from mercato.replay.dataset import Dataset
from mercato.replay.events import REPLAYED, Year
from mercato.replay.run import position_file
from mercato.replay.state import Position
from mercato.settings import Settings
from mercato.stream.offsets import watermarks
from mercato.stream.topics import ensure_topics, kafka_name

pytestmark = pytest.mark.integration

HOUSEHOLDS = 20
SOME = ("inventory.v1", "clickstream.v1", "payments.v1", "transactions.v1")
Held = dict[str, list[tuple[bytes, str]]]


class Identified(msgspec.Struct):
    """Any event, its id alone."""

    event_id: str


class Start(Protocol):
    """Starts `mercato replay` with options."""

    def __call__(self, *options: str) -> subprocess.Popen[str]: ...


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    ensure_topics(settings)
    environment = {
        "MERCATO_HOME": str(settings.home),
        "MERCATO_TOPIC_PREFIX": settings.topic_prefix,
        "MERCATO_KAFKA_BOOTSTRAP": settings.require("kafka_bootstrap"),
    }
    started: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mercato", "replay", f"--households={HOUSEHOLDS}", *options],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def some() -> list[str]:
    return [f"--topics={name}" for name in SOME]


def consumer(settings: Settings) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": settings.require("kafka_bootstrap"),
            "group.id": settings.topic_prefix,
            "enable.partition.eof": False,
        }
    )


def ends(settings: Settings, reader: Consumer, topic: str) -> dict[int, int]:
    name = kafka_name(settings, topic)
    known = reader.list_topics(name, timeout=20).topics[name]
    return {p: watermarks(reader, TopicPartition(name, p))[1] for p in known.partitions}


def held(settings: Settings) -> Held:
    """Key and event id of every record, in the order of its partition."""
    found: Held = {}
    for topic in REPLAYED:
        reader = consumer(settings)
        name = kafka_name(settings, topic)
        last = ends(settings, reader, topic)
        reader.assign([TopicPartition(name, partition, 0) for partition in last])
        records: list[tuple[bytes, str]] = []
        while len(records) < sum(last.values()):
            for message in reader.consume(10_000, timeout=5):
                assert message.error() is None
                event = msgspec.json.decode(message.value(), type=Identified)
                records.append((message.key(), event.event_id))
        reader.close()
        found[topic] = records
    return found


def expected() -> Held:
    found: Held = defaultdict(list)
    for batch in Year(Dataset(HOUSEHOLDS)).batches(Clock()):
        for topic, key, value in batch.records:
            found[topic].append((key, msgspec.json.decode(value, type=Identified).event_id))
    return found


def by_key(records: list[tuple[bytes, str]]) -> dict[bytes, list[str]]:
    """Event ids of each key in order, each at its first arrival."""
    order: dict[bytes, dict[str, None]] = defaultdict(dict)
    for key, event_id in records:
        order[key].setdefault(event_id)
    return {key: list(ids) for key, ids in order.items()}


def wait_for(settings: Settings, process: subprocess.Popen[str], records: int) -> None:
    """Until the transactions topic holds so many more records than now."""
    reader = consumer(settings)
    deadline = time.monotonic() + 120
    first: int | None = None
    while time.monotonic() < deadline and process.poll() is None:
        # Just after it was created, a topic's partitions have no leader yet.
        with suppress(KafkaException):
            now = sum(ends(settings, reader, "transactions.v1").values())
            first = now if first is None else first
            if now - first >= records:
                reader.close()
                return
        time.sleep(0.05)
    raise AssertionError(f"the replay did not get that far: {process.communicate()}")


def test_every_event_arrives_once_in_the_order_of_its_key(settings: Settings, start: Start) -> None:
    process = start("--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    wanted, found = expected(), held(settings)
    for topic in REPLAYED:
        assert Counter(found[topic]) == Counter(wanted[topic])
        assert by_key(found[topic]) == by_key(wanted[topic])
    summary = json.loads(out)
    assert summary["finished"]
    assert {name: row["acknowledged"] for name, row in summary["topics"].items()} == {
        name: len(records) for name, records in wanted.items()
    }
    # A second run has nothing to do, another one is refused, and a part of it is done already.
    again = start("--json")
    assert json.loads(again.communicate(timeout=120)[0])["events"] == 0
    other = start("--original-time")
    assert "--restart" in other.communicate(timeout=120)[1]
    assert other.returncode == 1


def test_a_killed_replay_goes_on_and_loses_nothing(settings: Settings, start: Start) -> None:
    # Paced, so that it is under way long enough to be killed, before and after its position is saved.
    for records in (1, 700, 4000):
        process = start(*some(), "--speed=3000000x")
        wait_for(settings, process, records)
        process.send_signal(signal.SIGKILL)
        process.wait()
    position = msgspec.json.decode(position_file(settings).read_bytes(), type=Position)
    assert 0 < position.acknowledged["transactions.v1"] < len(expected()["transactions.v1"])
    process = start(*some())
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    wanted, found = expected(), held(settings)
    for topic in SOME:
        assert set(found[topic]) == set(wanted[topic])
        assert by_key(found[topic]) == by_key(wanted[topic])


def test_a_second_replay_beside_the_first_sends_nothing(settings: Settings, start: Start) -> None:
    first = start(*some(), "--speed=100000x")  # it must last until the second has started
    wait_for(settings, first, 1)
    second = start(*some())
    _, err = second.communicate(timeout=120)
    assert second.returncode == 1
    assert f"A replay of {settings.home} is at work" in err
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_replay_goes_on_from_there(
    settings: Settings, start: Start, ending: signal.Signals
) -> None:
    process = start(*some(), "--speed=3000000x")
    wait_for(settings, process, 500)
    process.send_signal(ending)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    process = start(*some(), "--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    wanted, found = expected(), held(settings)
    for topic in SOME:
        assert Counter(found[topic]) == Counter(wanted[topic])
        assert by_key(found[topic]) == by_key(wanted[topic])
    assert 0 < json.loads(out)["events"] < sum(len(wanted[topic]) for topic in SOME)


def test_days_topics_and_their_mistakes(start: Start) -> None:
    process = start("--topics=payments.v1", "--days=30", "--original-time", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    first = json.loads(out)["topics"]["payments.v1"]
    assert 0 < first["acknowledged"] == first["total"]
    further = start("--topics=payments.v1", "--until=2017-03-01", "--original-time", "--json")
    second = json.loads(further.communicate(timeout=120)[0])["topics"]["payments.v1"]
    assert second["sent"] == second["total"] - first["total"] > 0
    for mistake in (["--topics=nothing.v1"], ["--speed=fast"], ["--days=1", "--until=2017-03-01"]):
        process = start(*mistake)
        _, err = process.communicate(timeout=60)
        assert process.returncode in {1, 2}
        assert "Traceback" not in err
        assert len(err) > 20
