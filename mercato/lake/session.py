"""Where jobs run: Sail in process, Spark beside it, or any Spark Connect address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mercato.errors import MercatoError
from mercato.lake.storage import check_readable
from mercato.local.children import end_with_parent
from mercato.local.java import ANY_NAMES, java_home
from mercato.local.ports import free_port
from mercato.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: The same on every engine, because they change results.
SHARED_CONF = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
#: The quick compiler only, as a driver here lives for minutes. With it alone Java makes room for 48 MB of
#: code, not its usual 240, which the classes that Spark generates fill: "Out of space in CodeCache".
SHORT_LIVED_JVM = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
_START_TIMEOUT = 120
#: Spark's default, and seconds for it to accept a connection.
_CONNECT_PORT, _PROBE_TIMEOUT = 15_002, 5


class UnknownEngineError(MercatoError):
    """The engine's name is none that Mercato knows."""


class EngineNotStartedError(MercatoError):
    """The engine is not installed, or did not start."""


@contextmanager
def connect(settings: Settings, engine: str | None = None) -> Iterator[SparkSession]:
    """A Spark session on the chosen engine; everything it started is stopped at the end.

    Args:
        engine: `sail`, `spark`, `sc://host:port`, or `active` for the session that Glue or EMR
            hands over; `settings.engine` unless given.

    Raises:
        UnknownEngineError: the name is none of these.
        UnreadableLakeError: the engine would not find the lake's tables.
        EngineNotStartedError: `spark` has no jars, or ended while it started; nothing answers at `sc://`.
        mercato.local.java.JavaNotFoundError: `spark` finds no JDK it can run on.
    """
    name = engine or settings.engine
    check_readable(settings.lake_uri)
    if name == "sail":
        opened = _sail()
    elif name == "spark":
        opened = _spark(settings)
    elif name.startswith("sc://"):
        _probe(name)
        opened = _remote(name)
    elif name == "active":
        opened = _active()
    else:
        raise UnknownEngineError(f"Unknown engine {name!r}: use sail, spark, active or sc://host:port.")
    with opened as session:
        yield session


@contextmanager
def _active() -> Iterator[SparkSession]:
    """The session this process was given; its owner stops it."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    _configure(session)
    yield session


def _configure(session: SparkSession) -> None:
    for key, value in SHARED_CONF.items():
        session.conf.set(key, value)


@contextmanager
def _remote(address: str) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    # Not `getOrCreate`: two engines may live in one process, as in the parity tests.
    session = SparkSession.builder.remote(address).create()
    try:
        _configure(session)
        yield session
    finally:
        session.stop()


def _probe(address: str) -> None:
    """See that anything listens there: Spark's client asks for twenty minutes before it gives up."""
    place = urlsplit(address)
    try:
        with socket.create_connection((place.hostname or "", place.port or _CONNECT_PORT), _PROBE_TIMEOUT):
            pass
    except (OSError, ValueError) as error:
        raise EngineNotStartedError(
            # The rest of the address may hold a token.
            f"No Spark Connect server answers at sc://{place.netloc} ({error}): start it, or correct "
            "--engine or MERCATO_ENGINE."
        ) from error


@contextmanager
def _sail() -> Iterator[SparkSession]:
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    try:
        with _remote(f"sc://127.0.0.1:{port}") as session:
            _take_back_interrupts()
            yield session
    finally:
        server.stop()


def _take_back_interrupts() -> None:
    """Let Ctrl-C reach Python alone: Sail stops at it too, and who then still asks it waits for minutes."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))


@contextmanager
def _spark(settings: Settings) -> Iterator[SparkSession]:
    """Spark as a Connect server of its own, so that job code meets one API on every engine."""
    import pyspark

    jars = sorted((settings.jars_dir / "spark").glob("*.jar"))
    if not jars:
        raise EngineNotStartedError(f"No Spark jars in {settings.jars_dir}: run `make setup`.")
    port = free_port()
    conf = {
        **SHARED_CONF,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.driver.extraJavaOptions": SHORT_LIVED_JVM,
        "spark.sql.shuffle.partitions": 4,
        "spark.databricks.delta.snapshotPartitions": 2,
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.ui.enabled": "false",
    }
    home = Path(pyspark.__file__).parent
    command = [str(home / "bin" / "spark-submit"), "--master", "local[2]"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command += [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    environment = {**os.environ, **ANY_NAMES, "JAVA_HOME": str(java_home()), "PYSPARK_PYTHON": sys.executable}
    # Python workers import what this process can.
    environment |= {"SPARK_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    log = settings.home / "log" / "spark.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output, tempfile.TemporaryDirectory(prefix="mercato-spark-") as scratch:
        server = subprocess.Popen(
            [*command, "spark-internal"],
            env=environment,
            cwd=scratch,
            stdout=output,
            stderr=output,
            # Ctrl-C is for this process, which may still need the server to finish a job.
            start_new_session=True,
            preexec_fn=end_with_parent(),
        )
        try:
            _await_port(port, server, log)
            with _remote(f"sc://127.0.0.1:{port}") as session:
                yield session
        finally:
            server.terminate()
            server.wait()


def _await_port(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    how = f"did not start within {_START_TIMEOUT} s" if server.poll() is None else "ended while it started"
    raise EngineNotStartedError(f"Spark {how}; see {log}.")
