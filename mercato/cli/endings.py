"""How a command is told to end: Ctrl-C, `kill`, a closed terminal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

#: SIGINT is handled explicitly, because a shell starts background jobs with it ignored.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stopped_by_signals() -> threading.Event:
    """An event that the first signal to end sets; the command then ends by itself."""
    # A flag: an exception raised in a handler is lost if it meets a finaliser (`__del__`).
    stop = threading.Event()
    for each in ENDINGS:
        signal.signal(each, lambda _signal, _frame: stop.set())
    return stop


def interrupted_by_signals() -> None:
    """Make every signal to end raise KeyboardInterrupt where the command is, as Ctrl-C does."""
    for each in ENDINGS:
        signal.signal(each, _interrupt)


def finished_then_interrupted(
    finishing: str, first: Sequence[signal.Signals] = (signal.SIGINT,)
) -> threading.Event:
    """An event that the first signal sets, so that what is at work is finished; the next one interrupts it.

    An exception in the midst of a call to an engine now and then ends in its callbacks and is lost.

    Args:
        finishing: what is said to whoever pressed Ctrl-C.
        first: signals that do so; the others interrupt at once.
    """
    stop = threading.Event()

    def finish(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        interrupted_by_signals()
        os.write(2, f"\n{finishing}; Ctrl-C again stops at once\n".encode())

    interrupted_by_signals()
    for each in first:
        signal.signal(each, finish)
    return stop


def ending() -> None:
    """Ignore every further signal to end: who presses Ctrl-C twice must not stop the stopping."""
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
