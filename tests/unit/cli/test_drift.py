"""`mercato drift` over models of a small shop."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost as xgb
from deltalake import write_deltalake
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato_models import artifact
from mercato_models.churn import model as churn
from mercato_models.churn.channels import snapshots
from mercato_models.churn.features import AS_OF, LABEL, baskets
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.captures import Recorder
from mercato_models.rows import NPY
from tests.bodies import REFUSED, npy
from tests.unit.churn.visits import START, L, visits

NAMES = ("a", "b")


def learned(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(400, len(NAMES))).astype(np.float32)


@pytest.fixture
def ranker(tmp_path: Path) -> Path:
    """A model of two features, under the ranker's name."""
    folder, rows = tmp_path / "models" / "recommend", learned(0)
    data = xgb.DMatrix(rows, rows[:, 0] > 0, feature_names=list(NAMES))
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, 5)
    Baseline.of(artifact.Model(booster, NAMES, "1"), rows).save(folder)
    artifact.save(folder, booster, NAMES, "1")
    return folder


def ask(home: Path, *requests: np.ndarray) -> None:
    keep(home, *((npy(rows), NPY) for rows in requests))


def keep(home: Path, *bodies: tuple[bytes, str]) -> None:
    recorder = Recorder(home / "captures" / "recommend", 100)
    for body, kind in bodies:
        recorder.offer(body, kind)


def test_requests_like_those_learned_from_are_no_drift_and_others_are(
    runner: CliRunner, tmp_path: Path, ranker: Path
) -> None:
    for shift, drifted in ((0, False), (2, True)):
        ask(tmp_path, *(learned(seed)[:20] + shift for seed in range(1, 201)))
        done = runner.invoke(app, ["drift", "recommend", "--json"])
        assert done.exit_code == 0, done.output
        (said,) = json.loads(done.stdout)
        assert said["judged"]
        assert said["drifted"] is drifted, said
    assert (said["requests"], said["rows"], said["refused"]) == (400, 8000, 0)
    shown = runner.invoke(app, ["drift"]).stdout
    assert "recommend 1: 400 requests, 8,000 rows" in shown
    assert "has drifted" in shown
    assert "a  " in shown.splitlines()[1]


def test_requests_of_another_model_are_counted_and_left_out(
    runner: CliRunner, tmp_path: Path, ranker: Path
) -> None:
    ask(tmp_path, learned(1), learned(1)[:, :1], learned(1)[:0])
    with next((tmp_path / "captures").rglob("*.jsonl")).open("a") as file:
        file.write('{"captureData": {"endpo')
    done = runner.invoke(app, ["drift", "recommend"])
    assert "1 requests, 400 rows, 2 refused; too few to tell, it takes 100" in done.stdout


@pytest.mark.parametrize("what", REFUSED)
def test_one_that_no_model_takes_does_not_keep_the_others_from_being_counted(
    runner: CliRunner, tmp_path: Path, ranker: Path, what: str
) -> None:
    keep(tmp_path, (npy(learned(1)), NPY), REFUSED[what], (npy(learned(2)), NPY))
    assert "2 requests, 800 rows, 1 refused" in runner.invoke(app, ["drift", "recommend"]).stdout


def test_a_request_without_rows_is_nothing_to_score(runner: CliRunner, tmp_path: Path, ranker: Path) -> None:
    ask(tmp_path, learned(1)[:0])
    assert "0 requests, 0 rows; too few" in runner.invoke(app, ["drift", "recommend"]).stdout


def test_older_requests_are_left_out(runner: CliRunner, tmp_path: Path, ranker: Path) -> None:
    ask(tmp_path, learned(1))
    (file,) = (tmp_path / "captures").rglob("*.jsonl")
    then = datetime.now(UTC) - timedelta(hours=25)
    before = re.sub(r'(inferenceTime": ")[^"]+', rf"\g<1>{then:%Y-%m-%dT%H:%M:%SZ}", file.read_text())
    with file.open("a") as more:
        more.write(before)
    for days, requests in ((1, 1), (2, 2)):
        said = runner.invoke(app, ["drift", "recommend", "--days", str(days)]).stdout
        assert f"{requests} requests" in said


def test_without_requests_there_is_nothing_to_tell(runner: CliRunner, ranker: Path) -> None:
    assert "0 requests, 0 rows; too few to tell" in runner.invoke(app, ["drift"]).stdout


def test_households_are_compared_as_the_lake_stands(runner: CliRunner, tmp_path: Path) -> None:
    lines = visits(households=200, each=15)
    moved = pd.Timestamp.now() - pd.Timedelta(days=2) - lines[L.basket_time].max()
    history = baskets(lines, START)
    rows = snapshots(history, range(84, 165, 7), 200)
    named = tuple(name for name in rows.columns if name not in (AS_OF, L.household_id, LABEL))
    model = churn.train(rows, named, churn.Hyperparameters(rounds=20))
    folder = tmp_path / "models" / "churn"
    Baseline.of(model, rows[list(named)].to_numpy(np.float32)).save(folder)
    artifact.save(folder, model.booster, named, "3", model.calibration)
    now = lines.assign(**{L.basket_time: (lines[L.basket_time] + moved).dt.floor("us").dt.tz_localize("UTC")})
    write_deltalake(Lake(str(tmp_path / "lake")).path(BASKET_LINES), as_table(now))
    done = runner.invoke(app, ["drift", "churn", "--json"])
    assert done.exit_code == 0, done.output
    (said,) = json.loads(done.stdout)
    assert (said["model"], said["version"], said["refused"]) == ("churn", "3", 0)
    assert 100 <= said["requests"] == said["rows"] <= 200
    assert {each["name"] for each in said["shifts"]} == set(named)


def as_table(lines: pd.DataFrame) -> pa.Table:
    whole = lines.assign(**{name: 1 for name in BASKET_LINES.c if name not in lines})
    return pa.Table.from_pandas(whole, BASKET_LINES.arrow_schema, preserve_index=False)


def test_a_model_that_can_not_be_looked_at_hides_no_other(
    runner: CliRunner, tmp_path: Path, ranker: Path
) -> None:
    (tmp_path / "models" / "churn").mkdir()
    done = runner.invoke(app, ["drift"])
    assert "recommend 1: 0 requests" in done.stdout
    assert isinstance(done.exception, MercatoError)
    assert "`mercato train churn` makes one" in str(done.exception)


def test_what_is_missing_is_said_with_the_next_step(runner: CliRunner, ranker: Path) -> None:
    (ranker / "baseline.json").unlink()
    for command, said in (
        (["drift"], "train it again"),
        (["drift", "weather"], "no model weather; there are recommend, fraud, churn, price"),
        (["drift", "churn"], "`mercato train churn` makes one"),
    ):
        done = runner.invoke(app, command)
        assert isinstance(done.exception, MercatoError)
        assert said in str(done.exception)
    ranker.rename(ranker.parents[1] / "gone")
    ranker.parent.rmdir()
    assert "No model is trained yet" in str(runner.invoke(app, ["drift"]).exception)
