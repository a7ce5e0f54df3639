"""Processes beside this one, for more cores or for memory that is given back; they end when it does."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait


def pool(number: int) -> ProcessPoolExecutor:
    """So many processes; what they run, are given and answer must be picklable."""
    return ProcessPoolExecutor(number, get_context("spawn"), _end_with_parent)


def _end_with_parent() -> None:
    """Let a worker end at Ctrl-C without a word, and when its parent is killed: it would wait forever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
