"""`mercato quarantine` knows its topics, and prints a record a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.contracts.events import PAYMENTS, TOPICS
from mercato.contracts.tables.silver import QUARANTINE
from mercato.errors import MercatoError
from mercato.lake.quarantine import DUPLICATE
from mercato.lake.tables import Lake

Q = QUARANTINE.c


@pytest.fixture
def records(tmp_path: Path) -> int:
    rows = [
        {
            Q.topic: PAYMENTS.name,
            Q.partition: 0,
            Q.offset: offset,
            Q.value: b"{}",
            Q.code: DUPLICATE if offset == 1 else "wrong_type",
            Q.field: "amount",
            Q.reason: "not a number",
            Q.kafka_time: datetime.now(UTC),
            Q.quarantined_at: datetime.now(UTC),
        }
        for offset in range(3)
    ]
    lake = Lake(str(tmp_path / "lake"))
    lake.create(QUARANTINE)
    schema = pa.schema([field.with_nullable(True) for field in QUARANTINE.arrow_schema])
    write_deltalake(lake.path(QUARANTINE), pa.Table.from_pylist(rows, schema=schema), mode="append")
    return len(rows)


@pytest.mark.parametrize(
    "command", [("list", "--topic", "nope.v1"), ("replay", "--topic", "nope.v1"), ("show", "nope.v1", "0:1")]
)
def test_an_unknown_topic_is_refused_with_the_known_ones(runner: CliRunner, command: tuple[str, ...]) -> None:
    done = runner.invoke(app, ["quarantine", *command])
    assert isinstance(done.exception, MercatoError)
    assert "no topic 'nope.v1'" in str(done.exception)
    assert all(name in str(done.exception) for name in TOPICS)


def test_a_known_topic_without_refusals_has_none(runner: CliRunner) -> None:
    done = runner.invoke(app, ["quarantine", "list", "--topic", PAYMENTS.name])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "0 records\n")


def test_each_record_is_a_line_of_json(runner: CliRunner, records: int) -> None:
    done = runner.invoke(app, ["quarantine", "list", "--json", "--topic", PAYMENTS.name])
    assert [json.loads(line)[Q.offset] for line in done.stdout.splitlines()] == list(range(records))


def test_a_dry_run_sends_nothing(runner: CliRunner, records: int) -> None:
    done = runner.invoke(app, ["quarantine", "replay", "--topic", PAYMENTS.name, "--dry-run", "--json"])
    assert json.loads(done.stdout) == {"records": records - 1, "sent": 0}


def test_duplicates_are_sent_again_only_when_asked_for(
    runner: CliRunner, records: int, tmp_path: Path
) -> None:
    asked = ["quarantine", "replay", "--dry-run", "--json"]
    done = runner.invoke(app, asked)
    assert json.loads(done.stdout)["records"] == records - 1
    assert "1 duplicates left out; `--code duplicate` sends them." in done.stderr
    done = runner.invoke(app, [*asked, "--code", DUPLICATE])
    assert json.loads(done.stdout)["records"] == 1
    assert "left out" not in done.stderr
    corrected = tmp_path / "corrected.jsonl"
    corrected.write_bytes(b"{}\n" * records)
    done = runner.invoke(app, [*asked, "--with", str(corrected)])
    assert json.loads(done.stdout)["records"] == records
