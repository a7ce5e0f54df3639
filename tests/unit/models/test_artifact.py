"""The folder of a model: what a scorer reads while another run writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from mercato_models import artifact


def booster(rounds: int) -> xgb.Booster:
    rows = np.arange(40, dtype=np.float32).reshape(20, 2)
    return xgb.train({"max_depth": 1}, xgb.DMatrix(rows, label=rows[:, 0] > 20), rounds)


def test_a_published_model_is_the_one_that_was_saved_with_all_its_files(tmp_path: Path) -> None:
    artifact.save(tmp_path / "trained", booster(2), ("a", "b"), "7")
    (tmp_path / "trained" / "beside.json").write_text("{}")
    artifact.publish(tmp_path / "trained", tmp_path / "served")
    rows = np.array([[1, 2], [30, 31]], np.float32)
    served, trained = (artifact.load(tmp_path / name) for name in ("served", "trained"))
    assert served.version == "7"
    assert np.array_equal(served.score(rows), trained.score(rows))
    assert (tmp_path / "served" / "beside.json").exists()


def test_publishing_again_tells_the_scorer(tmp_path: Path) -> None:
    for version in ("1", "2"):
        artifact.save(tmp_path / "trained", booster(int(version)), ("a", "b"), version)
        before = artifact.modified(tmp_path / "served")
        artifact.publish(tmp_path / "trained", tmp_path / "served")
        assert artifact.modified(tmp_path / "served") != before
    assert artifact.load(tmp_path / "served").version == "2"


def test_a_folder_without_a_model_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(artifact.ModelError, match="mercato train"):
        artifact.load(tmp_path)
