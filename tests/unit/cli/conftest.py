"""A home of the test's own for every command that it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.settings import Settings, get_settings


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MERCATO_{name.upper()}", raising=False)
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield CliRunner()
    get_settings.cache_clear()
