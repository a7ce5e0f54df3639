"""A benchmark leaves alone what the product learned from and serves from, and the registry."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pandas as pd
import pytest

from mercato.settings import Settings
from mercato_models import demographics
from tests.unit.churn.visits import visits
from tests.unit.fraud.world import small_town


class StoppedError(Exception):
    """The training was about to start."""


def fraud(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    from benchmarks import models_fraud

    monkeypatch.setattr(models_fraud, "simulate", lambda: (small_town(), None))
    return models_fraud


def churn(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    from benchmarks import models_churn

    people = pd.DataFrame({demographics.HOUSEHOLD: [1]} | {name: [None] for name in demographics.BANDS})
    monkeypatch.setattr(models_churn, "_lines", visits)
    monkeypatch.setattr(models_churn, "recorded_people", lambda: people)
    return models_churn


def price(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # The peers are in an environment of their own.
    monkeypatch.setitem(sys.modules, "benchmarks.price_demand", MagicMock())
    from benchmarks import models_price

    monkeypatch.setattr(models_price, "year", lambda: pd.DataFrame({"units": [1]}))
    monkeypatch.setattr(models_price, "main", partial(models_price.main, ["demand"]))
    monkeypatch.setattr(models_price, "_measured_last", lambda _home: {"chains": None})
    return models_price


@pytest.mark.parametrize("benchmark", [fraud, churn, price])
def test_a_benchmark_works_in_a_folder_of_its_own(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = benchmark(monkeypatch)
    monkeypatch.setattr(module, "describe_machine", dict)
    monkeypatch.setattr(module, "get_settings", lambda: Settings(home=tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")

    def run(*_command: object, env: dict[str, str], **_options: object) -> None:
        folders = [Path(env[f"SM_{name}"]) for name in ("CHANNEL_TRAIN", "MODEL_DIR", "OUTPUT_DATA_DIR")]
        assert {folder.parent for folder in folders} == {tmp_path / "bench" / "work" / benchmark.__name__}
        assert not env["MLFLOW_TRACKING_URI"]
        raise StoppedError

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(StoppedError):
        module.main()
    assert {folder.name for folder in tmp_path.iterdir()} <= {"bench", "predictions"}
