"""Wait for what comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The result of the check once it neither raises nor answers False."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = check()
            if result is not False:
                return result
        except Exception:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
