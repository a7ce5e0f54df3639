"""The models' jobs as they ship, started as Glue starts them: datasets that a pipeline takes, and scores."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from msgspec import to_builtins

from glue_jobs.catalog import select
from glue_jobs.runner import Runner
from lambdas.embedded_metrics import NAMESPACE
from mercato.contracts.events import PriceDecided
from mercato.contracts.tables import silver
from mercato.contracts.tables.outlook import OUTLOOK, HouseholdOutlook
from mercato.contracts.tables.proposals import LIMIT, PROPOSED, ProposedPrice
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.online.connection import connect as connect_redis
from mercato.online.prices import PriceBook
from mercato.online.store import OnlineStore
from mercato.online.views import HOUSEHOLD_OUTLOOK
from mercato.settings import Settings
from mercato_models import artefact, datasets, manifest, script, tracking
from mercato_models.arrays import Floats32
from mercato_models.artefact import Model
from mercato_models.churn import channels as churn
from mercato_models.churn import model as churn_model
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.captures import Recorder
from mercato_models.drift.comparison import LEAST_REQUESTS
from mercato_models.fraud import payments as fraud
from mercato_models.price import channels as price
from mercato_models.price import demand, elasticity
from mercato_models.price.panel import PANEL
from mercato_models.recommend import channels as recommend
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.pipeline import SOURCES
from mercato_models.rows import NPY, encode
from tests.conftest import JARS
from tests.infra import glue
from tests.parity.bronze import Bronze

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DATASET, OUTLOOK_JOB, PROPOSALS_JOB, DRIFT_JOB = (
    f"sagemaker/glue/{name}.py" for name in ("dataset", "outlook", "proposals", "drift")
)
BUCKET = "shop-models"
PREFIX = "mercato-test-"
GONE = to_builtins(
    HouseholdOutlook(
        household_id=999_999,
        event_timestamp=datetime(2017, 1, 1, tzinfo=UTC),
        churn_probability=0.5,
        expected_spend=1.0,
        reasons=[],
        model_version="old",
    ),
    builtin_types=(datetime,),
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return glue.install(tmp_path_factory.mktemp("glue"), "model-jobs-wheels")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Fifteen households' year, in the tables that models learn from."""
    home = tmp_path_factory.mktemp("shop")
    lake = Lake(str(home / "lake"))
    Bronze(lake).write_early()
    learned_from = {*SOURCES, *(table for each in datasets.DATASETS.values() for table in each.sources)}
    wanted = [silver.TRANSACTIONS.name, *(table.name for table in learned_from)]
    with connect(Settings(home=home), "sail") as session:
        runner = Runner(session, lake)
        for job in select(wanted):
            runner.run(job)
    return lake


@pytest.fixture
def bucket(aws: str) -> str:
    """Address of an S3 with the models' bucket."""
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return aws


def _taken(model: str, folder: Path) -> Path:
    """A dataset as SageMaker puts it before a pipeline: what the manifest names, under its prefix."""
    client = boto3.client("s3")
    named = client.get_object(Bucket=BUCKET, Key=f"datasets/{model}/manifest.json")["Body"].read()
    (first, *names) = json.loads(named)
    prefix = first["prefix"].removeprefix(f"s3://{BUCKET}/")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, prefix + name, str(folder / name))
    return folder


@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.parametrize(
    ("model", "read"), [("churn", churn.read), ("fraud", fraud.read), ("price", price.read)]
)
@pytest.mark.usefixtures("bucket")
def test_a_dataset_is_what_the_models_pipeline_reads(
    model: str, read: Callable[[Path], object], installed: Path, lake: Lake, tmp_path: Path
) -> None:
    given = [*glue.arguments(f"datasets-{model}"), "--lake-uri", lake.uri, "--to", f"s3://{BUCKET}/datasets"]
    (said,) = glue.start(installed, tmp_path, DATASET, *given)
    assert said["model"] == model
    channel = _taken(model, tmp_path / "channel")
    read(channel)
    assert script.versions(channel) == {
        table.name: lake.version(table) for table in datasets.DATASETS[model].sources
    }


@pytest.mark.usefixtures("bucket")
def test_a_dataset_of_which_a_file_is_missing_is_never_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = tmp_path / "written"
    channel.mkdir()
    (channel / "a").write_text("one")
    manifest.publish(channel, f"s3://{BUCKET}/datasets/churn", "first")
    for name in ("a", "b"):
        (channel / name).write_text("two")
    with monkeypatch.context() as failing:
        failing.setattr("boto3.client", _without_b)
        with pytest.raises(ConnectionError):
            manifest.publish(channel, f"s3://{BUCKET}/datasets/churn", "second")
    taken = _taken("churn", tmp_path / "taken")
    assert {path.name: path.read_text() for path in taken.iterdir()} == {"a": "one"}


def _without_b(service: str) -> Any:
    """A client that loses its connection at the file `b`."""
    client = boto3.session.Session().client(service)
    upload = client.upload_file

    def upload_file(path: str, bucket: str, key: str) -> None:
        if key.endswith("/b"):
            raise ConnectionError(key)
        upload(path, bucket, key)

    client.upload_file = upload_file
    return client


def test_the_rankers_dataset_is_made_by_spark(
    installed: Path, s3_jars: list[Path], bucket: str, lake: Lake, tmp_path: Path
) -> None:
    jars = [*sorted((JARS / "spark").glob("*.jar")), *s3_jars]
    given = [*glue.arguments("datasets-recommend"), "--lake-uri", lake.uri, "--to", f"s3://{BUCKET}/datasets"]
    glue.submit(installed, tmp_path, DATASET, jars, glue.s3a(bucket), *given)
    channel = _taken("recommend", tmp_path / "channel")
    contexts = recommend.read_contexts(channel)
    recommend.Snapshots(channel, recommend.stores(contexts))
    for split in (recommend.TRAIN, recommend.TEST):
        assert recommend.targets(contexts, split)
    assert script.versions(channel) == {table.name: lake.version(table) for table in SOURCES}


def _approve(model: str, folder: Path) -> None:
    """Register what training left in a folder as a pipeline does, and approve it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        files.add(folder, ".")
    key, group = f"runs/{model}/model.tar.gz", f"{PREFIX}{model}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=group)
    client.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": "xgboost", "ModelDataUrl": f"s3://{BUCKET}/{key}"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def _train_churn(lake: Lake, folder: Path) -> Path:
    datasets.write("churn", lake, folder / "churn")
    rows, features = churn.read(folder / "churn")
    trained = churn_model.train(rows, features, churn_model.Hyperparameters(rounds=5))
    Baseline.of(trained, rows[list(features)].to_numpy(np.float32)).save(folder / "model")
    artefact.save(folder / "model", trained.booster, features, trained.version, trained.calibration)
    return folder / "model"


def _train_price(lake: Lake, folder: Path) -> Path:
    datasets.write("price", lake, folder / "price")
    panel = price.read(folder / "price")
    rows = demand.features(panel)
    booster = demand.fit(rows, panel[PANEL.c.units], demand.Hyperparameters(rounds=5))
    Baseline.of(Model(booster, demand.FEATURES, tracking.UNREGISTERED), demand.matrix(rows)).save(
        folder / "model"
    )
    artefact.save(folder / "model", booster, demand.FEATURES, tracking.UNREGISTERED)
    known = elasticity.table(elasticity.estimate(panel))
    known.to_parquet(folder / "model" / price.ELASTICITIES, index=False)
    return folder / "model"


def _predictions(name: str) -> pd.DataFrame:
    written = boto3.client("s3").get_object(Bucket=BUCKET, Key=f"predictions/{name}.parquet")["Body"].read()
    return pd.read_parquet(io.BytesIO(written))


def _scoring(name: str, lake: Lake) -> list[str]:
    to = f"s3://{BUCKET}/predictions"
    return [*glue.arguments(name), "--lake-uri", lake.uri, "--to", to, "--prefix", PREFIX]


@pytest.mark.integration
@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.usefixtures("bucket")
def test_the_approved_model_says_what_is_expected_of_every_active_household(
    installed: Path, lake: Lake, settings: Settings, tmp_path: Path
) -> None:
    given = [*_scoring("churn-outlook", lake), "--redis-url", settings.require("redis_url")]
    (said,) = glue.start(installed, tmp_path, OUTLOOK_JOB, *given)
    assert said == {"households": 0, "reason": f"no version of {PREFIX}churn is approved"}
    _approve("churn", _train_churn(lake, tmp_path))
    store, c = OnlineStore(settings, timeout=10), OUTLOOK.c
    # Nobody's household any more: what was said of it goes.
    store.write(HOUSEHOLD_OUTLOOK, [GONE])
    (said,) = glue.start(installed, tmp_path, OUTLOOK_JOB, *given)
    assert said["model"] == f"{PREFIX}churn/1"
    kept = _predictions("outlook")
    assert len(kept) == said["households"] > 0
    try:
        served = store.table(HOUSEHOLD_OUTLOOK).to_pandas().set_index(c.household_id)
    finally:
        store.close()
    kept = kept.set_index(c.household_id)
    pd.testing.assert_series_equal(served[c.churn_probability], kept[c.churn_probability])
    assert set(served[c.model_version]) == {f"{PREFIX}churn/1"}


@pytest.mark.integration
@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.usefixtures("bucket")
def test_the_approved_model_proposes_prices_for_next_week(
    installed: Path, lake: Lake, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"redis_url": settings.require("redis_url").replace("/0", "/6")})
    _approve("price", _train_price(lake, tmp_path))
    given = [
        *_scoring("price-proposals", lake),
        "--cost-share",
        "0.6",
        "--redis-url",
        own.require("redis_url"),
    ]
    try:
        (said,) = glue.start(installed, tmp_path, PROPOSALS_JOB, *given)
        found, c = _predictions("proposals"), PROPOSED.c
        moved = found[found[c.proposed_price] != found[c.price]]
        with connect_redis(own) as redis:
            offers = PriceBook(redis).offers()
        assert said["model"] == f"{PREFIX}price/1"
        assert len(found) == said["proposals"] == said["prices"] > 0
        assert set(found[c.week]) == {price.read(tmp_path / "price")[PANEL.c.week].max() + 1}
        breaking = found[c.held_by].str.contains("breaks_")
        assert (found[c.proposed_price] > found[c.cost])[~breaking].all()
        assert said["waiting"] == len(offers) == len(moved)
        assert [each.proposed.gain for each in offers] == pytest.approx(moved[c.gain].to_list())
        assert not {each.proposed.product_name for each in offers} & {"", None}
        _again_with_what_was_accepted_and_limited(installed, own, tmp_path, given, offers[0].proposed)
    finally:
        with connect_redis(own) as redis:
            redis.flushdb()


def _again_with_what_was_accepted_and_limited(
    installed: Path, own: Settings, tmp_path: Path, given: list[str], row: ProposedPrice
) -> None:
    """What somebody accepted is the price as it stands, before anybody bought at it; limits come from S3."""
    accepted = PriceDecided(
        event_id="accepted",
        event_time=datetime.now(UTC),
        product_id=row.product_id,
        store_id=row.store_id,
        week=row.week,
        price=row.price,
        proposed_price=row.proposed_price,
        gain=row.gain,
        action="accept",
        reviewer="ada",
        model_version=row.model_version,
    )
    with connect_redis(own) as redis:
        PriceBook(redis).follow([accepted])
    limits = f"{LIMIT.product_id},{LIMIT.ceiling}\n{row.product_id},{row.proposed_price:.2f}\n"
    boto3.client("s3").put_object(Bucket=BUCKET, Key="price/limits.csv", Body=limits.encode())
    uri = f"s3://{BUCKET}/price/limits.csv"
    (said,) = glue.start(installed, tmp_path, PROPOSALS_JOB, *given, "--limits", uri)
    found, c = _predictions("proposals"), PROPOSED.c
    of_product = found[found[c.product_id] == row.product_id]
    assert (said["accepted"], said["limited"]) == (1, len(of_product))
    (stands,) = of_product[of_product[c.store_id] == row.store_id].to_dict("records")
    assert stands[c.price] == stands[c.proposed_price] == row.proposed_price
    written = boto3.client("s3").get_object(Bucket=BUCKET, Key="predictions/proposals.json")["Body"].read()
    assert json.loads(written).items() <= said.items()


def _train_ranker(rows: Floats32, folder: Path) -> Model:
    """One that looks at the first of its features alone."""
    matrix = xgb.DMatrix(rows, rows[:, 0], feature_names=[*FEATURES])
    model = Model(xgb.train({"nthread": 1}, matrix, 5), FEATURES, tracking.UNREGISTERED)
    artefact.save(folder, model.booster, FEATURES, model.version)
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
    _approve("recommend", ranker)
    _approve("churn", _train_churn(lake, tmp_path / "churn"))
    _approve("price", _train_price(lake, tmp_path / "price"))
    asked = learned_from[: 2 * LEAST_REQUESTS].copy()
    asked[:, 0] = np.nan
    _ask(asked, tmp_path / "captures")
    given = [*_scoring("models-drift", lake), "--captures", f"s3://{BUCKET}/capture"]
    (said,) = glue.start(installed, tmp_path, DRIFT_JOB, *given)
    written = boto3.client("s3").get_object(Bucket=BUCKET, Key="predictions/drift.json")["Body"].read()
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
        _approve(name, tmp_path / name)
    _approve("price", _train_price(lake, tmp_path / "price"))
    given = [*_scoring("models-drift", lake), "--captures", f"s3://{BUCKET}/capture"]
    with pytest.raises(AssertionError, match=r"drift: fraud: .*features\.json"):
        glue.start(installed, tmp_path, DRIFT_JOB, *given)
    written = boto3.client("s3").get_object(Bucket=BUCKET, Key="predictions/drift.json")["Body"].read()
    found = json.loads(written)
    assert [each["model"] for each in found["models"]] == ["price"]
    assert "train it again" in found["skipped"]["recommend"]
    assert found["failures"].keys() == {"fraud"}
