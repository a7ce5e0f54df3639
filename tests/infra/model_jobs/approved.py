"""Models as a pipeline leaves them in the bucket, approved, and what jobs write beside them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import boto3
import numpy as np
import pandas as pd

from mercato.lake.tables import Lake
from mercato_models import artifact, datasets, tracking
from mercato_models.artifact import Model
from mercato_models.churn import channels as churn
from mercato_models.churn import model as churn_model
from mercato_models.drift.baseline import Baseline
from mercato_models.price import channels as price
from mercato_models.price import demand, elasticity
from mercato_models.price.panel import PANEL
from tests.infra import glue

BUCKET = "shop-models"
PREFIX = "mercato-test-"


def stored(key: str) -> bytes:
    """An object of the bucket."""
    body: bytes = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def approve(model: str, folder: Path) -> None:
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


def train_churn(lake: Lake, folder: Path) -> Path:
    datasets.write("churn", lake, folder / "churn")
    rows, features = churn.read(folder / "churn")
    trained = churn_model.train(rows, features, churn_model.Hyperparameters(rounds=5))
    Baseline.of(trained, rows[list(features)].to_numpy(np.float32)).save(folder / "model")
    artifact.save(folder / "model", trained.booster, features, trained.version, trained.calibration)
    return folder / "model"


def train_price(lake: Lake, folder: Path) -> Path:
    datasets.write("price", lake, folder / "price")
    panel = price.read(folder / "price")
    rows = demand.features(panel)
    booster = demand.fit(rows, panel[PANEL.c.units], demand.Hyperparameters(rounds=5))
    Baseline.of(Model(booster, demand.FEATURES, tracking.UNREGISTERED), demand.matrix(rows)).save(
        folder / "model"
    )
    artifact.save(folder / "model", booster, demand.FEATURES, tracking.UNREGISTERED)
    known = elasticity.table(elasticity.estimate(panel))
    known.to_parquet(folder / "model" / price.ELASTICITIES, index=False)
    return folder / "model"


def predictions(name: str) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(stored(f"predictions/{name}.parquet")))


def scoring(name: str, lake: Lake) -> list[str]:
    to = f"s3://{BUCKET}/predictions"
    return [*glue.arguments(name), "--lake-uri", lake.uri, "--to", to, "--prefix", PREFIX]
