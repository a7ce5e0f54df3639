"""`mercato features` before anything runs: clear answers, data on stdout alone."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.online.views import VIEWS
from mercato.settings import NotRunningError


def test_list_names_every_view_and_what_redis_holds(runner: CliRunner) -> None:
    result = runner.invoke(app, ["features", "list", "--json"])
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert [row["view"] for row in rows] == list(VIEWS)
    assert {row["version"] for row in rows} == {None}


def test_apply_fills_the_registry_and_may_be_repeated(runner: CliRunner, tmp_path: Path) -> None:
    for _ in range(2):
        result = runner.invoke(app, ["features", "apply", "--json"])
        assert result.exit_code == 0, result.output
        declared = json.loads(result.stdout)
        assert declared["views"] == sorted(VIEWS)
        assert declared["entities"] == ["card", "household", "product", "store", "terminal"]
    assert (tmp_path / "state" / "feast" / "registry.pb").exists()


def test_materialize_says_what_to_start(runner: CliRunner) -> None:
    result = runner.invoke(app, ["features", "materialize"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert isinstance(result.exception, NotRunningError)
    assert "mercato up redis" in str(result.exception)
