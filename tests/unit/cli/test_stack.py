"""`mercato status --url` and `mercato up`: addresses for scripts, and what Ctrl-C stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.errors import MercatoError
from mercato.local.services import ALL
from mercato.local.supervisor import ServiceStatus, Stack
from mercato.settings import Settings

API = "http://127.0.0.1:20001"


def row(name: str, state: str, url: str | None = None, *, healthy: bool = True) -> ServiceStatus:
    pid = 1 if state == "RUNNING" else None
    return ServiceStatus(name, state, pid, url, healthy and pid is not None, None, "")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        row("redis", "RUNNING", "redis://127.0.0.1:20002/0", healthy=False),
        row("ingest", "RUNNING"),
        row("api", "RUNNING", API),
        row("admin", "STOPPED"),
    ]
    monkeypatch.setattr(Stack, "status", lambda _stack: found)


def test_one_address_is_all_that_is_printed(runner: CliRunner, rows: None) -> None:
    done = runner.invoke(app, ["status", "--url", "api"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{API}\n", "")
    assert json.loads(runner.invoke(app, ["status", "--url", "api", "--json"]).stdout) == API


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("apy", "There is no service 'apy'; there are redis, ingest, api, admin."),
        ("admin", r"not running \(running: redis, ingest, api\): start it with `mercato up admin`"),
        ("ingest", "ingest has no address"),
        ("redis", "does not answer yet: `mercato up redis`"),
    ],
)
def test_no_address_is_an_error_with_the_next_step(
    runner: CliRunner, rows: None, name: str, said: str
) -> None:
    done = runner.invoke(app, ["status", "--url", name])
    assert (done.exit_code, done.stdout) == (1, "")
    assert isinstance(done.exception, MercatoError)
    with pytest.raises(MercatoError, match=said):
        raise done.exception


def test_in_a_new_home_nothing_runs(runner: CliRunner) -> None:
    done = runner.invoke(app, ["status", "--url", "api"])
    assert "(running: nothing): start it with `mercato up api`" in str(done.exception)


@pytest.mark.parametrize("service", ["kafka", "opensearch"])
def test_a_home_without_jars_is_told_where_they_are(tmp_path: Path, service: str) -> None:
    ports = dict.fromkeys(ALL[service].ports, 1)
    with pytest.raises(
        FileNotFoundError, match=r"checkout's var/jars: for another home, set MERCATO_JARS_DIR"
    ):
        ALL[service].command(Settings(home=tmp_path, jars_dir=tmp_path / "jars"), ports)


def test_doctor_is_asked_for_what_the_command_was(runner: CliRunner) -> None:
    done = runner.invoke(app, ["doctor", "--json"])
    assert "JDK 17 or 21" in {check["name"] for check in json.loads(done.stdout)}
    assert "JDK 17 or 21" in runner.invoke(app, ["doctor"]).stdout
