"""Cores share the targets, make the same together as alone, and end with whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from mercato_models.recommend import channels, parallel
from mercato_models.recommend.dataset import examples
from tests.unit.recommend import world
from tests.unit.recommend.world import target
from tests.waiting import eventually


def test_cores_together_make_what_one_makes(channel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [target(seed, days=seed / 4) for seed in range(30)]
    alone = list(examples(channels.Snapshots(channel, [world.STORE]).beside(asked), negatives=5))
    monkeypatch.setattr(parallel, "_WORTH_A_PROCESS", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    shared = parallel.over_cores(channel, [world.STORE], asked, partial(examples, negatives=5))
    assert len(shared) == len(alone)
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.features, other.features, equal_nan=True)
        assert (one.labels.tolist(), one.weight) == (other.labels.tolist(), other.weight)
    assert os.getpid() not in parallel.over_cores(channel, [world.STORE], asked, process_ids)


def process_ids(targets: Iterable[object]) -> Iterator[int]:
    for _ in targets:
        yield os.getpid()


SLEEPERS = """
import os, sys, time
from pathlib import Path
from mercato_models.recommend import parallel

def sleep(_targets):
    Path(sys.argv[2], str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    os.cpu_count, parallel._WORTH_A_PROCESS = lambda: 2, 1
    parallel.over_cores(Path(sys.argv[1]), [], [None, None], sleep)
"""


def test_no_process_outlives_a_killed_training(channel: Path, tmp_path: Path) -> None:
    script, started = tmp_path / "sleepers.py", tmp_path / "started"
    script.write_text(SLEEPERS)
    started.mkdir()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script, channel, started], env=environment)
    try:
        eventually(lambda: len(list(started.iterdir())) == 2, 60)
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not any(runs(int(each.name)) for each in started.iterdir()), 60)


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
