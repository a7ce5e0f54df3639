"""The updater of the online store beside a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mercato.settings import Settings
from mercato.stream.online_features import Updater


@contextmanager
def following(settings: Settings) -> Iterator[None]:
    """Follow the topics while the block runs."""
    stop, updater = threading.Event(), Updater(settings)
    thread = threading.Thread(target=updater.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
