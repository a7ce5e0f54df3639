"""No process that changes a shared file undoes what another wrote."""

from __future__ import annotations

import functools
import multiprocessing
from pathlib import Path

import pytest

from mercato.errors import MercatoError
from mercato.local import shared_json


def _put(key: str, value: int, held: dict[str, int]) -> None:
    held[key] = value


def _add(path: Path, name: str) -> None:
    for number in range(100):
        shared_json.update(path, functools.partial(_put, f"{name}{number}", number))


def test_what_several_processes_write_at_once_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ports.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(shared_json.read(path)) == 300


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert shared_json.read(tmp_path / "ports.json") == {}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_file_is_named_with_the_way_out(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text(text)
    with pytest.raises(MercatoError, match=r"ports\.json is broken .* delete it"):
        shared_json.read(path)
