"""Engines and supervisors that are killed, or cannot start, leave neither losses nor processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from mercato.local.supervisor import Stack, StackError
from mercato.settings import Settings
from mercato.stream.offsets import watermarks
from tests.integration.homes import command, environment, marked
from tests.waiting import eventually

pytestmark = pytest.mark.integration


def runs_anew(stack: Stack, name: str, before: int | None) -> bool:
    row = next(row for row in stack.status() if row.name == name)
    return row.healthy and row.pid != before


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
        assert eventually(lambda: runs_anew(stack, "redis", first.pid))
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


def test_a_killed_broker_comes_back_with_its_records(tmp_path: Path, stack_settings: Settings) -> None:
    """A broker of its own: the one of the other tests has thousands of partitions to look through by then."""
    own = Settings(home=tmp_path, jars_dir=stack_settings.jars_dir)
    stack, topic = Stack(own), "kept"
    stack.up(["kafka"])
    try:
        bootstrap = {"bootstrap.servers": own.require("kafka_bootstrap")}
        admin = AdminClient(bootstrap)
        admin.create_topics([NewTopic(topic, 1)])[topic].result()
        producer = Producer({**bootstrap, "acks": "all"})
        for number in range(1000):
            producer.produce(topic, str(number).encode())
        assert producer.flush(20) == 0
        first = next(row for row in stack.status() if row.name == "kafka")
        assert first.pid
        os.kill(first.pid, signal.SIGKILL)
        assert eventually(lambda: runs_anew(stack, "kafka", first.pid), 60)
        consumer = Consumer({**bootstrap, "group.id": topic})
        assert watermarks(consumer, TopicPartition(topic, 0)) == (0, 1000)
        consumer.close()
    finally:
        stack.down()


def test_a_stranger_on_the_port_is_not_taken_for_the_engine(redis_only: Settings) -> None:
    """Redis dies and another server has its port: not healthy, whatever that server answers."""
    stack = Stack(redis_only)
    stack.up(["redis"])
    try:
        port = json.loads((redis_only.home / "run" / "ports.json").read_text())["redis"]
        stack.stop(["redis"])
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
