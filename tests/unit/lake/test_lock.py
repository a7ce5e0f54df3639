"""One process at a time runs jobs on a lake."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mercato.lake.lock import BusyError, alone, exclusive, unless_busy
from mercato.lake.tables import Lake


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_second_run_waits_for_the_first(scheme: str, tmp_path: Path) -> None:
    lake, named, order = Lake(str(tmp_path / "lake")), Lake(f"{scheme}{tmp_path}/lake"), list[str]()

    def second() -> None:
        with exclusive(named):
            order.append("second")

    with exclusive(lake):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_who_waited_for_a_lock_that_was_deleted_holds_the_one_that_others_find(tmp_path: Path) -> None:
    path, held, seen = tmp_path / "lock", threading.Event(), threading.Event()

    def second() -> None:
        with alone(path, "training"):
            held.set()
            seen.wait(10)

    thread = threading.Thread(target=second)
    with alone(path, "training"):
        thread.start()
        thread.join(0.3)
        path.unlink()
    try:
        assert held.wait(10)
        with pytest.raises(BusyError, match="A training is at work"), unless_busy(path, "training"):
            pass
    finally:
        seen.set()
        thread.join(10)


def test_what_goes_wrong_under_a_lock_is_not_taken_for_its_owner(tmp_path: Path) -> None:
    """As a terminal that takes no more has the same error."""
    with pytest.raises(BlockingIOError), unless_busy(tmp_path / "lock", "replay"):
        raise BlockingIOError


def test_a_lake_on_object_storage_is_left_to_its_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with exclusive(Lake("s3://bucket/lake")), exclusive(Lake("s3://bucket/lake")):
        assert list(tmp_path.iterdir()) == []
