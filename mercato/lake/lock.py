"""One process at a time runs jobs on a lake, or holds another lock."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mercato.errors import MercatoError
from mercato.lake.storage import local_path
from mercato.lake.tables import Lake

log = logging.getLogger(__name__)

#: File of a lake that a run of jobs holds.
JOBS_LOCK = "jobs.lock"


class BusyError(MercatoError):
    """Another process has the lock."""


@contextmanager
def exclusive(lake: Lake) -> Iterator[None]:
    """Wait until no other process runs jobs on this lake, and keep others out.

    Two runs of one job at a time would both add the same rows, for an append conflicts with
    nothing. The system gives the lock back when its owner dies. A lake on object storage has
    no such lock: there the scheduler lets one run of a job go at a time.
    """
    folder = local_path(lake.uri)
    if folder is None:
        yield
        return
    with alone(folder / JOBS_LOCK, f"run of jobs on {lake.uri}"):
        yield


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Hold a file's lock; while another process has it, say for what, and wait."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.warning("Waiting for another %s to end.", what)
                fcntl.flock(file, fcntl.LOCK_EX)
            # A reset may have deleted the file meanwhile: who comes next would make and hold another.
            if _is(file.fileno(), path):
                yield
                return


@contextmanager
def unless_busy(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of a file, or of a folder that is there, or wait for nobody.

    Raises:
        BusyError: another process has it.
    """
    # NFS gives the lock of a file only to who may write it.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"A {what} is at work: end it, or wait until it has ended.") from error
        yield
    finally:
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Whether the path still names what was opened there."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
