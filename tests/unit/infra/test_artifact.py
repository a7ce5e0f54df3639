from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.artifacts import artifact
from infra.artifacts.artifact import Artifact, BuildError


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "BUILT", tmp_path / "built")
    monkeypatch.setattr(artifact, "ROOT", tmp_path)
    monkeypatch.setattr(artifact, "RECIPES", tmp_path / "recipes")
    (tmp_path / "source").write_text("one")


def made_of(source: str, builds: list[str]) -> Artifact:
    def make(folder: Path) -> None:
        builds.append("build")
        time.sleep(0.2)
        (folder / "made").write_text((artifact.ROOT / source).read_text())

    return Artifact(name="thing", holds="a thing", sources=(source,), make=make)


def test_who_asks_during_a_build_waits_for_it() -> None:
    builds: list[str] = []
    thing = made_of("source", builds)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: (thing.build() / "made").read_text(), range(4)))
    assert found == ["one"] * 4
    assert builds == ["build"]


def test_it_is_built_anew_once_its_sources_have_changed(tmp_path: Path) -> None:
    builds: list[str] = []
    thing = made_of("source", builds)
    thing.build()
    (tmp_path / "source").write_text("two")
    assert (thing.build() / "made").read_text() == "two"
    assert len(builds) == 2


def test_it_is_built_anew_once_its_recipe_has_changed(tmp_path: Path) -> None:
    builds: list[str] = []
    thing = made_of("source", builds)
    thing.build()
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "functions.py").write_text("_UNUSED = ()")
    thing.build()
    assert len(builds) == 2


def test_a_source_that_is_missing_is_named() -> None:
    with pytest.raises(BuildError, match="thing is made of nowhere, which is not there"):
        made_of("nowhere", []).build()
