"""Processes that end with the one that started them."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable

#: Of Linux's `prctl`; elsewhere a child outlives a killed process.
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


#: `preexec_fn` of a child that is to end even where its parent is killed.
END_WITH_PARENT: Callable[[], None] | None = _end_with_parent if sys.platform == "linux" else None
