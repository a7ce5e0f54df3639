"""Engines are started, told apart, watched and stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from mercato.local import kafka, ports
from mercato.local.daemon import HOME_MARKER
from mercato.local.supervisor import Stack, StackError
from mercato.settings import Settings
from mercato.stream.offsets import watermarks

pytestmark = pytest.mark.integration


def marked(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_MARKER) == str(home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture
def redis_only(tmp_path: Path, stack_settings: Settings) -> Settings:
    return Settings(home=tmp_path / "with space" / ("x" * 120), jars_dir=stack_settings.jars_dir)


def test_storage_is_formatted_under_an_id_that_begins_with_a_hyphen(
    redis_only: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xfb" + bytes(15)))
    state = redis_only.home / "kafka"
    kafka.prepare(state, redis_only.jars_dir, 9092, 9093)
    assert (kafka.cluster_id(state) or "").startswith("-")


def test_a_broker_keeps_its_records_in_a_home_of_any_name(tmp_path: Path, stack_settings: Settings) -> None:
    """Even under a locale in which Java takes every name for ASCII, as cron has it."""
    own = Settings(home=tmp_path / "läden & söhne", jars_dir=stack_settings.jars_dir)
    plain = {**environment(own), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command(own, "up", "kafka"), env=plain, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert (own.home / "state" / "kafka" / "data" / "meta.properties").exists()
        assert [path.name for path in tmp_path.iterdir()] == [own.home.name]
    finally:
        Stack(own).down()


def test_a_name_that_kafka_would_split_is_refused(tmp_path: Path, stack_settings: Settings) -> None:
    stack = Stack(Settings(home=tmp_path / "a,b", jars_dir=stack_settings.jars_dir))
    try:
        with pytest.raises(StackError, match="comma"):
            stack.up(["kafka"])
    finally:
        stack.down()


def command(settings: Settings, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mercato", *arguments]


def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "MERCATO_HOME": str(settings.home), "MERCATO_JARS_DIR": str(settings.jars_dir)}


def test_each_engine_really_answers(settings: Settings) -> None:
    topic = f"{settings.topic_prefix}hello"
    admin = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")})
    admin.create_topics([NewTopic(topic, 1)])[topic].result()
    producer = Producer(
        {"bootstrap.servers": settings.require("kafka_bootstrap"), "enable.idempotence": True}
    )
    producer.produce(topic, b"value")
    assert producer.flush(20) == 0
    consumer = Consumer(
        {
            "bootstrap.servers": settings.require("kafka_bootstrap"),
            "group.id": topic,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.value() == b"value"

    with redis.Redis.from_url(settings.require("redis_url")) as client:
        client.set(topic, "1")
        assert client.get(topic) == b"1"
        client.delete(topic)

    url = f"{settings.require('mlflow_uri')}/api/2.0/mlflow/experiments/create"
    assert "experiment_id" in httpx2.post(url, json={"name": topic}, timeout=20).json()


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = {row.name: row.pid for row in stack.status()}
    stack.up(["redis", "kafka"])
    assert {row.name: row.pid for row in stack.status()} == before


def test_two_that_start_the_same_at_once_both_have_it(
    redis_only: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(names: Iterable[str], memory: Path) -> dict[str, int]:
        time.sleep(0.5)
        return assign(names, memory)

    assign = ports.assign
    monkeypatch.setattr(ports, "assign", slow)
    stacks = Stack(redis_only), Stack(redis_only)
    try:
        with ThreadPoolExecutor(2) as pool:
            for started in [pool.submit(stack.up, ["redis"]) for stack in stacks]:
                started.result()
        redis.Redis.from_url(redis_only.require("redis_url")).ping()
    finally:
        stacks[0].down()


def test_an_unknown_name_is_refused_with_the_known_ones(redis_only: Settings) -> None:
    with pytest.raises(StackError, match=r"no service 'rediss'; there are kafka, redis"):
        Stack(redis_only).up(["rediss"])


def test_two_homes_run_side_by_side_and_stop_apart(stack: Stack, redis_only: Settings) -> None:
    other = Stack(redis_only)
    other.up(["redis"])
    try:
        urls = [row.url for each in (stack, other) for row in each.status() if row.name == "redis"]
        assert len(set(urls)) == 2
    finally:
        other.down()
    assert marked(redis_only.home) == []
    assert all(row.healthy for row in stack.status() if row.name == "redis")


def test_a_killed_engine_comes_back_with_its_data(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    stack.up(["redis"])
    try:
        first = next(row for row in stack.status() if row.name == "redis")
        assert first.pid
        assert first.url
        redis.Redis.from_url(first.url).set("kept", "yes")
        time.sleep(1.2)  # appendfsync everysec
        os.kill(first.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            row = next(row for row in stack.status() if row.name == "redis")
            if row.healthy and row.pid != first.pid:
                break
            time.sleep(0.2)
        assert row.healthy
        assert redis.Redis.from_url(first.url).get("kept") == b"yes"
    finally:
        stack.down()


def test_an_engine_that_cannot_start_is_reported_with_its_log(redis_only: Settings) -> None:
    state = redis_only.home / "state" / "redis" / "appendonlydir"
    state.mkdir(parents=True)
    (state / "appendonly.aof.manifest").write_text("not a manifest\n")
    stack = Stack(redis_only)
    try:
        with pytest.raises(StackError, match=r"(?s)redis stopped while starting.*AOF"):
            stack.up(["redis"])
        row = next(row for row in stack.status() if row.name == "redis")
        assert row.state == "FATAL"
        assert "redis.log" in row.log_tail
        shown = subprocess.run(
            command(redis_only, "status"), env=environment(redis_only), capture_output=True, check=False
        )
        assert shown.returncode == 1
    finally:
        stack.down()


def test_what_is_stopped_while_it_starts_is_not_waited_for(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    with pytest.raises(StackError, match="mlflow was stopped while starting"):
        stack.up(["redis", "mlflow"], on_progress=lambda _name, _seconds: stack.down())


def test_down_finds_the_orphans_of_a_killed_supervisor(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    stack.up(["redis"])
    supervisor = int((redis_only.home / "run" / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    psutil.wait_procs([p for p in marked(redis_only.home) if p.pid == supervisor], timeout=5)
    assert sorted(stack.orphans()) == sorted(process.pid for process in marked(redis_only.home)) != []
    status = subprocess.run(
        command(redis_only, "status"),
        env=environment(redis_only),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (status.returncode, "runs on" in status.stderr) == (1, True)
    stack.down()
    assert marked(redis_only.home) == [] == stack.orphans()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ending_the_foreground_leaves_no_process(redis_only: Settings, ending: signal.Signals) -> None:
    foreground = command(redis_only, "up", "redis", "--foreground", "--json")
    process = subprocess.Popen(
        # As a shell starts a background job: SIGINT ignored.
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *foreground],
        env=environment(redis_only),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    rows = ""
    while not rows.rstrip().endswith("\n]"):
        rows += process.stdout.readline()
    assert [row["name"] for row in json.loads(rows) if row["healthy"]] == ["redis"]
    process.send_signal(ending)
    assert process.wait(30) == 130
    assert marked(redis_only.home) == []


def test_a_killed_broker_comes_back_with_its_records(stack: Stack, settings: Settings) -> None:
    topic = f"{settings.topic_prefix}kept"
    bootstrap = {"bootstrap.servers": settings.require("kafka_bootstrap")}
    admin = AdminClient(bootstrap)
    admin.create_topics([NewTopic(topic, 1)])[topic].result()
    producer = Producer({**bootstrap, "acks": "all"})
    for number in range(1000):
        producer.produce(topic, str(number).encode())
    assert producer.flush(20) == 0
    first = next(row for row in stack.status() if row.name == "kafka")
    assert first.pid
    os.kill(first.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    row = first
    while (row.pid == first.pid or not row.healthy) and time.monotonic() < deadline:
        time.sleep(0.5)
        row = next(row for row in stack.status() if row.name == "kafka")
    assert row.healthy
    consumer = Consumer({**bootstrap, "group.id": topic})
    assert watermarks(consumer, TopicPartition(topic, 0)) == (0, 1000)
    consumer.close()


def test_a_home_that_supervisord_cannot_run_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="with % in its name"):
        Stack(Settings(home=tmp_path / "100%")).up(["redis"])


def test_a_port_taken_meanwhile_is_replaced(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    try:
        stack.up(["redis"])
        first = json.loads((redis_only.home / "run" / "ports.json").read_text())["redis"]
        stack.down()
        with socket.create_server(("127.0.0.1", first)):
            stack.up(["redis"])
            row = next(row for row in stack.status() if row.name == "redis")
        assert row.healthy
        assert row.url != f"redis://127.0.0.1:{first}/0"
        assert redis_only.require("redis_url") == row.url
    finally:
        stack.down()


def test_a_stranger_on_the_port_is_not_taken_for_the_engine(redis_only: Settings) -> None:
    """Redis dies and another server has its port: not healthy, whatever that server answers."""
    stack = Stack(redis_only)
    stack.up(["redis"])
    try:
        port = json.loads((redis_only.home / "run" / "ports.json").read_text())["redis"]
        stack.stop("redis")
        answers = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(redis_only.home)]
        stranger = subprocess.Popen([*answers, "--save", ""], stdout=subprocess.DEVNULL)
        try:
            redis.Redis(port=port, retry=Retry(ConstantBackoff(0.1), 50)).ping()
            assert not next(row for row in stack.status() if row.name == "redis").healthy
            stack.up(["redis"])
            assert redis_only.require("redis_url") != f"redis://127.0.0.1:{port}/0"
        finally:
            stranger.kill()
            stranger.wait()
    finally:
        stack.down()


def test_stale_files_of_a_killed_machine_do_not_matter(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    stack.up(["redis"])
    for process in marked(redis_only.home):
        process.kill()
    assert (redis_only.home / "run" / "supervisord.pid").exists()
    try:
        assert not any(row.healthy for row in stack.status())
        stack.up(["redis"])
        assert next(row for row in stack.status() if row.name == "redis").healthy
    finally:
        stack.down()
