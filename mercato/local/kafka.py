"""One real Kafka broker in KRaft mode (docs: kafka.apache.org/documentation/#kraft)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from mercato.local.java import ANY_NAMES, LOG4J, java_home


def server_properties(port: int, controller_port: int, log_dir: Path) -> str:
    """Configuration of a single node that is broker and controller, on loopback only."""
    properties: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": log_dir,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "num.partitions": 4,
        "message.max.bytes": 2_097_152,
        # The replayed year must outlive the week that Kafka keeps by default.
        "log.retention.hours": -1,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
    }
    # Java reads the file as Latin-1, and escapes as JSON has them.
    return "".join(f"{key}={json.dumps(str(value))[1:-1]}\n" for key, value in properties.items())


def _java(jars: Path) -> list[str]:
    return [str(java_home() / "bin" / "java"), "-cp", f"{jars / 'kafka'}/*"]


def prepare(state: Path, jars: Path, port: int, controller_port: int) -> list[str]:
    """Write the configuration, format the storage once, return the broker's command.

    The storage is formatted only when it is new. The configuration is written for the ports
    at hand: a broker whose ports moved tells its quorum of one the new address as it starts.

    Raises:
        FileNotFoundError: the jars have not been set up.
        RuntimeError: Kafka cannot keep records there.
        subprocess.CalledProcessError: the storage could not be formatted.
    """
    if not (jars / "kafka").is_dir():
        raise FileNotFoundError(
            f"No Kafka in {jars}. `make setup` puts it into the checkout's var/jars: for another home, set "
            "MERCATO_JARS_DIR to that folder, or use `make demo MERCATO_HOME=...`."
        )
    if "," in str(state):
        raise RuntimeError(f"{state}: Kafka takes a comma in the name of a folder for the end of it.")
    state.mkdir(parents=True, exist_ok=True)
    config, log4j, data = state / "server.properties", state / "log4j2.properties", state / "data"
    config.write_text(server_properties(port, controller_port, data))
    log4j.write_text(LOG4J)
    if not (data / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # After an equals sign, as one id in 64 begins with a hyphen and would be read as an option.
        named = f"--cluster-id={cluster}"
        storage = [*_java(jars), "kafka.tools.StorageTool", "format", "--standalone", named]
        environment = {**os.environ, **ANY_NAMES}
        subprocess.run([*storage, "-c", str(config)], check=True, capture_output=True, env=environment)
    elif cluster_id(state) is None:
        raise RuntimeError(
            f"{data} names no cluster: delete {state} and replay again, as its records are lost."
        )
    heap = ["-Xms512m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
    command = _java(jars)
    return [
        command[0],
        *heap,
        f"-Dlog4j2.configurationFile={log4j}",
        *command[1:],
        "kafka.Kafka",
        str(config),
    ]


def cluster_id(state: Path) -> str | None:
    """Id that the storage was formatted with."""
    meta = state / "data" / "meta.properties"
    lines = meta.read_text().splitlines() if meta.exists() else []
    return next((line.split("=", 1)[1] for line in lines if line.startswith("cluster.id=")), None)


def healthy(bootstrap: str, state: Path) -> bool:
    """Whether the broker that answers is the one whose storage is in `state`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        return bool(admin.list_topics(timeout=2).cluster_id == cluster_id(state))
    except KafkaException:
        return False
