"""The last good lists on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lambdas.api.last_good import Described, LastGood, load, save
from mercato.decisions.fallback import Popular

LISTS = LastGood(
    datetime(2026, 11, 22, tzinfo=UTC),
    {0: Popular([1, 2], [3.0, 2.0])},
    {1: Described(1, product_type="BANANAS", price=0.99)},
)


def test_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "popular.json"
    save(path, LISTS)
    save(path, LISTS)
    assert load(path) == LISTS
    assert [file.name for file in path.parent.iterdir()] == ["popular.json"]


def test_nothing_or_nonsense_on_disk(tmp_path: Path) -> None:
    assert load(tmp_path / "missing.json") is None
    (tmp_path / "broken.json").write_bytes(b'{"as_of": 3')
    assert load(tmp_path / "broken.json") is None
