"""The training script as SageMaker would run it, with a real MLflow."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercato.contracts.tables.features import PRODUCT_STATS
from mercato.contracts.tables.predictions import RANKED_PRODUCTS
from mercato.settings import Settings
from mercato_models import artifact, script, tracking
from mercato_models.card import MARKDOWN
from mercato_models.drift.baseline import Baseline
from mercato_models.launch import TrainingJob
from mercato_models.recommend import NAME, channels
from mercato_models.recommend.context import PROFILE
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.metrics import quality
from mercato_models.recommend.predictions import FILES
from mercato_models.recommend.ranker import score
from tests.integration.recommend_channel import truth_of_tests, write_channel

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def train(
    channel: Path, home: Path, *arguments: str, mlflow_uri: str = ""
) -> subprocess.CompletedProcess[str]:
    job = TrainingJob(NAME, channel, home / "model", home / "output")
    variables = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'sagemaker'}",
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_TRACKING_URI": mlflow_uri,
    }
    flags = ("--rounds", "20", "--threads", "1", *arguments)
    return job.run(*flags, variables=variables, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("channel")
    write_channel(folder)
    return folder


def test_a_model_is_trained_judged_registered_and_promoted(
    channel: Path, tmp_path: Path, settings: Settings
) -> None:
    uri = settings.require("mlflow_uri")
    script.write_versions(channel, {"gold.basket_lines": 3, "gold.product_stats": 1})
    done = train(channel, tmp_path, mlflow_uri=uri)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["passes"]
    assert said["model_recall_at_10"] > said["popular_recall_at_10"]

    client = mlflow.MlflowClient(uri)
    champion = client.get_model_version_by_alias(NAME, tracking.CHAMPION)
    assert champion.version == said["version"]
    run = client.get_run(champion.run_id)
    assert run.data.metrics["model_recall_at_10"] == said["model_recall_at_10"]
    assert run.data.params["rounds"] == "20"
    assert run.data.tags["delta.gold.basket_lines"] == "3"

    mlflow.set_tracking_uri(uri)
    loaded = mlflow.pyfunc.load_model(f"models:/{NAME}@{tracking.CHAMPION}")
    assert loaded.metadata.signature.inputs.input_names() == list(FEATURES)
    example = loaded.input_example
    model = artifact.load(tmp_path / "model")
    assert model.version == said["version"]
    assert script.versions(tmp_path / "model") == script.versions(channel)
    known = Baseline.load(tmp_path / "model", FEATURES)
    assert [column.name for column in known.columns] == list(FEATURES)
    hour = known.columns[FEATURES.index("hour")]
    assert hour.shares[-1] == 0, "a model that serves is not asked about hidden contexts"
    assert np.allclose(loaded.predict(example), score(model.booster, example.to_numpy(np.float32)))


def test_the_written_lists_score_as_reported(channel: Path, tmp_path: Path) -> None:
    done = train(channel, tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["version"] == tracking.UNREGISTERED
    truths = truth_of_tests(channel)
    for way, file in FILES.items():
        table = pq.read_table(tmp_path / "output" / file)
        assert table.schema.equals(RANKED_PRODUCTS.arrow_schema)
        lists: dict[int, list[int]] = defaultdict(list)
        for row in table.to_pylist():
            lists[row["household_id"]].append(row["product_id"])
            assert row["rank"] == len(lists[row["household_id"]])
        judged = quality([lists[household] for household in truths], list(truths.values()))
        assert judged.recall == pytest.approx(said[f"{way}_recall_at_10"])
        assert judged.ndcg == pytest.approx(said[f"{way}_ndcg_at_10"])
    card = (tmp_path / "output" / MARKDOWN).read_text()
    assert "age, R@10: least ratio " in card
    assert ", among 35 to 54, 55 and above, under 35; 0.8 reached: yes" in card
    assert "household_size, R@10: too few to say (groups under 20 positives: one)" in card
    written = json.loads((tmp_path / "output" / script.METRICS).read_text())
    compared = {(ratio["attribute"], ratio["measure"]): ratio for ratio in written["fairness"]}
    assert {measure for _, measure in compared} == {"R@10", "nDCG@10"}
    ages = compared["age", "R@10"]
    assert ages["reached"] == "yes"
    assert sum(group["rows"] for group in ages["groups"]) == len(truths)


def test_the_same_seed_gives_the_same_lists(channel: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("one", "two"):
        assert train(channel, tmp_path / name).returncode == 0
        tables.append(pq.read_table(tmp_path / name / "output" / "recommend.parquet"))
    assert tables[0].equals(tables[1])


def test_a_model_that_does_not_beat_the_baselines_is_not_registered_and_says_why(
    channel: Path, tmp_path: Path, settings: Settings
) -> None:
    uri = settings.require("mlflow_uri")
    done = train(channel, tmp_path, "--rounds", "1", "--learning-rate", "0.0", mlflow_uri=uri)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert not said["passes"]
    assert any(reason.startswith("R@10 beside personal is ") for reason in said["reasons"])
    assert said["version"] == tracking.UNREGISTERED
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name(NAME)
    newest = client.search_runs([experiment.experiment_id], max_results=1)[0]
    assert newest.data.tags["gate"] == "; ".join(said["reasons"])
    registered = {version.run_id for version in client.search_model_versions(f"name='{NAME}'")}
    assert newest.info.run_id not in registered


def _without_rows(table: pa.Table) -> pa.Table:
    return table.slice(0, 0)


def _without_truth(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index(channels.CONTEXTS.c.truth)
    return table.set_column(
        place, table.schema.field(place), pa.array([[5]] * len(table), pa.list_(pa.int64()))
    )


def _without_column(table: pa.Table) -> pa.Table:
    return table.drop([channels.CONTEXTS.c.truth])


def _without_profile(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index(PROFILE[0])
    return table.set_column(place, table.schema.field(place), pa.nulls(len(table), pa.int64()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            _without_profile,
            f"train: NaN flood in {PROFILE[0]}, known in 0.0% of the rows: 320 of 320 rows (0, 1",
        ),
        (_without_rows, "has no rows: the slice holds no basket to predict"),
        (_without_column, "lacks the columns truth"),
        (_without_truth, "the label is constant"),
    ],
)
def test_what_can_not_be_trained_on_is_said_in_one_line(
    channel: Path, tmp_path: Path, change: object, complaint: str
) -> None:
    broken = tmp_path / "channel"
    broken.mkdir()
    for file in channel.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    contexts = pq.read_table(broken / channels.file_name(channels.CONTEXTS))
    channels.write(broken, change(contexts), channels.CONTEXTS)  # type: ignore[operator]
    done = train(broken, tmp_path)
    assert done.returncode == 1
    assert complaint in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_an_mlflow_that_does_not_answer_is_said_before_anything_is_learned(
    channel: Path, tmp_path: Path
) -> None:
    (tmp_path / "channel").mkdir()  # which training would miss first
    done = train(tmp_path / "channel", tmp_path, mlflow_uri="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "train: MLflow at http://127.0.0.1:9 does not take runs" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_missing_table_is_named(channel: Path, tmp_path: Path) -> None:
    broken = tmp_path / "channel"
    broken.mkdir()
    name = channels.file_name(channels.CONTEXTS)
    (broken / name).write_bytes((channel / name).read_bytes())
    done = train(broken, tmp_path)
    assert done.returncode == 1
    assert f"{channels.file_name(PRODUCT_STATS)} is missing" in done.stderr
