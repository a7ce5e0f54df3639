"""Processes beside this one, for more cores or for memory that is given back; they end when it does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection


@contextmanager
def pool(number: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes; what they run, are given and answer must be picklable.

    An error or a signal ends them at once: a pool by itself would wait for what they are at.
    """
    context = get_context("spawn")
    # Closed by leaving it, and by whatever end of this process.
    parent, held = context.Pipe(duplex=False)
    with parent, ProcessPoolExecutor(number, context, _end_with, (parent,)) as made, held:
        yield made
        made.shutdown()


def _end_with(parent: Connection) -> None:
    """Let a worker end at Ctrl-C without a word, and when its parent lets go of it: it would wait forever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def watch() -> None:
        parent.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
