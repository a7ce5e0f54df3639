"""How a Spark of this machine is started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mercato.lake.session import SHORT_LIVED_JVM, EngineNotStartedError, connect
from mercato.local.java import java_home
from mercato.local.ports import free_port
from mercato.settings import Settings


def _code_cache(*options: str) -> int:
    """Bytes that Java reserves for compiled code."""
    command: list[str | Path] = [java_home() / "bin" / "java", *options, "-XX:+PrintFlagsFinal", "-version"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (found,) = re.findall(r"ReservedCodeCacheSize\s*=\s*(\d+)", printed)
    return int(found)


def test_a_short_lived_driver_has_as_much_room_for_code_as_any() -> None:
    """Spark's generated classes once filled what the quick compiler is given alone."""
    usual = _code_cache()
    assert _code_cache(*SHORT_LIVED_JVM.split()) >= usual
    assert _code_cache("-XX:TieredStopAtLevel=1") < usual


def test_missing_jars_are_said_with_the_command_that_gets_them(tmp_path: Path) -> None:
    with (
        pytest.raises(EngineNotStartedError, match="run `make setup`"),
        connect(Settings(home=tmp_path, jars_dir=tmp_path / "jars"), "spark"),
    ):
        pass


@contextmanager
def asking(script: str, engine: str, settings: Settings, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with a terminal's worth of signals to itself, once it is asking the engine."""
    command: list[str | Path] = [sys.executable, "-c", script, home, settings.jars_dir, engine]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "asking\n"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


ENDLESS = """
import signal, sys
from pathlib import Path
from mercato.lake.session import connect
from mercato.settings import Settings

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
with connect(Settings(home=Path(sys.argv[1]), jars_dir=Path(sys.argv[2])), sys.argv[3]) as spark:
    endless = spark.range(10**14).selectExpr("sum(id % 7)")
    print("asking", flush=True)
    endless.collect()
"""


@pytest.mark.parametrize("engine", ["sail", pytest.param("spark", marks=pytest.mark.slow)])
def test_ctrl_c_ends_the_engine_and_who_waits_for_it(
    engine: str, stack_settings: Settings, tmp_path: Path
) -> None:
    """The engine in the process stopped first, and who asked it then tried for minutes."""
    with asking(ENDLESS, engine, stack_settings, tmp_path) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20)


def test_an_address_at_which_nothing_listens_is_said_at_once(tmp_path: Path) -> None:
    """Spark's client asked for twenty minutes."""
    nobody = f"sc://127.0.0.1:{free_port()}"
    refused = pytest.raises(EngineNotStartedError, match=f"answers at {nobody} ")
    with refused as error, connect(Settings(home=tmp_path), f"{nobody}/;token=secret"):
        pass
    assert "secret" not in str(error.value)


FINISHING = """
import sys, time
from pathlib import Path
from mercato.cli.endings import finished_then_interrupted
from mercato.lake.session import connect
from mercato.settings import Settings

with connect(Settings(home=Path(sys.argv[1]), jars_dir=Path(sys.argv[2])), sys.argv[3]) as spark:
    stop = finished_then_interrupted("finishing")
    print("asking", flush=True)
    while not stop.is_set():
        time.sleep(0.1)
    print(spark.range(10).count(), flush=True)
"""


@pytest.mark.parametrize("engine", ["sail", pytest.param("spark", marks=pytest.mark.slow)])
def test_ctrl_c_leaves_the_engine_to_who_finishes_a_job(
    engine: str, stack_settings: Settings, tmp_path: Path
) -> None:
    """Spark's server took the terminal's Ctrl-C for its own, and the job waited for it in vain."""
    with asking(FINISHING, engine, stack_settings, tmp_path) as process:
        assert process.stdout is not None
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "10\n"
        assert process.wait(60) == 0
