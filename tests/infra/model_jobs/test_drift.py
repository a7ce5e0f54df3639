"""Approved models are compared with what they learned from by the job that ships, as Glue starts it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import numpy as np
import pytest
import xgboost as xgb

from lambdas.embedded_metrics import NAMESPACE
from mercato.lake.tables import Lake
from mercato_models import artifact, tracking
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.captures import Recorder
from mercato_models.drift.comparison import MIN_REQUESTS
from mercato_models.recommend.features import FEATURES
from mercato_models.rows import NPY, encode
from tests.infra import glue
from tests.infra.model_jobs.approved import BUCKET, PREFIX, approve, scoring, stored, train_churn, train_price

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DRIFT_JOB = "sagemaker/glue/drift.py"


def _train_ranker(rows: Floats32, folder: Path) -> Model:
    """One that looks at the first of its features alone."""
    matrix = xgb.DMatrix(rows, rows[:, 0], feature_names=[*FEATURES])
    model = Model(xgb.train({"nthread": 1}, matrix, 5), FEATURES, tracking.UNREGISTERED)
    artifact.save(folder, model.booster, FEATURES, model.version)
    return model


def _ask(rows: Floats32, folder: Path) -> None:
    """Have an endpoint's requests captured, each of one of these rows."""
    recorder = Recorder(folder, percent=100)
    for row in rows:
        recorder.offer(encode(row[None], NPY), NPY)
    for file in folder.rglob("*.jsonl"):
        key = f"capture/recommend/{file.relative_to(folder)}"
        boto3.client("s3").upload_file(str(file), BUCKET, key)


def _told(model: str, name: str) -> list[float]:
    """Values of a model's metric, as CloudWatch has them."""
    now = datetime.now(UTC)
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": "Model", "Value": f"{PREFIX}{model}"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=86_400,
        Statistics=["Maximum"],
    )
    return [each["Maximum"] for each in found["Datapoints"]]


@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.usefixtures("bucket")
def test_approved_models_are_compared_with_what_they_learned_from_and_told_of(
    installed: Path, lake: Lake, tmp_path: Path
) -> None:
    """The ranker's requests lack a feature; fraud has no version, the others are asked too little to tell."""
    learned_from = np.random.default_rng(0).random((2_000, len(FEATURES)), np.float32)
    ranker = tmp_path / "ranker"
    Baseline.of(_train_ranker(learned_from, ranker), learned_from).save(ranker)
    approve("recommend", ranker)
    approve("churn", train_churn(lake, tmp_path / "churn"))
    approve("price", train_price(lake, tmp_path / "price"))
    asked = learned_from[: 2 * MIN_REQUESTS].copy()
    asked[:, 0] = np.nan
    _ask(asked, tmp_path / "captures")
    given = [*scoring("models-drift", lake), "--captures", f"s3://{BUCKET}/capture"]
    (said,) = glue.start(installed, tmp_path, DRIFT_JOB, *given)
    written = stored("predictions/drift.json")
    found = {each["model"]: each for each in json.loads(written)["models"]}
    assert said["failures"] == {}
    assert found.keys() == {"recommend", "churn", "price"}
    moved = found["recommend"]
    assert (moved["requests"], moved["refused"], moved["drifted"]) == (len(asked), 0, True)
    assert (moved["shifts"][0]["name"], moved["shifts"][0]["unknown_now"]) == (FEATURES[0], 1)
    for name, each in found.items():
        assert each["version"] == f"{PREFIX}{name}/1"
        assert each["rows"] > 0
        assert _told(name, "Drifted") == ([each["drifted"]] if each["judged"] else [])
        assert _told(name, "ScoreDrift") == ([each["score"]] if each["judged"] else [])
        assert _told(name, "InputDrift") == ([each["inputs"]] if each["judged"] else [])
    assert [name for name, each in found.items() if each["judged"]] == ["recommend"]


@pytest.mark.usefixtures("bucket")
def test_a_model_that_can_not_be_compared_fails_the_job_after_the_others_were(
    installed: Path, lake: Lake, tmp_path: Path
) -> None:
    """One of before there were baselines fails nothing: its next training brings one."""
    for name in ("recommend", "fraud"):
        _train_ranker(np.random.default_rng(0).random((100, len(FEATURES)), np.float32), tmp_path / name)
    (tmp_path / "fraud" / "features.json").unlink()
    for name in ("recommend", "fraud"):
        approve(name, tmp_path / name)
    approve("price", train_price(lake, tmp_path / "price"))
    given = [*scoring("models-drift", lake), "--captures", f"s3://{BUCKET}/capture"]
    with pytest.raises(AssertionError, match=r"drift: fraud: .*features\.json"):
        glue.start(installed, tmp_path, DRIFT_JOB, *given)
    written = stored("predictions/drift.json")
    found = json.loads(written)
    assert [each["model"] for each in found["models"]] == ["price"]
    assert "train it again" in found["skipped"]["recommend"]
    assert found["failures"].keys() == {"fraud"}
