"""Work on many targets, shared among the cores."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.channels import Snapshots
from mercato_models.recommend.dataset import Target

Made = TypeVar("Made")
Work = Callable[[Iterable[tuple[Target, Catalogue]]], Iterable[Made]]
#: Targets for which another process is worth its start.
_WORTH_A_PROCESS = 500


def over_cores(
    channel: Path, stores: Sequence[int], targets: Sequence[Target], work: Work[Made]
) -> list[Made]:
    """What `work` makes of targets, each beside the catalogue as it was then, in their order.

    Args:
        channel, stores: see `Snapshots`.
        targets: by time; each process takes a run of them, as it holds one catalogue at a time.
        work: like what it makes, picklable.

    Raises:
        ChannelError: see `Snapshots`.
    """
    runs = min(os.cpu_count() or 1, len(targets) // _WORTH_A_PROCESS)
    if runs < 2:
        return _run(channel, stores, targets, work)
    ends = [len(targets) * number // runs for number in range(runs + 1)]
    with ProcessPoolExecutor(runs, get_context("spawn"), _end_with_parent) as pool:
        parts = [
            pool.submit(_run, channel, stores, targets[start:end], work)
            for start, end in itertools.pairwise(ends)
        ]
        return [made for part in parts for made in part.result()]


def _end_with_parent() -> None:
    """Let a worker end at Ctrl-C without a word, and when its parent is killed: it would wait forever."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run(channel: Path, stores: Sequence[int], targets: Sequence[Target], work: Work[Made]) -> list[Made]:
    return list(work(Snapshots(channel, stores).beside(targets)))
