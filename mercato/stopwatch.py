"""How long the stages of some work take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


def _silent(_stage: str, _seconds: float) -> None:
    pass


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage, one after the other.

    Attributes:
        seconds: by stage, to the microsecond; what went before may be given.
        tell: is told of each stage when it ends.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    tell: Callable[[str, float], None] = _silent
    _since: float = field(default_factory=time.perf_counter, init=False)

    def lap(self, stage: str) -> None:
        """The time since the last lap went into `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self._since, 6)
        self._since = now
        self.tell(stage, self.seconds[stage])
