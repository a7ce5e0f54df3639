"""Checkov finds nothing in the templates, and each exception is one that it would find."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifact import ROOT
from tests.infra.templates import ENVIRONMENTS, folder, resources, templates

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
METADATA = "checkov"


def look(files: Iterable[Path]) -> dict[str, Any]:
    """What Checkov says of templates, by the repository's own settings."""
    done = subprocess.run(
        [str(CHECKOV), "--output", "json", "--file", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # 1: it found something.
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def skips(resource: dict[str, Any]) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = resource.get("Metadata", {}).get(METADATA, {}).get("skip", [])
    return listed


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_checkov_finds_nothing_that_has_no_reason(environment: str) -> None:
    report = look(sorted(folder(environment).glob("*.template.json")))
    assert report["results"]["failed_checks"] == []
    # A template that it cannot read would have no findings either.
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] == len(resources(environment))


def test_an_exception_has_a_reason_and_without_it_there_is_a_finding(tmp_path: Path) -> None:
    excepted = {skip["id"] for each in resources("prod").values() for skip in skips(each)}
    assert all(skip["comment"] for each in resources("prod").values() for skip in skips(each))
    files = []
    for stack, template in templates("prod").items():
        bare = json.loads(json.dumps(template))
        for each in bare["Resources"].values():
            each.get("Metadata", {}).pop(METADATA, None)
        files.append(tmp_path / f"{stack}.template.json")
        files[-1].write_text(json.dumps(bare))
    found = {each["check_id"] for each in look(files)["results"]["failed_checks"]}
    assert found == excepted
