"""How a command ends that was told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mercato.cli.endings import ENDINGS
from mercato.lake.lock import exclusive
from mercato.lake.tables import Lake

#: The command that is named, with nothing to start and something to stop.
_COMMAND = """
import sys, time
from mercato.cli import demo, main
from mercato.local import supervisor

class Stack(supervisor.Stack):
    def up(self, names, on_progress):
        if "slow" in names:
            wait()

    def down(self):
        print("stopping", flush=True)
        time.sleep(0.5)
        print("stopped", flush=True)

def wait(*_arguments, **_options):
    print("runs", flush=True)
    time.sleep(60)

supervisor.Stack = Stack
demo._run = wait
main.main()
"""
#: `mercato run` with jobs that take as many seconds as are given, and no engine.
_RUN = """
import contextlib, time
from glue_jobs import main as jobs
from glue_jobs.runner import Run
from mercato.cli import main
from mercato.lake import session

class Runner:
    def __init__(self, _spark, _lake):
        pass

    def run(self, job, _full):
        print("runs", flush=True)
        time.sleep({seconds})
        return Run(job.target.name, "full", 0, 0, 0, 0.0)

session.connect = lambda _settings, _engine: contextlib.nullcontext()
jobs.Runner = Runner
main.main()
"""
#: `mercato search index` with an engine that never has enough.
_INDEX = """
import time
from mercato.cli import main
from mercato.search import catalogue, index

class ProductIndex:
    def __init__(self, _settings):
        pass

    def rebuild(self, _documents):
        try:
            print("runs", flush=True)
            time.sleep(60)
        except BaseException:
            print("removed", flush=True)
            raise

index.ProductIndex = ProductIndex
main.main()
"""
#: A step that waits for as long as somebody else runs jobs.
_STEP = "_Demo(Path()).step('silver', 'run')"
#: The command itself.
_MERCATO = "from mercato.cli import main; main.main()"
ROOT = Path(__file__).parents[3]
#: What it prints of its services.
_STATUS = "STOPPED"


class Command:
    """`mercato ...` in a process of its own."""

    def __init__(self, home: Path, *arguments: str, script: str = _COMMAND) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"MERCATO_HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}"},
        )

    def line(self) -> str:
        """The next line that is not of a service."""
        assert self.process.stdout is not None
        return next(line.strip() for line in self.process.stdout if _STATUS not in line)

    def end(self) -> tuple[str, str, int]:
        """What is left of its output, and its exit status."""
        out, error = self.process.communicate(timeout=20)
        return out, error, self.process.returncode


@pytest.mark.parametrize("again", ENDINGS)
@pytest.mark.parametrize("command", [("up", "slow", "--foreground"), ("demo",)])
def test_who_is_told_twice_to_end_stops_everything_first(
    command: tuple[str, ...], again: signal.Signals, tmp_path: Path
) -> None:
    told = Command(tmp_path, *command)
    assert told.line() == "runs"
    told.process.send_signal(signal.SIGINT)
    assert told.line() == "stopping"
    told.process.send_signal(again)
    out, _, status = told.end()
    assert (out, status) == ("stopped\n", 130)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child outlives a killed process")
def test_a_step_ends_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    """Else a replay went on, into whatever the next demo started."""
    script = f"from pathlib import Path; from mercato.cli.demo import _Demo; {_STEP}"
    with exclusive(Lake(str(tmp_path / "lake"))):
        told = Command(tmp_path, script=script)
        demo, steps = psutil.Process(told.process.pid), list[psutil.Process]()
        deadline = time.monotonic() + 20
        while not steps and time.monotonic() < deadline:
            steps = demo.children()
            time.sleep(0.05)
        assert steps
        told.process.kill()
        told.process.communicate(timeout=20)
        _, left = psutil.wait_procs(steps, timeout=20)
        assert not left


def test_who_ends_the_wait_for_one_service_stops_no_other(tmp_path: Path) -> None:
    told = Command(tmp_path, "up", "slow")
    assert told.line() == "runs"
    told.process.send_signal(signal.SIGINT)
    out, error, status = told.end()
    assert (out, status) == ("", 130)
    assert "what was started goes on" in error


def test_a_stack_in_the_foreground_that_runs_is_stopped_whole(tmp_path: Path) -> None:
    told = Command(tmp_path, "up", "--foreground")
    assert told.process.stdout is not None
    assert _STATUS in told.process.stdout.readline()
    # It watches once it has printed the status of all.
    with pytest.raises(subprocess.TimeoutExpired):
        told.process.wait(1)
    told.process.send_signal(signal.SIGTERM)
    assert told.line() == "stopping"
    told.process.send_signal(signal.SIGINT)
    out, _, status = told.end()
    assert (out, status) == ("stopped\n", 130)


@pytest.mark.parametrize(
    ("arguments", "ending", "status"),
    [
        (("run", "--json"), signal.SIGINT, 130),
        (("run", "--json", "--follow", "60"), signal.SIGINT, 0),
        (("run", "--json", "--follow", "60"), signal.SIGTERM, 0),
    ],
)
def test_a_job_is_finished_and_told_of_and_no_other_begins(
    arguments: tuple[str, ...], ending: signal.Signals, status: int, tmp_path: Path
) -> None:
    command = Command(tmp_path, *arguments, script=_RUN.format(seconds=2))
    assert command.line() == "runs"
    command.process.send_signal(ending)
    out, error, ended = command.end()
    assert (len(json.loads(out)), ended) == (1, status)
    assert "finishing the job at work; Ctrl-C again stops at once" in error


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,), (signal.SIGHUP,)])
def test_a_job_is_interrupted_by_ctrl_c_twice_and_by_other_signals(
    signals: tuple[signal.Signals, ...], tmp_path: Path
) -> None:
    command = Command(tmp_path, "run", script=_RUN.format(seconds=60))
    assert command.line() == "runs"
    for each in signals:
        command.process.send_signal(each)
        time.sleep(0.2)  # two of a kind that come at once are one
    _, error, status = command.end()
    assert status == 130
    assert "Traceback" not in error


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_dataset_that_another_process_writes_is_not_waited_for(
    ending: signal.Signals, tmp_path: Path
) -> None:
    """`kill` reaches the command alone, not that process, which here waits for an engine."""
    with socket.create_server(("127.0.0.1", 0)) as engine:
        engine.settimeout(60)
        address = f"sc://127.0.0.1:{engine.getsockname()[1]}"
        command = Command(tmp_path, "train", "recommend", "--engine", address, script=_MERCATO)
        engine.accept()[0].close()  # by which it sees that something listens
        asking, _ = engine.accept()
        with asking:
            command.process.send_signal(ending)
            _, error, status = command.end()
            asking.settimeout(20)
            while asking.recv(1024):  # until nobody asks any more
                pass
    assert status == 130
    assert "Traceback" not in error


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_index_that_is_told_to_end_leaves_no_half_version(ending: signal.Signals, tmp_path: Path) -> None:
    told = Command(tmp_path, "search", "index", script=_INDEX)
    assert told.line() == "runs"
    told.process.send_signal(ending)
    out, _, status = told.end()
    assert (out, status) == ("removed\n", 130)
