"""`mercato ingest`, `run` and `maintain` say so when they did nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from typer.testing import CliRunner

from mercato.cli import lake as commands
from mercato.cli.main import app
from mercato.contracts.events import PAYMENTS
from mercato.contracts.tables.bronze import BRONZE
from mercato.errors import MercatoError
from mercato.lake import ingest
from mercato.lake.tables import Lake
from mercato.local.daemon import Daemon
from mercato.replay import run as replaying
from mercato.stream import topics

BRONZE_PAYMENTS = BRONZE[PAYMENTS.name]


def unreachable(*_arguments: object) -> None:
    raise KafkaException(KafkaError(KafkaError._TRANSPORT))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize("layer", ["brnze", "bronze"])
def test_a_layer_without_jobs_is_refused_with_the_layers(runner: CliRunner, layer: str) -> None:
    done = runner.invoke(app, ["run", "--layer", layer, "--layer", "gold"])
    assert isinstance(done.exception, MercatoError)
    assert f"no jobs of layer {layer}; layers are silver, gold" in str(done.exception)


def test_a_run_on_an_empty_lake_says_what_fills_it(runner: CliRunner, lake: Lake) -> None:
    done = runner.invoke(app, ["run", "--layer", "silver", "--json"])
    assert done.exit_code == 0, done.output
    assert {each["mode"] for each in json.loads(done.stdout)} == {"skipped"}
    assert "bronze is empty: run `mercato ingest`" in done.stderr


def test_a_run_with_nothing_new_does_not_call_bronze_empty(
    runner: CliRunner, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lake, "rows", lambda _lake, table: int(table == BRONZE_PAYMENTS))
    done = runner.invoke(app, ["run", "silver.transactions"])
    assert done.exit_code == 0, done.output
    assert "skipped" in done.stderr
    assert "bronze is empty" not in done.stderr


@pytest.mark.parametrize("name", ["my shop", "läden", "100%"])
@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_lake_whose_tables_no_engine_would_find_is_refused_before_anything_is_written(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, command: str
) -> None:
    home = tmp_path / name
    monkeypatch.setenv("MERCATO_HOME", str(home))
    done = runner.invoke(app, [command])
    assert isinstance(done.exception, MercatoError)
    assert f"Jobs cannot read a lake in {home / 'lake'}" in str(done.exception)
    assert "MERCATO_HOME" in str(done.exception)
    assert not home.exists()


def test_a_lake_of_a_plain_name_serves_a_home_of_another(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "my shop"))
    done = runner.invoke(app, ["run", "silver.transactions", "--lake", str(tmp_path / "lake")])
    assert done.exit_code == 0, done.output


def test_upkeep_of_no_tables_says_so(runner: CliRunner, lake: Lake) -> None:
    done = runner.invoke(app, ["maintain", "--json"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"no tables in {lake.uri} yet: `mercato ingest`" in done.stderr


def test_upkeep_prints_a_line_for_each_table(runner: CliRunner, lake: Lake) -> None:
    for table in list(BRONZE.values())[:2]:
        lake.create(table)
    done = runner.invoke(app, ["maintain", "--json"])
    assert [json.loads(line)["table"] for line in done.stdout.splitlines()] == [
        table.name for table in list(BRONZE.values())[:2]
    ]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (["ingest"], (topics, "ensure_topics")),
        (["ingest", "--wait"], (ingest, "lag")),
        (["replay"], (replaying, "run")),
    ],
)
def test_kafka_that_does_not_answer_is_a_message(
    runner: CliRunner, command: list[str], where: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*where, unreachable)
    done = runner.invoke(app, command)
    assert isinstance(done.exception, MercatoError)
    assert "Kafka does not answer" in str(done.exception)
    assert "`mercato status`" in str(done.exception)


def lags(*sums: int, on_ask: Callable[[], object] = lambda: None) -> Callable[..., dict[str, int]]:
    """What Kafka holds and bronze does not, each time that it is asked."""
    left = iter(sums)

    def lag(*_arguments: object) -> dict[str, int]:
        on_ask()
        return {PAYMENTS.name: next(left)}

    return lag


def test_waiting_for_nobody_ends_with_the_command_that_ingests(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "lag", lags(5, 5, 5))
    monkeypatch.setattr(commands, "_PATIENCE_ELSEWHERE", 0.5)
    done = runner.invoke(app, ["ingest", "--wait"])
    assert isinstance(done.exception, MercatoError)
    assert "Nothing is ingesting: start it with `mercato up ingest`" in str(done.exception)


def test_waiting_for_an_ingester_that_is_stuck_ends_with_its_log(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "lag", lags(5, 5, 5))
    monkeypatch.setattr(Daemon, "infos", lambda _daemon: {"ingest": {"statename": "RUNNING"}})
    monkeypatch.setattr(commands, "_PATIENCE_ELSEWHERE", 0.0)
    monkeypatch.setattr(commands, "_PATIENCE", 0.5)
    done = runner.invoke(app, ["ingest", "--wait"])
    assert isinstance(done.exception, MercatoError)
    assert f"has written nothing for 1 s: see {tmp_path / 'log' / 'ingest.log'}" in str(done.exception)


def test_waiting_goes_on_while_bronze_grows_even_if_more_comes(
    runner: CliRunner, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = lags(5, 7, 9, 0, on_ask=lambda: lake.set_marks(BRONZE_PAYMENTS, {"test": 1}))
    monkeypatch.setattr(ingest, "lag", growing)
    monkeypatch.setattr(commands, "_PATIENCE_ELSEWHERE", 0.5)
    done = runner.invoke(app, ["ingest", "--wait"])
    assert done.exit_code == 0, done.output
    assert "9 records to go" in done.stderr


def test_waiting_for_nothing_is_done_at_once(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "lag", lags(0))
    assert runner.invoke(app, ["ingest", "--wait"]).exit_code == 0
