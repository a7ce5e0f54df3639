"""`mercato cost`: the sums on stdout, warnings on stderr, errors with a next step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.cloud.cost.prices import newest
from tests.unit.cloud import shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shop.write(tmp_path)


def test_without_templates_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["cost", "--env", "prod"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "run `make synth ENV=prod`" in str(result.exception)


def test_json_has_every_sum(folder: Path) -> None:
    result = CliRunner().invoke(app, ["cost", "--assembly", str(folder), "--json", "--decisions", "2e6"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["monthly"] == pytest.approx(sum(each["monthly"] for each in said["items"]))
    assert said["monthly"] == pytest.approx(sum(each["monthly"] for each in said["stacks"].values()))
    assert said["per_million_decisions"] == pytest.approx(said["monthly"] / 2)
    assert 0 < said["idle"] < said["monthly"]
    assert said["assumptions"]["decisions"] == 2e6
    assert said["prices"]["looked_up"] == newest("us-east-1").looked_up.isoformat()
    assert said["not_priced"] == []


def test_the_table_shows_stacks_total_assumptions_and_the_date_of_the_prices(folder: Path) -> None:
    result = CliRunner().invoke(app, ["cost", "--assembly", str(folder)], env={"COLUMNS": "140"})
    assert result.exit_code == 0, result.output
    for name in shop.STACKS:
        assert f"mercato-test-{name}" in result.stdout
    assert str(newest("us-east-1").looked_up) in result.stdout
    assert "events_per_second" in result.stdout
    assert "total" in result.stdout
    assert "no source confirms" in result.stdout


def test_old_prices_of_another_region_and_what_has_none_are_warned_of(tmp_path: Path) -> None:
    shop.write(tmp_path, {"new": {"Thing": ("AWS::Quantum::Computer", {})}})
    old = tmp_path / "eu-west-1-2020-01.toml"
    old.write_text('region = "eu-west-1"\nlooked_up = 2020-01-01\nsources = {}\n')
    result = CliRunner().invoke(app, ["cost", "--assembly", str(tmp_path), "--prices", str(old)])
    assert result.exit_code == 0, result.output
    assert "2020-01-01, more than 180 days ago" in result.stderr
    assert "the stacks are for us-east-1, the prices for eu-west-1" in result.stderr
    assert "1 resources are not priced: AWS::Quantum::Computer" in result.stderr
    assert "NOT PRICED" in result.stdout


def test_a_wrong_value_names_the_option(folder: Path) -> None:
    result = CliRunner().invoke(app, ["cost", "--assembly", str(folder), "--decisions", "inf"])
    assert result.exit_code == 1
    assert "option: decisions" in str(result.exception)
