"""Stop asking a dependency that keeps failing, and try it again now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Circuit:
    """Open after `failures` in a row; then one trial call per `pause` seconds until one succeeds.

    Args:
        failures: failures in a row that open the circuit.
        pause: seconds between trials while open.
        clock: monotonic seconds.
    """

    def __init__(
        self, failures: int = 3, pause: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next_trial = 0.0

    @property
    def state(self) -> str:
        """`closed` (calls go through) or `open`."""
        return "open" if self._failed >= self._limit else "closed"

    def allows(self) -> bool:
        """Whether to make this call; while open, true for one call per pause."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if self._clock() < self._next_trial:
                return False
            self._next_trial = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        """Report a call that worked."""
        self._failed = 0

    def failed(self) -> None:
        """Report a call that did not."""
        with self._lock:
            self._failed += 1
            self._next_trial = self._clock() + self._pause
