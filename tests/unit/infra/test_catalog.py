"""The deploy's catalog is current, and holds together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from glue_jobs.catalog import CATALOG
from infra.catalog import render
from mercato.contracts.events import TOPICS
from mercato.contracts.tables.base import Table
from mercato.decisions.price_limits import Limits
from mercato.decisions.price_standing import Shop
from mercato_models.datasets import DATASETS
from mercato_models.drift.asked import OF_LAKE
from pipelines.models import MODELS

WRITTEN = Path(__file__).parents[3] / "infra" / "cdk" / "generated" / "catalog.json"


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render())
    return loaded


def test_the_file_is_current() -> None:
    assert WRITTEN.read_text() == render(), "run `make docs`"


def test_every_topic_and_every_job_of_the_catalog_is_in_it(catalog: dict[str, Any]) -> None:
    arguments = [job["arguments"] for job in catalog["jobs"]]
    assert {*CATALOG} <= {each.get("--job") for each in arguments}
    streamed = ",".join(each["--stream"] for each in arguments if "--stream" in each).split(",")
    assert sorted(streamed) == sorted(TOPICS)
    assert len({job["name"] for job in catalog["jobs"]}) == len(catalog["jobs"])


def test_jobs_read_and_write_only_what_exists_and_no_entry_script_is_missing(
    catalog: dict[str, Any],
) -> None:
    tables = {f"{table['database']}.{table['name']}" for table in catalog["tables"]}
    for job in catalog["jobs"]:
        assert {*job["reads"], *job["writes"]} <= tables | set(TOPICS)
        assert (WRITTEN.parents[3] / job["entry"]).is_file()


def test_every_model_has_a_job_that_writes_what_it_learns_from(catalog: dict[str, Any]) -> None:
    jobs = {job["arguments"]["--model"] for job in catalog["jobs"] if job["layer"] == "datasets"}
    assert jobs == MODELS.keys()


def test_types_are_spelt_as_glue_spells_them(catalog: dict[str, Any]) -> None:
    columns = {
        (table["database"], table["name"], column["name"]): column["type"]
        for table in catalog["tables"]
        for column in table["columns"]
    }
    assert columns["bronze", "transactions", "value"] == "binary"
    assert columns["silver", "promotions", "placements"] == (
        "array<struct<display:string,mailer:string,stores:array<bigint>>>"
    )
    assert columns["gold", "product_daily", "day"] == "date"


def test_models_are_compared_once_what_they_would_be_asked_is_there(catalog: dict[str, Any]) -> None:
    (comparing,) = (job for job in catalog["jobs"] if job["name"] == "models-drift")
    learned_from = {table.name for model in OF_LAKE for table in DATASETS[model].sources}
    assert learned_from == {*comparing["reads"]}
    assert comparing["layer"] == "scores"


def test_proposals_wait_for_all_that_says_how_prices_stand(catalog: dict[str, Any]) -> None:
    read = set()

    def rows(table: Table) -> pa.Table:
        read.add(table.name)
        return table.arrow_schema.empty_table()

    Shop.of(rows, [], Limits())
    (proposing,) = (job for job in catalog["jobs"] if job["name"] == "price-proposals")
    assert read
    assert read <= {*proposing["reads"]}
