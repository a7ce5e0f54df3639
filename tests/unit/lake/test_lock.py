"""One process at a time runs jobs on a lake."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mercato.lake.lock import exclusive
from mercato.lake.tables import Lake


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    lake, order = Lake(str(tmp_path / "lake")), list[str]()

    def second() -> None:
        with exclusive(lake):
            order.append("second")

    with exclusive(lake):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_lake_on_object_storage_is_left_to_its_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with exclusive(Lake("s3://bucket/lake")), exclusive(Lake("s3://bucket/lake")):
        assert list(tmp_path.iterdir()) == []
