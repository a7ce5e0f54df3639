"""The fraud training script as SageMaker would run it, on a town whose payments reach into the test weeks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import urllib3
from numpy.typing import NDArray

from mercato.decisions.fraud import CODES
from mercato.local.ports import free_port
from mercato_models import artifact, demographics
from mercato_models.card import MARKDOWN
from mercato_models.curves import Curve
from mercato_models.fairness import ALARMED, FLAGGED, FOUND
from mercato_models.fraud import NAME, payments
from mercato_models.fraud.amount_likelihood import AmountLikelihood
from mercato_models.fraud.evaluation import COMPARED, MODEL
from mercato_models.fraud.payments import SCORED, Payments
from mercato_models.fraud.probability import learn
from mercato_models.fraud.replay import Past
from mercato_models.fraud.simulator import World, simulate
from mercato_models.fraud.state import FEATURES
from mercato_models.launch import TrainingJob
from mercato_models.rows import EXPLAINED, NPY

ROOT = Path(__file__).parents[2]
TOWN = World(customers=300, terminals=500, days=165, radius=12.0, terminals_a_day=1, customers_a_day=1)


@pytest.fixture(scope="module")
def town() -> Payments:
    return simulate(TOWN)[0]


def train(channel: Path, home: Path) -> subprocess.CompletedProcess[str]:
    job = TrainingJob(NAME, channel, home / "model", home / "output")
    variables = {"PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}", "MLFLOW_TRACKING_URI": ""}
    flags = ("--rounds", "30", "--learning-rate", "0.3", "--weeks", "handbook")
    return job.run(*flags, variables=variables, capture_output=True, text=True, check=False)


def serve(folder: Path, rows: NDArray[np.float32]) -> list[dict[str, Any]]:
    """What the serving script answers, asked for reasons."""
    port = free_port()
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}",
        "SM_MODEL_DIR": str(folder),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "sagemaker" / "fraud" / "serve.py")], env=environment
    )
    try:
        said = io.BytesIO()
        np.save(said, rows)
        answer = urllib3.request(
            "POST",
            f"http://127.0.0.1:{port}/invocations",
            body=said.getvalue(),
            headers={"Content-Type": NPY, "Accept": EXPLAINED},
            retries=urllib3.Retry(connect=12, backoff_factor=0.2, backoff_max=5),
        )
        assert answer.status == HTTPStatus.OK, answer.data
        predictions: list[dict[str, Any]] = answer.json()["predictions"]
        return predictions
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.slow
def test_trains_judges_and_writes_what_it_says(town: Payments, tmp_path: Path) -> None:
    owners = np.unique(town.customer)
    payments.write(tmp_path / "channel", replace(town, household=town.customer))
    demographics.write(tmp_path / "channel", people(owners))
    done = train(tmp_path / "channel", tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["model_average_precision"] > said["handbook_week_average_precision"]

    scored = pq.read_table(tmp_path / "output" / "fraud.parquet")
    assert scored.schema.names == SCORED.arrow_schema.names
    fold, label = (scored[name].to_numpy() for name in (SCORED.c.fold, SCORED.c.label))
    for learner in {each for pair in COMPARED for each in pair}:
        score = scored[SCORED.c.score if learner == MODEL else learner].to_numpy()
        again = [Curve(label[fold == n], score[fold == n]).average_precision() for n in range(4)]
        assert said[f"{learner}_average_precision"] == pytest.approx(np.mean(again))

    raw, calibrated = scored[SCORED.c.score].to_numpy(), scored[SCORED.c.probability].to_numpy()
    assert (raw[fold == 0] == calibrated[fold == 0]).all()
    folds = [fold == number for number in range(4)]
    assert (
        calibrated[folds[3]]
        == learn([raw[n] for n in folds[:3]], [label[n] for n in folds[:3]])(raw[folds[3]])
    ).all()
    assert said["found_of_expected_low"] < 1 < said["found_of_expected_high"]

    model = artifact.load(tmp_path / "model")
    assert model.calibration == learn([raw], [label])
    assert model.features == FEATURES
    rows = Past(town).features(AmountLikelihood.load(tmp_path / "model"))
    assert model.score(rows).mean() == pytest.approx(town.fraud.mean(), rel=0.3)
    struck = rows[np.argsort(-model.score(rows))[:3]]
    answered = serve(tmp_path / "model", struck)
    assert [row["score"] for row in answered] == pytest.approx(model.score(struck).tolist())
    assert all(row["reasons"] and CODES.of(row["reasons"][0]["feature"]) for row in answered)

    compared = json.loads((tmp_path / "output" / "metrics.json").read_text())["fairness"]
    of_age = {ratio["measure"]: ratio for ratio in compared if ratio["attribute"] == demographics.AGE}
    assert set(of_age) == {FLAGGED, FOUND, ALARMED}
    assert {group["name"] for group in of_age[FOUND]["groups"]} == {"under 35", "35 to 54"}
    everyone = sum(group["rows"] for group in of_age[FLAGGED]["groups"])
    assert everyone == len(scored)
    found, alarms = (sum(group["rows"] for group in of_age[name]["groups"]) for name in (FOUND, ALARMED))
    assert (found, found + alarms) == (label.sum(), everyone)
    page = (tmp_path / "output" / MARKDOWN).read_text()
    assert f"age, {FOUND}: least ratio" in page
    assert "**Judged.** The 4 weeks of the handbook's prequential protocol" in page


def people(owners: NDArray[np.int64]) -> pd.DataFrame:
    """Two ages, an income that nobody tells, and one size of household."""
    ages = np.where(owners % 2 == 0, "25-34", "45-54")
    columns = {demographics.AGE: ages, demographics.INCOME: None, demographics.SIZE: "2"}
    return pd.DataFrame({demographics.HOUSEHOLD: owners} | columns)


def changed(town: Payments, column: str) -> Payments:
    if column == SCORED.c.label:
        return replace(town, fraud=np.zeros_like(town.fraud))
    return replace(town, amount=np.full_like(town.amount, np.nan))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (SCORED.c.label, "rows have label = 0"),
        (SCORED.c.amount, "NaN flood in amount, known in 0.0% of the rows"),
    ],
)
def test_bad_channels_are_refused_in_one_line(town: Payments, tmp_path: Path, column: str, said: str) -> None:
    payments.write(tmp_path, changed(town, column))
    done = train(tmp_path, tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.startswith("train: ")
    assert len(done.stderr.splitlines()) == 1


def test_missing_files_and_columns_are_named(town: Payments, tmp_path: Path) -> None:
    with pytest.raises(payments.PaymentsError, match="is missing"):
        payments.read(tmp_path)
    pq.write_table(town.table().drop_columns([SCORED.c.amount]), tmp_path / "payments.parquet")
    with pytest.raises(payments.PaymentsError, match=f"lacks the columns {SCORED.c.amount}"):
        payments.read(tmp_path)
