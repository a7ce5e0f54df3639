"""A pipeline's judge passes on what the training found, and refuses to judge nothing."""

from __future__ import annotations

import importlib.util
import io
import json
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FIGURES = {"model_recall_at_10": 0.17, "passes": True, "reasons": [], "seconds": {"fit": 3.0}}


def script() -> ModuleType:
    path = ROOT / "sagemaker" / "container" / "evaluate.py"
    spec = importlib.util.spec_from_file_location("evaluate", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EVALUATE = script()


def judged(folder: Path, figures: dict[str, Any], name: str = "metrics.json") -> Any:
    folder.mkdir(exist_ok=True)
    text = json.dumps(figures).encode()
    with tarfile.open(folder / "output.tar.gz", "w:gz") as packed:
        file = tarfile.TarInfo(name)
        file.size = len(text)
        packed.addfile(file, io.BytesIO(text))
    flags = ["--training", str(folder), "--evaluation", str(folder / "e"), "--metric", "model_recall_at_10"]
    EVALUATE.main(flags)
    return json.loads((folder / "e" / "evaluation.json").read_text())


def test_what_passes_has_no_failures(tmp_path: Path) -> None:
    assert judged(tmp_path, FIGURES) == {
        "metrics": {"model_recall_at_10": 0.17},
        "metric": {"name": "model_recall_at_10", "value": 0.17},
        "gate": {"failures": 0, "reasons": []},
    }


@pytest.mark.parametrize("reasons", [["too low"], ["too low", "unfair to the young"], []])
def test_what_does_not_pass_fails(tmp_path: Path, reasons: list[str]) -> None:
    gate = judged(tmp_path, FIGURES | {"passes": False, "reasons": reasons})["gate"]
    assert gate == {"failures": max(1, len(reasons)), "reasons": reasons}


def test_an_output_without_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EVALUATE.EvaluationError, match=r"holds no metrics.json: look into the training"):
        judged(tmp_path, FIGURES, name="other.json")


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EVALUATE.EvaluationError, match=r"output.tar.gz holds no metrics.json"):
        EVALUATE.figures(tmp_path / "output.tar.gz")


def test_a_missing_verdict_is_named(tmp_path: Path) -> None:
    with pytest.raises(EVALUATE.EvaluationError, match=r"lacks passes, reasons; it has model_recall_at_10"):
        judged(tmp_path, {"model_recall_at_10": 0.17})
