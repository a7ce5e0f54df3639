"""`mercato lineage` over a small lake."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb
from deltalake import write_deltalake
from typer.testing import CliRunner

from mercato import lineage
from mercato.cli.main import app
from mercato.contracts.events import TRANSACTIONS as TOPIC
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.features import PRODUCT_TRENDS
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import TRANSACTIONS
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato.lineage import Kind
from mercato_models import artifact, script

CHAIN = (BRONZE[TOPIC.name], TRANSACTIONS, BASKET_LINES, PRODUCT_TRENDS)


def reads_newest(lake: Lake, target: Table, source: Table) -> None:
    table_id, version = lake.state(source) or ("", -1)
    lake.set_progress(target, [(source, table_id, version)])


def add_row(lake: Lake, table: Table) -> None:
    """Any row: nobody reads it."""
    columns = {field.name: [1] if pa.types.is_integer(field.type) else [None] for field in table.arrow_schema}
    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    write_deltalake(lake.path(table), pa.table(columns, nullable), mode="append")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Tables of which each holds all of the one before."""
    made = Lake(str(tmp_path / "lake"))
    for table in CHAIN:
        made.create(table)
    for source, target in itertools.pairwise(CHAIN):
        reads_newest(made, target, source)
    return made


def told(runner: CliRunner, *names: str) -> dict[str, dict[str, Any]]:
    done = runner.invoke(app, ["lineage", *names, "--json"])
    assert done.exit_code == 0, done.output
    return {each["name"]: each for each in json.loads(done.stdout)}


def test_a_table_is_followed_back_to_its_topic(runner: CliRunner, lake: Lake) -> None:
    done = runner.invoke(app, ["lineage", "product_trends"])
    lines = [line.split("  version")[0] for line in done.stdout.splitlines()]
    assert lines == [
        "table gold.product_trends",
        "  table gold.basket_lines",
        "    table silver.transactions",
        "      table bronze.transactions",
        "        topic transactions.v1",
        "made from it: product_trends_v1",
    ]
    assert "behind" not in done.stdout


def test_what_was_not_read_again_is_behind(runner: CliRunner, lake: Lake) -> None:
    bronze, silver, lines, _ = CHAIN
    add_row(lake, bronze)
    found = told(runner, "gold.product_trends")
    assert found[silver.name]["made_from"] == [
        {"name": bronze.name, "version": 0, "newest": 1, "behind": True}
    ]
    assert not any(each["behind"] for each in found[lines.name]["made_from"])
    assert f"behind: {bronze.name} 0 of 1" in runner.invoke(app, ["lineage", silver.name]).stdout
    reads_newest(lake, silver, bronze)
    assert not told(runner, silver.name)[silver.name]["made_from"][0]["behind"]


def test_a_table_that_was_made_again_has_not_been_read(runner: CliRunner, tmp_path: Path, lake: Lake) -> None:
    """Its versions count from 0 anew, and say nothing of what was read before."""
    bronze, silver = CHAIN[:2]
    Path(lake.path(bronze)).rename(tmp_path / "before")
    lake.create(bronze)
    (read,) = told(runner, silver.name)[silver.name]["made_from"]
    assert read == {"name": bronze.name, "version": None, "newest": 0, "behind": True}


def test_upkeep_and_notes_leave_nothing_behind(runner: CliRunner, lake: Lake) -> None:
    """They make new versions of the same rows."""
    bronze, silver, lines, _ = CHAIN
    lake.set_marks(bronze, {"newer": 1})
    lake.set_marks(bronze, {"newer": 2})
    (read,) = told(runner, silver.name)[silver.name]["made_from"]
    assert read == {"name": bronze.name, "version": 0, "newest": 2, "behind": False}
    assert lines.name in told(runner, silver.name)[silver.name]["used_by"]


def test_a_model_says_what_it_was_trained_on(runner: CliRunner, tmp_path: Path, lake: Lake) -> None:
    folder, rows = tmp_path / "models" / "churn", np.arange(8, dtype=np.float32)[:, None]
    assert told(runner, "churn")["churn"]["version"] is None
    artifact.save(folder, xgb.train({}, xgb.DMatrix(rows, rows[:, 0]), 1), ("a",), "7")
    assert told(runner, "churn")["churn"]["made_from"] == []
    script.write_versions(tmp_path, {BASKET_LINES.name: lake.version(BASKET_LINES)})
    script.keep_versions(tmp_path, folder)
    found = told(runner, "churn")["churn"]
    assert (found["version"], found["kind"]) == ("7", "model")
    assert not found["made_from"][0]["behind"]
    lake.set_marks(BASKET_LINES, {"newer": 1})
    assert not told(runner, "churn")["churn"]["made_from"][0]["behind"]
    add_row(lake, BASKET_LINES)
    assert told(runner, "churn")["churn"]["made_from"][0]["behind"]


def test_all_of_it_is_there_without_a_lake(runner: CliRunner) -> None:
    found = told(runner)
    assert set(found) == set(lineage.graph())
    assert {each["kind"] for each in found.values()} == set(Kind)
    for name, each in found.items():
        assert set(each["reads"]) <= set(found), name
        assert each["version"] is None
    assert len(runner.invoke(app, ["lineage"]).stdout.splitlines()) == len(found)


def test_everything_is_made_of_topics_alone() -> None:
    nodes = lineage.graph()
    for node in nodes.values():
        assert bool(node.reads) is (node.kind is not Kind.TOPIC)
        assert node.name not in lineage.used_by(node.name)
    assert {"recommend", "churn", "price", "product_stats_v1"} <= set(lineage.used_by(TOPIC.name))
    assert "fraud" not in lineage.used_by(TOPIC.name)


def test_what_is_unknown_or_ambiguous_is_said(runner: CliRunner) -> None:
    for name, said in (
        ("trends", "no topic, table, feature view or model trends"),
        ("transactions", "There are bronze.transactions, silver.transactions: name one of them."),
    ):
        done = runner.invoke(app, ["lineage", name])
        assert isinstance(done.exception, MercatoError)
        assert said in str(done.exception)
