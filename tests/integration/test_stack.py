"""Engines are started, told apart and stopped."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import redis
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from mercato.local import kafka, ports
from mercato.local.supervisor import Stack, StackError
from mercato.settings import Settings
from tests.integration.homes import command, environment, marked

pytestmark = pytest.mark.integration


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


def test_one_service_is_stopped_and_the_supervisor_stays_for_the_others(redis_only: Settings) -> None:
    def mercato(*arguments: str) -> subprocess.CompletedProcess[str]:
        asked = command(redis_only, *arguments)
        return subprocess.run(asked, env=environment(redis_only), capture_output=True, text=True, timeout=60)

    try:
        assert mercato("up", "redis").returncode == 0
        unknown = mercato("down", "redis", "nothing")
        assert unknown.returncode == 1
        assert "no service 'nothing'" in unknown.stderr
        (running,) = (row for row in Stack(redis_only).status() if row.name == "redis")
        assert running.healthy
        assert mercato("down", "redis").stderr == "stopped redis\n"
        assert [row.state for row in Stack(redis_only).status() if row.name == "redis"] == ["STOPPED"]
        assert mercato("down", "redis").returncode == 0
        assert mercato("up", "redis").returncode == 0
    finally:
        Stack(redis_only).down()


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


def test_what_is_stopped_while_it_starts_is_not_waited_for(redis_only: Settings) -> None:
    stack = Stack(redis_only)
    with pytest.raises(StackError, match="mlflow was stopped while starting"):
        stack.up(["redis", "mlflow"], on_progress=lambda _name, _seconds: stack.down())


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
