"""Approved models score by the jobs that ship, started as Glue starts them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pandas as pd
import pytest
from msgspec import to_builtins

from mercato.contracts.events import PriceDecided
from mercato.contracts.tables.outlook import OUTLOOK, HouseholdOutlook
from mercato.contracts.tables.proposals import LIMIT, PROPOSED, ProposedPrice
from mercato.lake.tables import Lake
from mercato.online.connection import connect as connect_redis
from mercato.online.prices import PriceBook
from mercato.online.store import OnlineStore
from mercato.online.views import HOUSEHOLD_OUTLOOK
from mercato.settings import Settings
from mercato_models.price import channels as price
from mercato_models.price.panel import PANEL
from tests.infra import glue
from tests.infra.model_jobs.approved import (
    BUCKET,
    PREFIX,
    approve,
    predictions,
    scoring,
    stored,
    train_churn,
    train_price,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OUTLOOK_JOB = "sagemaker/glue/outlook.py"
PROPOSALS_JOB = "sagemaker/glue/proposals.py"
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


@pytest.mark.integration
@pytest.mark.exercises("model-jobs-wheels")
@pytest.mark.exercises("jobs-entry")
@pytest.mark.usefixtures("bucket")
def test_the_approved_model_says_what_is_expected_of_every_active_household(
    installed: Path, lake: Lake, settings: Settings, tmp_path: Path
) -> None:
    given = [*scoring("churn-outlook", lake), "--redis-url", settings.require("redis_url")]
    (said,) = glue.start(installed, tmp_path, OUTLOOK_JOB, *given)
    assert said == {"households": 0, "reason": f"no version of {PREFIX}churn is approved"}
    approve("churn", train_churn(lake, tmp_path))
    store, c = OnlineStore(settings, timeout=10), OUTLOOK.c
    # Nobody's household any more: what was said of it goes.
    store.write(HOUSEHOLD_OUTLOOK, [GONE])
    (said,) = glue.start(installed, tmp_path, OUTLOOK_JOB, *given)
    assert said["model"] == f"{PREFIX}churn/1"
    kept = predictions("outlook")
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
    approve("price", train_price(lake, tmp_path))
    given = [
        *scoring("price-proposals", lake),
        "--cost-share",
        "0.6",
        "--redis-url",
        own.require("redis_url"),
    ]
    try:
        (said,) = glue.start(installed, tmp_path, PROPOSALS_JOB, *given)
        found, c = predictions("proposals"), PROPOSED.c
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
    found, c = predictions("proposals"), PROPOSED.c
    of_product = found[found[c.product_id] == row.product_id]
    assert (said["accepted"], said["limited"]) == (1, len(of_product))
    (stands,) = of_product[of_product[c.store_id] == row.store_id].to_dict("records")
    assert stands[c.price] == stands[c.proposed_price] == row.proposed_price
    written = stored("predictions/proposals.json")
    assert json.loads(written).items() <= said.items()
