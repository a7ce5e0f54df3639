"""The session job as it is shipped: the uber-jar on Flink 2.2, between real Kafka topics."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from flink_jobs.local import flink_home, newest_checkpoint, prepare
from infra.artifacts.catalog import artifact
from infra.artifacts.flink import SESSIONS_JAR
from mercato.contracts.events import CLICKSTREAM, SESSIONS, Click, Session
from mercato.contracts.events.clickstream import Action
from mercato.online.session import SESSION_GAP
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics, kafka_name
from tests.sessions import recount

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.exercises("flink-sessions"),
]

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
#: Long after the last session: these clicks close it, and their own sessions stay open.
CLOSING = START + timedelta(days=3)
ACTIONS: tuple[Action, ...] = ("view", "search", "add_to_cart", "remove_from_cart", "checkout")
#: The pauses at which a session just goes on, and just ends.
PAUSES = (timedelta(seconds=1), timedelta(seconds=40), SESSION_GAP, SESSION_GAP + timedelta(milliseconds=1))


@pytest.fixture(scope="session")
def jar() -> Path:
    return artifact("flink-sessions").build() / SESSIONS_JAR


@contextmanager
def job(settings: Settings, jar: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = prepare(settings, jar, checkpoint_seconds=1)
    environment = {**os.environ, "FLINK_CONF_DIR": str(flink_home(settings))}
    with (settings.home / "flink.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def click(number: int, household: int, when: datetime, action: Action, product: int) -> Click:
    return Click(
        event_id=f"c{number}",
        event_time=when,
        simulated=number % 11 == 0,
        household_id=household,
        session_id="s",
        action=action,
        product_id=product if action not in ("search", "checkout") else None,
        query="milk" if action == "search" else None,
        basket_id=number + 1 if action == "checkout" else None,
    )


def shopping(households: int, clicks_each: int) -> list[Click]:
    """Seeded clicks in time order over all households."""
    chance = random.Random(20260302)
    found: list[Click] = []
    for household in range(1, households + 1):
        when = START + timedelta(
            milliseconds=chance.randrange(3_600_000), microseconds=chance.randrange(1000)
        )
        for _ in range(clicks_each):
            action = chance.choices(ACTIONS, (8, 2, 4, 2, 1))[0]
            found.append(click(len(found), household, when, action, chance.randrange(1, 12)))
            when += chance.choices(PAUSES, (6, 6, 1, 2))[0]
    return sorted(found, key=lambda one: one.event_time)


def broken(event: Click) -> list[bytes | None]:
    """Records that break the contract, each of which would end or derail a careless job."""
    fields = msgspec.to_builtins(event)

    def changed(**values: object) -> bytes:
        return msgspec.json.encode({**fields, "event_id": "broken", **values})

    return [
        None,
        b"",
        b'{"event_id": ',
        b"\xff\xfe",
        b"null",
        b"[" * 5000,
        changed(event_time="2999-01-01T00:00:00Z"),
        changed(event_time="1999-01-01T00:00:00Z"),
        changed(event_time="yesterday"),
        changed(event_time=None),
        changed(household_id="nobody"),
        changed(household_id=0),
        changed(household_id=None),
        changed(action="steal"),
        changed(action="view", product_id=None),
        changed(action="search", query=None),
        changed(action="checkout", basket_id=None),
        changed(event_id=None),
    ]


def send(settings: Settings, clicks: list[Click], others: list[bytes | None] | None = None) -> None:
    """Send clicks to their households' partitions, and other values to every partition."""
    producer = Producer({"bootstrap.servers": settings.require("kafka_bootstrap"), "linger.ms": 5})
    topic = kafka_name(settings, CLICKSTREAM.name)
    for number, event in enumerate(clicks):
        value = CLICKSTREAM.encode(event)
        key = str(event.household_id).encode()
        producer.produce(topic, value, key, partition=event.household_id % CLICKSTREAM.partitions)
        if others and number < len(others):
            for partition in range(CLICKSTREAM.partitions):
                producer.produce(topic, others[number], partition=partition)
        producer.poll(0)
    assert producer.flush(30) == 0


def closing() -> list[Click]:
    """A click on every partition that moves its watermark beyond all sessions."""
    return [click(10_000_000 + n, 1000 + n, CLOSING, "view", 1) for n in range(CLICKSTREAM.partitions)]


def committed(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Key and value of every record that a read_committed reader sees now."""
    reader = Consumer({
        "bootstrap.servers": settings.require("kafka_bootstrap"),
        "group.id": "test",
        "isolation.level": "read_committed",
    })  # fmt: skip
    name = kafka_name(settings, SESSIONS.name)
    reader.assign([TopicPartition(name, p, OFFSET_BEGINNING) for p in range(SESSIONS.partitions)])
    found = []
    while batch := reader.consume(1000, timeout=2):
        assert [message.error() for message in batch if message.error()] == []
        found += [(message.key() or b"", message.value() or b"") for message in batch]
    reader.close()
    return found


def until(
    process: subprocess.Popen[bytes], settings: Settings, done: Callable[[], bool], seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        log = (settings.home / "flink.log").read_text()[-6000:]
        assert process.poll() is None, f"the job ended:\n{log}"
        assert time.monotonic() < deadline, f"it did not happen in time:\n{log}"
        time.sleep(0.5)


def decoded(records: list[tuple[bytes, bytes]]) -> list[Session]:
    """The sessions, each valid by its contract and keyed as it says."""
    sessions = []
    for key, value in records:
        session = SESSIONS.decode(value, datetime.now(UTC))
        assert isinstance(session, Session), session
        assert key == str(session.household_id).encode()
        sessions.append(session)
    return sorted(sessions, key=lambda one: one.event_id)


def expected(clicks: list[Click]) -> list[Session]:
    return sorted(recount(clicks), key=lambda one: one.event_id)


def test_sessions_are_those_of_a_recount(settings: Settings, jar: Path) -> None:
    ensure_topics(settings)
    clicks = shopping(households=60, clicks_each=80)
    wanted = expected(clicks)
    assert len(wanted) > 300
    assert {one.abandoned for one in wanted} == {True, False}
    # The same instant, with another offset, is the same click.
    abroad = [
        msgspec.structs.replace(one, event_time=one.event_time.astimezone(timezone(timedelta(hours=9))))
        for one in clicks
    ]
    with job(settings, jar) as process:
        send(settings, abroad, broken(clicks[0]))
        send(settings, clicks[-500:])
        send(settings, closing())
        until(process, settings, lambda: len(committed(settings)) >= len(wanted), 150)
    assert decoded(committed(settings)) == wanted


def test_a_killed_job_goes_on_from_its_checkpoint_and_repeats_nothing(settings: Settings, jar: Path) -> None:
    ensure_topics(settings)
    clicks = shopping(households=40, clicks_each=60)
    half = len(clicks) // 2
    wanted = expected(clicks)
    with job(settings, jar) as process:
        send(settings, clicks[:half])
        until(process, settings, lambda: len(committed(settings)) > 0, 150)
        until(process, settings, lambda: newest_checkpoint(flink_home(settings)) is not None, 60)
        send(settings, clicks[half : half + half // 2])
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < len(committed(settings)) < len(wanted)
    with job(settings, jar) as process:
        send(settings, [*clicks[half + half // 2 :], *closing()])
        until(process, settings, lambda: len(committed(settings)) >= len(wanted), 150)
    assert decoded(committed(settings)) == wanted


def test_the_jar_holds_what_iam_needs_and_not_what_the_service_brings(jar: Path) -> None:
    with ZipFile(jar) as opened:
        names = set(opened.namelist())
    assert "software/amazon/msk/auth/iam/IAMClientCallbackHandler.class" in names
    assert "org/apache/kafka/clients/producer/KafkaProducer.class" in names
    assert not [name for name in names if name.startswith("org/apache/flink/runtime/")]
