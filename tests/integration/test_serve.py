"""The scorer process through its container contract."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import urllib3
import xgboost as xgb

from mercato.local.ports import free_port
from mercato_models import artifact
from mercato_models.drift.captures import parse
from mercato_models.reasons import contributions
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.ranker import score
from mercato_models.rows import CSV, EXPLAINED, JSON, NPY
from tests.bodies import REFUSED, npy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
ROWS = np.random.default_rng(0).normal(size=(300, len(FEATURES))).astype(np.float32)
ROWS[::7, 3] = np.nan


def model(depth: int) -> xgb.Booster:
    labels = (ROWS[:, 0] > 0).astype(np.float32)
    data = xgb.DMatrix(ROWS, labels, feature_names=list(FEATURES))
    return xgb.train({"objective": "binary:logistic", "max_depth": depth, "nthread": 1}, data, 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    artifact.save(folder, model(3), FEATURES, "4")
    return folder


class Server:
    def __init__(self, folder: Path, *arguments: str) -> None:
        port = free_port()
        environment = os.environ | {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}",
            "SM_MODEL_DIR": str(folder),
            "SAGEMAKER_BIND_TO_PORT": str(port),
        }
        script = ROOT / "sagemaker" / "recommend" / "serve.py"
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments], env=environment, stderr=subprocess.PIPE
        )
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.ping()
                return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
        raise AssertionError("the scorer did not start")

    def ping(self) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", "/ping")

    def invoke(self, body: bytes, kind: str, accept: str | None = None) -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": kind}
        headers |= {"Accept": accept} if accept else {}
        return self.pool.request("POST", "/invocations", body=body, headers=headers)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves a model of two features."""
    folder, names = tmp_path_factory.mktemp("narrow"), ["a", "b"]
    data = xgb.DMatrix(ROWS[:, :2], ROWS[:, 0] > 0, feature_names=names)
    artifact.save(folder, xgb.train({"objective": "binary:logistic", "nthread": 1}, data, 2), names, "1")
    server = Server(folder)
    yield server
    server.stop()


def csv(rows: np.ndarray) -> bytes:
    return "\n".join(",".join("" if np.isnan(v) else repr(float(v)) for v in row) for row in rows).encode()


def as_json(rows: np.ndarray) -> bytes:
    return json.dumps(
        {"instances": [[None if np.isnan(v) else float(v) for v in row] for row in rows]}
    ).encode()


def scores_of(answer: urllib3.BaseHTTPResponse) -> np.ndarray:
    kind = answer.headers["content-type"].split(";")[0]
    if kind == NPY:
        array: np.ndarray = np.load(io.BytesIO(answer.data))
        return array
    if kind == CSV:
        return np.array([float(line) for line in answer.data.decode().splitlines()])
    return np.array([row["score"] for row in json.loads(answer.data)["predictions"]])


@pytest.mark.parametrize(("kind", "encode"), [(NPY, npy), (CSV, csv), (JSON, as_json)])
@pytest.mark.parametrize("accept", [None, NPY, CSV, JSON])
def test_scores_are_the_models_in_every_format(
    server: Server, folder: Path, kind: str, encode: object, accept: str | None
) -> None:
    answer = server.invoke(encode(ROWS), kind, accept)  # type: ignore[operator]
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == (accept or kind)
    assert "model_version=4" in answer.headers["X-Amzn-SageMaker-Custom-Attributes"]
    assert np.allclose(scores_of(answer), score(artifact.load(folder).booster, ROWS), atol=1e-6)


def test_reasons_stand_beside_the_scores_on_request(server: Server, folder: Path) -> None:
    answer = server.invoke(npy(ROWS), NPY, EXPLAINED)
    predictions = json.loads(answer.data)["predictions"]
    assert np.allclose([row["score"] for row in predictions], scores_of(server.invoke(npy(ROWS), NPY)))
    values = contributions(artifact.load(folder), ROWS)
    for row, prediction, expected in zip(ROWS, predictions, values, strict=True):
        assert len(prediction["reasons"]) == (expected > 0).sum()
        shares = [reason["contribution"] for reason in prediction["reasons"]]
        assert shares == sorted(shares, reverse=True)
        for reason in prediction["reasons"]:
            column = FEATURES.index(reason["feature"])
            assert reason["contribution"] == pytest.approx(expected[column], abs=1e-6)
            value = float("nan") if reason["value"] is None else reason["value"]
            assert value == pytest.approx(row[column], nan_ok=True)


def test_ping(server: Server) -> None:
    assert server.ping().status == 200


def test_no_rows_have_no_scores(server: Server) -> None:
    assert len(scores_of(server.invoke(npy(ROWS[:0]), NPY))) == 0


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (npy(ROWS[:, :-1]), NPY, 400, f"takes rows of {len(FEATURES)} columns, the request has"),
        (npy(ROWS[0]), NPY, 400, f"has shape ({len(FEATURES)},)"),
        (b"1,2,3", CSV, 400, "has shape (1, 3)"),
        (b"1,two", CSV, 400, "could not convert string to float: 'two'"),
        (b"1,2\n3", CSV, 400, "is not text/csv of numbers"),
        (b"\xff\xfe", CSV, 400, "is not text/csv of numbers"),
        (b"", NPY, 400, "is not application/x-npy of numbers"),
        (npy(np.array([["a"]])), NPY, 400, "its type is"),
        (npy(np.array([[{}]], dtype=object)), NPY, 400, "is not application/x-npy of numbers"),
        (b"{", JSON, 400, "is not application/json of numbers"),
        (b"[1]", JSON, 400, "is not application/json of numbers"),
        (b"{}", JSON, 400, "instances"),
        (b"1", "text/plain", 415, "'text/plain' is not one of text/csv"),
        (b"0," * (13 * 1024 * 1024), CSV, 413, "at most"),
    ],
)  # fmt: skip
def test_what_it_can_not_score_is_refused_with_the_reason(
    server: Server, body: bytes, kind: str, status: int, said: str
) -> None:
    answer = server.invoke(body, kind)
    assert (answer.status, said in answer.data.decode()) == (status, True), answer.data


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("accept", [None, EXPLAINED])
def test_what_no_model_takes_is_the_callers_mistake(narrow: Server, what: str, accept: str | None) -> None:
    answer = narrow.invoke(*REFUSED[what], accept)
    assert answer.status == 400, answer.data
    assert narrow.invoke(b"1,", CSV, accept).status == 200


def test_a_model_may_come_later_and_be_replaced(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        assert server.ping().status == 503
        refused = server.invoke(npy(ROWS), NPY)
        assert (refused.status, b"mercato train" in refused.data) == (503, True)
        for version, depth in (("1", 2), ("2", 5)):
            artifact.save(tmp_path, model(depth), FEATURES, version)
            answer = server.invoke(npy(ROWS), NPY)
            assert answer.headers["X-Amzn-SageMaker-Custom-Attributes"] == f"model_version={version}"
            assert np.allclose(scores_of(answer), score(model(depth), ROWS), atol=1e-6)
    finally:
        assert server.stop() in (0, -signal.SIGTERM)


def test_sigterm_ends_it_cleanly(folder: Path) -> None:
    server = Server(folder)
    assert server.stop() in (0, -signal.SIGTERM)
    assert server.process.stderr is not None
    assert b"Traceback" not in server.process.stderr.read()


def test_requests_are_kept_as_they_were_sent_but_for_refused_ones(folder: Path, tmp_path: Path) -> None:
    server = Server(folder, "--capture-to", str(tmp_path), "--capture-percent", "100")
    try:
        assert server.invoke(csv(ROWS), CSV).status == 200
        assert server.invoke(b"1,2,3", CSV).status == 400
        assert server.invoke(npy(ROWS), NPY, EXPLAINED).status == 200
    finally:
        server.stop()
    (file,) = tmp_path.rglob("*.jsonl")
    kept = [parse(line) for line in file.read_bytes().splitlines()]
    assert [(each.body, each.kind) for each in kept] == [(csv(ROWS), CSV), (npy(ROWS), NPY)]


def test_one_household_is_scored_within_the_budget(server: Server) -> None:
    body = npy(ROWS)
    times = []
    for _ in range(200):
        started = time.perf_counter()
        assert server.invoke(body, NPY).status == 200
        times.append(time.perf_counter() - started)
    assert np.median(times) < 0.05
