"""Work on many targets, shared among the cores."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from mercato_models import workers
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
    with workers.pool(runs) as pool:
        parts = [
            pool.submit(_run, channel, stores, targets[start:end], work)
            for start, end in itertools.pairwise(ends)
        ]
        return [made for part in parts for made in part.result()]


def _run(channel: Path, stores: Sequence[int], targets: Sequence[Target], work: Work[Made]) -> list[Made]:
    return list(work(Snapshots(channel, stores).beside(targets)))
