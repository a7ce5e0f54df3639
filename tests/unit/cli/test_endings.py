"""How a command ends that was told to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from mercato.cli.endings import ENDINGS

#: Ends as the demo does: it is interrupted, and has something to stop.
_COMMAND = """
import time
from mercato.cli.endings import ending, interrupted_by_signals
interrupted_by_signals()
try:
    print("runs", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    ending()
    print("stopping", flush=True)
    time.sleep(0.5)
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("again", ENDINGS)
def test_who_is_told_twice_to_end_stops_everything_first(again: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", _COMMAND], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(again)
    assert process.communicate(timeout=20)[0] == "stopped\n"
    assert process.returncode == 0
