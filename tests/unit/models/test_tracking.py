"""The registry's champion is the model that is served."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from mercato_models import artifact, tracking
from mercato_models.calibration import Calibration
from mercato_models.card import Card
from mercato_models.churn import NAME
from mercato_models.churn.statement import STATEMENT
from mercato_models.gate import Verdict

FEATURES = ("one", "two")


def test_the_champion_scores_as_its_folder_does_calibration_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).random((200, 2)).astype(np.float32)
    booster = xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(rows, label=rows[:, 0] > 0.5), 5)
    model = artifact.Model(booster, FEATURES, tracking.UNREGISTERED, Calibration(a=0.5, b=2.0, c=-1.0))
    card = Card(name=NAME, statement=STATEMENT, parameters={}, metrics={}, verdict=Verdict())
    assert tracking.register(card, model, rows[:5]) == "1"
    champion = mlflow.pyfunc.load_model(f"models:/{NAME}@{tracking.CHAMPION}")
    assert np.allclose(champion.predict(pd.DataFrame(rows, columns=list(FEATURES))), model.score(rows))
    assert not np.allclose(model.score(rows), booster.inplace_predict(rows))
