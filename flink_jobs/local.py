"""Run the session job on this machine, from the jar that AWS gets: `python -m flink_jobs.local`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.artifacts.catalog import artifact
from infra.artifacts.flink import SESSIONS_JAR
from mercato.errors import MercatoError
from mercato.local.java import java_home
from mercato.settings import Settings, get_settings
from mercato.stream.topics import ensure_topics

#: What the session job reads from the service's runtime properties.
PROPERTY_GROUP = "mercato"

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
logger.cli.name = org.apache.flink.client.cli
logger.cli.level = error
logger.metrics.name = org.apache.flink.metrics
logger.metrics.level = error
"""
#: Flink's serializers look into these packages; its own scripts open them too.
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "java.text", "java.time", "java.util",
           "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks")  # fmt: skip


def runtime_properties(settings: Settings) -> list[dict[str, object]]:
    """The properties in the form in which Managed Service for Apache Flink hands them over.

    Raises:
        mercato.settings.NotRunningError: Kafka has no address.
    """
    values = {
        "kafka.bootstrap.servers": settings.require("kafka_bootstrap"),
        "kafka.security.protocol": "PLAINTEXT",
        "topic.prefix": settings.topic_prefix,
    }
    return [{"PropertyGroupId": PROPERTY_GROUP, "PropertyMap": values}]


def _flink_options(state: Path, checkpoint_seconds: float) -> Mapping[str, object]:
    """What the service sets on AWS."""
    return {
        "execution.checkpointing.interval": f"{round(checkpoint_seconds * 1000)} ms",
        "execution.checkpointing.dir": (state / "checkpoints").as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "state.backend.type": "rocksdb",
        "parallelism.default": 2,
        "table.dml-sync": "true",
    }


def newest_checkpoint(state: Path) -> Path | None:
    """Folder of the last checkpoint that was completed, `None` if there is none."""
    complete = (state / "checkpoints").glob("*/chk-*/_metadata")
    return max((one.parent for one in complete), key=lambda one: one.stat().st_mtime, default=None)


def prepare(settings: Settings, jar: Path, checkpoint_seconds: float = 10.0) -> list[str]:
    """Write the job's configuration under the home; the command that goes on where it last stopped.

    The command needs `FLINK_CONF_DIR` set to `flink_home(settings)`.

    Raises:
        MercatoError: Flink's jars or Kafka are missing.
    """
    flink = settings.jars_dir / "flink"
    if not flink.is_dir():
        raise MercatoError(f"No Flink in {settings.jars_dir}: run `make var/jars/flink.stamp`.")
    state = flink_home(settings)
    # Flink unpacks jars there and leaves them when it is killed.
    scratch = state / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    options = _flink_options(state, checkpoint_seconds)
    properties, log4j = state / "properties.json", state / "log4j2.properties"
    properties.write_text(json.dumps(runtime_properties(settings)))
    log4j.write_text(_LOG4J)
    (state / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in options.items()))
    last = newest_checkpoint(state)
    return [
        *(str(java_home() / "bin" / "java"), "-Xmx1g"),
        *(f"-Djava.io.tmpdir={scratch}", f"-Dlog4j2.configurationFile={log4j}"),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        *("-cp", f"{flink}/*", "org.apache.flink.client.cli.CliFrontend", "run", "--target", "local"),
        *(("--fromSavepoint", str(last)) if last else ()),
        *(str(jar), str(properties)),
    ]


def flink_home(settings: Settings) -> Path:
    """Folder with the job's configuration and checkpoints."""
    return settings.home / "state" / "flink"


def main() -> None:
    """Become the job, until it is stopped."""
    settings = get_settings()
    try:
        ensure_topics(settings)
        command = prepare(settings, artifact("flink-sessions").build() / SESSIONS_JAR)
    except MercatoError as error:
        raise SystemExit(str(error)) from None
    print("following clickstream.v1 into sessions.v1; Ctrl-C stops", flush=True)
    os.execvpe(command[0], command, {**os.environ, "FLINK_CONF_DIR": str(flink_home(settings))})


if __name__ == "__main__":
    main()
