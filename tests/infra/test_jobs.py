"""Jobs in the form in which they ship, started as Glue starts them: Python 3.13, Spark 4.1.1, no index."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.artifacts.catalog import artifact
from mercato.contracts.tables import features, gold, silver
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.maintenance import maintain
from mercato.lake.tables import Lake
from mercato.online import views
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings
from tests.conftest import JARS
from tests.infra import glue
from tests.parity.bronze import HOUSEHOLDS, Bronze

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: Where Glue would find the script.
ENTRY = "glue_jobs/main.py"
#: One of each layer; all of them take minutes.
TARGETS = (
    silver.TRANSACTIONS, silver.PRODUCTS, gold.BASKET_LINES, gold.CUSTOMER_360, features.HOUSEHOLD_PROFILE,
)  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return glue.install(tmp_path_factory.mktemp("glue"), "jobs-wheels")


def _arguments() -> list[str]:
    names = [target.name.replace(".", "-").replace("_", "-") for target in TARGETS]
    return [word for name in names for word in glue.arguments(name)]


def _assert_filled(lake: Lake, runs: list[Any]) -> None:
    assert [each["job"] for each in runs] == [target.name for target in TARGETS]
    assert all(each["rows"] > 0 for each in runs)
    households = lake.read_arrow(gold.CUSTOMER_360)
    assert households.num_rows == HOUSEHOLDS
    spent = sum(households[gold.CUSTOMER_360.c.spend].to_pylist())
    sold = sum(lake.read_arrow(silver.TRANSACTIONS)[silver.TRANSACTIONS.c.sales_value].to_pylist())
    assert spent == pytest.approx(sold)


@pytest.fixture
def s3(aws: str) -> str:
    """Address of an S3 that holds one bucket per layer."""
    client = boto3.client("s3")
    for layer in ("bronze", "silver", "gold", "quarantine"):
        client.create_bucket(
            Bucket=f"shop-{layer}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    return aws


@pytest.mark.integration
@pytest.mark.exercises("jobs-wheels")
@pytest.mark.exercises("jobs-entry")
def test_shipped_jobs_fill_a_lake_with_a_bucket_for_each_layer_and_bring_it_online(
    installed: Path, s3_jars: list[Path], s3: str, settings: Settings, tmp_path: Path
) -> None:
    lake = Lake("s3://shop-{layer}")
    Bronze(lake).write_early()
    jars, conf = [*sorted((JARS / "spark").glob("*.jar")), *s3_jars], glue.s3a(s3)
    runs = glue.submit(installed, tmp_path, ENTRY, jars, conf, *_arguments(), "--lake-uri", lake.uri)
    _assert_filled(lake, runs)
    kept_up = {upkeep.table for upkeep in maintain(lake, 168)}
    assert {target.name for target in TARGETS} <= kept_up
    # A stream is the only writer of its table there.
    assert kept_up.isdisjoint(table.name for table in BRONZE.values())
    _assert_filled(lake, runs)

    online = OnlineFeatures(settings)
    online.store.redis.flushdb()
    given = [*glue.arguments("features-materialize"), "--redis-url", settings.require("redis_url")]
    glue.submit(installed, tmp_path, "features/main.py", jars, conf, *given, "--lake-uri", lake.uri)
    spent = online.profiles()[features.HOUSEHOLD_PROFILE.c.spend].to_pylist()
    known = lake.read_arrow(features.HOUSEHOLD_PROFILE)
    assert max(spent) == pytest.approx(max(known[features.HOUSEHOLD_PROFILE.c.spend].to_pylist()))
    assert len(spent) == HOUSEHOLDS
    products = online.catalogue()[views.PRODUCT_DETAILS.name]
    assert products.equals(online.store.table(views.PRODUCT_DETAILS))
    assert products.num_rows > 0


@pytest.mark.exercises("jobs-jars")
def test_spark_finds_its_kafka_and_the_sign_in_to_msk_in_the_shipped_jars(tmp_path: Path) -> None:
    jars = artifact("jobs-jars").build()
    wanted = (
        "org.apache.spark.sql.kafka010.KafkaSourceProvider",
        "org.apache.kafka.clients.consumer.KafkaConsumer",
        "software.amazon.msk.auth.iam.IAMLoginModule",
        "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    )
    found = {name for jar in jars.glob("*.jar") for name in zipfile.ZipFile(jar).namelist()}
    assert {f"{name.replace('.', '/')}.class" for name in wanted} <= found
