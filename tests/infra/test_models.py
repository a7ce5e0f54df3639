"""The models' source as shipped: checked, trained, judged and served as SageMaker's container does it."""

from __future__ import annotations

import io
import json
import shlex
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from infra.artifacts.catalog import artifact
from infra.artifacts.models import SOURCE
from mercato.settings import Settings
from mercato_models import servable
from mercato_models.drift.baseline import SCORE, Baseline
from mercato_models.rows import EXPLAINED, NPY
from tests.infra import xgboost_container as container
from tests.infra.model_channels import CHANNELS
from tests.infra.pipeline_steps import steps
from tests.infra.xgboost_container import Container

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

MODELS = [
    pytest.param("recommend", marks=pytest.mark.exercises("model-source-recommend")),
    pytest.param("churn", marks=pytest.mark.exercises("model-source-churn")),
    pytest.param("fraud", marks=pytest.mark.exercises("model-source-fraud")),
    pytest.param("price", marks=pytest.mark.exercises("model-source-price")),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return container.image(tmp_path_factory.mktemp("image"))


def process(step: dict[str, Any], started: Container, inputs: dict[str, Path]) -> Path:
    """Run a processing step's own command in a fresh container; returns the folder of its output."""
    for name, path in inputs.items():
        place = started.ml / "processing" / "input" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            place.mkdir()
            place /= path.name
        place.symlink_to(path)
    command = step["AppSpecification"]["ContainerEntrypoint"] + step["AppSpecification"]["ContainerArguments"]
    done = started.run(*(word.replace("/opt/ml", str(started.ml)) for word in command))
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return started.ml / "processing" / "output"


@contextmanager
def serving(started: Container, source: Path) -> Iterator[str]:
    """The model of a container behind gunicorn; yields its address."""
    given = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": str(source)}
    installed = started.run(started.bin("python"), "-c", container.INSTALL, **given)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    (started.ml / "serving.py").write_text(container.SERVE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [started.bin("gunicorn"), "-k", "gevent", "-b", address]
    command += ["--pythonpath", f"{started.ml},{started.ml / 'code'}", "serving:app"]
    process = subprocess.Popen(command, cwd=started.ml, env=started.environment(**given))
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def answered(request: urllib.request.Request | str, patience: float = 60) -> bytes:
    """What is answered, once there is somebody to do so."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        except urllib.error.URLError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_goes_through_its_pipeline(
    model: str, image: Path, tmp_path: Path, settings: Settings
) -> None:
    source = artifact(f"model-source-{model}").build() / SOURCE
    defined, tracked = steps(model), settings.require("mlflow_uri")
    hyperparameters = CHANNELS[model](tmp_path / "data")

    inputs = {"source": source, "data": tmp_path / "data"}
    channel = process(defined["CheckData"], container.start(image, tmp_path / "check"), inputs) / "channel"

    training = container.start(image, tmp_path / "training")
    names = [each["ChannelName"] for each in defined["Train"]["InputDataConfig"]]
    said = defined["Train"]["HyperParameters"] | {"sagemaker_submit_directory": str(source)}
    training.configure(said | hyperparameters, dict.fromkeys(names, channel))
    done = training.run(training.bin("python"), "-c", container.TRAIN, MLFLOW_TRACKING_URI=tracked)
    assert done.returncode == 0, done.stdout + done.stderr

    archive = tmp_path / "output" / "output.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        for path in (training.ml / "output" / "data").iterdir():
            packed.add(path, path.name)
    inputs = {"source": source, "training": archive.parent}
    judged = process(defined["Evaluate"], container.start(image, tmp_path / "judge"), inputs) / "evaluation"
    judgement = json.loads((judged / "evaluation.json").read_text())
    figures = json.loads((training.ml / "output" / "data" / "metrics.json").read_text())
    assert (judgement["gate"]["failures"] == 0) == figures["passes"]
    metric = judgement["metric"]["name"]
    assert judgement["metric"]["value"] == figures[metric]
    assert _newest_run(tracked, model).data.metrics[metric] == figures[metric]

    served = container.start(image, tmp_path / "serving")
    (training.ml / "model").rename(served.ml / "model")
    here = servable.load(served.ml / "model")
    assert Baseline.load(served.ml / "model", here.model.features).score.name == SCORE
    columns = here.preparation.columns if here.preparation else here.model.features
    given = np.random.default_rng(0).normal(size=(5, len(columns))).astype(np.float32)
    rows = here.rows(given)
    body = "\n".join(",".join(map(str, row)) for row in rows.tolist()).encode()
    packed_rows = io.BytesIO()
    np.save(packed_rows, given)
    with serving(served, source) as address:
        answered(f"{address}/ping")
        headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
        scores = answered(urllib.request.Request(f"{address}/invocations", body, headers))
        # As the API asks: what it knows, for scores and reasons.
        headers = {"Content-Type": NPY, "Accept": EXPLAINED}
        told = answered(urllib.request.Request(f"{address}/invocations", packed_rows.getvalue(), headers))
    expected = here.model.score(rows)
    assert np.allclose([float(line) for line in scores.decode().split()], expected, atol=1e-6)
    explained = json.loads(told)["predictions"]
    assert np.allclose([each["score"] for each in explained], expected, atol=1e-6)
    assert {reason["feature"] for each in explained for reason in each["reasons"]} <= set(here.model.features)


def _newest_run(uri: str, name: str) -> Any:
    """What the training job told MLflow."""
    client = mlflow.MlflowClient(uri)
    return client.search_runs([client.get_experiment_by_name(name).experiment_id], max_results=1)[0]
