"""What the models' jobs run with; the wheels that they ship with and the lake are made once for all."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from glue_jobs.catalog import select
from glue_jobs.runner import Runner
from mercato.contracts.tables import silver
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato_models import datasets
from mercato_models.recommend.pipeline import SOURCES
from tests.infra import glue
from tests.infra.model_jobs.approved import BUCKET
from tests.parity.bronze import Bronze


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return glue.install(tmp_path_factory.mktemp("glue"), "model-jobs-wheels")


@pytest.fixture(scope="session")
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
