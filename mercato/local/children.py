"""Processes that end with the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

#: Of Linux's `prctl`; elsewhere a child outlives a killed process.
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> Callable[[], None] | None:
    """`preexec_fn` of a child that is to end even where its parent is killed.

    To be started from the main thread: to the system the parent is the thread, and ends with it.
    """
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def tell_system() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # killed before the system knew
            os._exit(1)

    return tell_system
