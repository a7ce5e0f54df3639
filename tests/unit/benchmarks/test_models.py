"""One page of all models' reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import models


def report(rows: list[dict[str, Any]]) -> str:
    tables = [{"title": "Quality", "rows": rows}]
    return json.dumps({"split": "by day", "seeds": [0], "predictions": "x.parquet", "tables": tables})


def test_a_report_that_is_none_is_named_and_the_others_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    monkeypatch.setattr(models, "_run", lambda _name: True)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "models_fraud.json").write_text(report([{"": "ours", "reached": True, "AP": 0.5}]))
    (tmp_path / "bench" / "models_churn.json").write_text(report([{"AP": [0.5]}]))
    assert models.main(["fraud", "churn"]) == 1
    assert "failed: churn" in capsys.readouterr().err
    page = (tmp_path / "bench" / "models.html").read_text()
    assert "<td>yes</td><td>0.5</td>" in page
    assert list(json.loads((tmp_path / "bench" / "models.json").read_text())) == ["fraud"]
    assert models.main(["fraud"]) == 0
