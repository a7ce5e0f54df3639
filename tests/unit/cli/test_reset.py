"""`mercato reset` deletes what can be made again, and nothing else."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.cli import reset as commands
from mercato.cli.main import app
from mercato.errors import MercatoError
from mercato.lake.lock import alone
from mercato.local.daemon import Daemon
from mercato.settings import get_settings

MADE = ("predictions", "datasets", "models", "lake", "state", "run")
KEPT = ("jars", "artifacts", "bench", "log")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in (*MADE, *KEPT):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_bytes(b"x" * 1000)
    return tmp_path


def left(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def ask(home: Path, answer: str) -> tuple[int, str]:
    """Run it in a terminal, and answer."""
    terminal, end = pty.openpty()
    environment = {**os.environ, "MERCATO_HOME": str(home)}
    command = [sys.executable, "-m", "mercato", "reset"]
    with subprocess.Popen(
        command, stdin=end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        os.close(end)
        os.write(terminal, answer.encode())
        _, said = process.communicate(timeout=60)
    os.close(terminal)
    return process.returncode, said


def test_what_can_be_made_again_goes_and_the_rest_stays(runner: CliRunner, home: Path) -> None:
    done = runner.invoke(app, ["reset", "--yes", "--json"])
    assert done.exit_code == 0, done.output
    assert left(home) == set(KEPT)
    deleted = json.loads(done.stdout)["deleted"]
    assert [each["path"] for each in deleted] == [str(home / name) for name in MADE]
    assert all(each["bytes"] >= 1000 for each in deleted)
    assert all(str(home / name) in done.stderr for name in MADE)


def test_a_second_one_has_nothing_to_do(runner: CliRunner, home: Path) -> None:
    runner.invoke(app, ["reset", "--yes"])
    done = runner.invoke(app, ["reset", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["deleted"]) == (0, [])
    assert "There is nothing to delete" in done.stderr


def test_where_nobody_can_be_asked_nothing_goes(runner: CliRunner, home: Path) -> None:
    done = runner.invoke(app, ["reset"])
    assert isinstance(done.exception, MercatoError)
    assert "mercato reset --yes" in str(done.exception)
    assert left(home) == {*MADE, *KEPT}


@pytest.mark.parametrize(("answer", "status", "stays"), [("n\n", 1, {*MADE, *KEPT}), ("y\n", 0, set(KEPT))])
def test_in_a_terminal_it_asks(home: Path, answer: str, status: int, stays: set[str]) -> None:
    code, said = ask(home, answer)
    assert (code, left(home)) == (status, stays), said
    assert str(home / "lake") in said


def test_while_services_run_it_refuses(runner: CliRunner, home: Path) -> None:
    daemon = Daemon(home.resolve(), ())
    daemon.start()
    try:
        done = runner.invoke(app, ["reset", "--yes"])
    finally:
        daemon.stop()
    assert isinstance(done.exception, MercatoError)
    assert "run `mercato down` first" in str(done.exception)
    assert (home / "lake").exists()
    assert runner.invoke(app, ["reset", "--yes"]).exit_code == 0


@pytest.mark.parametrize(
    ("lock", "what"),
    [
        ("lake/jobs.lock", "run of jobs"),
        ("datasets/churn/lock", "training of churn"),
        ("state/replay.lock", "replay of"),
    ],
)
def test_what_is_being_written_is_not_deleted(runner: CliRunner, home: Path, lock: str, what: str) -> None:
    with alone(home / lock, what):
        done = runner.invoke(app, ["reset", "--yes"])
    assert isinstance(done.exception, MercatoError)
    assert f"A {what}" in str(done.exception)
    assert left(home) == {*MADE, *KEPT}
    assert runner.invoke(app, ["reset", "--yes"]).exit_code == 0


def test_of_two_at_once_one_is_told_of_the_other(
    runner: CliRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def delete(_folder: Path) -> None:
        monkeypatch.undo()
        told.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=False))

    command = [sys.executable, "-m", "mercato", "reset", "--yes"]
    environment = {**os.environ, "MERCATO_HOME": str(home)}
    monkeypatch.setattr(commands, "_delete", delete)
    assert runner.invoke(app, ["reset", "--yes"]).exit_code == 0
    assert told[0].returncode == 1
    assert f"A reset of {home} is at work" in told[0].stderr
    assert "Traceback" not in told[0].stderr


@pytest.mark.parametrize("uri", ["s3://shop-lake", "s3://shop-{layer}", "{elsewhere}"])
def test_a_lake_elsewhere_stays_and_that_is_said(
    runner: CliRunner,
    home: Path,
    uri: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path_factory.mktemp("lake")
    uri = str(elsewhere) if uri == "{elsewhere}" else uri
    monkeypatch.setenv("MERCATO_LAKE_URI", uri)
    get_settings.cache_clear()
    done = runner.invoke(app, ["reset", "--yes", "--json"])
    assert done.exit_code == 0, done.output
    assert elsewhere.exists()
    assert left(home) == {*KEPT, "lake"}
    stays = json.loads(done.stdout)["stays"]
    assert any(uri in sentence for sentence in stays)
    assert any("use a new lake" in sentence for sentence in stays)
    assert uri in done.stderr


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_lake_of_another_name_below_the_home_goes(
    scheme: str, runner: CliRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "lake").rename(home / "pond")
    monkeypatch.setenv("MERCATO_LAKE_URI", f"{scheme}{home}/pond")
    get_settings.cache_clear()
    assert runner.invoke(app, ["reset", "--yes"]).exit_code == 0
    assert left(home) == set(KEPT)


def test_links_and_engines_elsewhere_keep_what_they_hold(
    runner: CliRunner, home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path_factory.mktemp("disk") / "state"
    (home / "state").rename(disk)
    (home / "state").symlink_to(disk)
    monkeypatch.setenv("MERCATO_KAFKA_BOOTSTRAP", "kafka:9092")
    get_settings.cache_clear()
    done = runner.invoke(app, ["reset", "--yes"])
    assert done.exit_code == 0, done.output
    assert (disk / "deep" / "file").exists()
    assert "state is a link" in done.stderr
    assert "MERCATO_KAFKA_BOOTSTRAP is set" in done.stderr


def test_a_home_that_others_share_is_refused(
    runner: CliRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home.resolve()))
    done = runner.invoke(app, ["reset", "--yes"])
    assert isinstance(done.exception, MercatoError)
    assert left(home) == {*MADE, *KEPT}
