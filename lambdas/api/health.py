"""Whether what the API depends on answers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from lambdas.api.endpoints import ScorerUnavailableError
from lambdas.api.schemas import DependencyState
from mercato.online.connection import OnlineUnavailableError

log = logging.getLogger(__name__)

#: Seconds for which an answer is given again.
KEPT = 1.0


class Dependencies:
    """States of what the API depends on. Anybody may ask for them, so they hold no errors and ask seldom.

    Safe to use from several threads.

    Args:
        checks: by name, what raises where the dependency does not answer; `None` where it was never started.
    """

    def __init__(self, **checks: Callable[[], object] | None) -> None:
        self._checks = checks
        self._known: dict[str, DependencyState] = {}
        self._until = 0.0
        self._asking = threading.Lock()

    def states(self) -> dict[str, DependencyState]:
        """The state of each, at most KEPT seconds old, or what was known before while others still ask."""
        # Only who comes first of all has to wait; the others would hold threads that requests need.
        if time.monotonic() >= self._until and self._asking.acquire(blocking=not self._known):
            try:
                if time.monotonic() >= self._until:
                    self._known = {name: _state(name, check) for name, check in self._checks.items()}
                    self._until = time.monotonic() + KEPT
            finally:
                self._asking.release()
        return dict(self._known)


def _state(name: str, check: Callable[[], object] | None) -> DependencyState:
    if check is None:
        return DependencyState(ok=False, detail="never started")
    try:
        check()
    except (OnlineUnavailableError, ScorerUnavailableError, ConnectionError) as error:
        log.warning("%s does not answer: %s", name, error)
        return DependencyState(ok=False, detail="does not answer")
    return DependencyState(ok=True, detail="answers")
