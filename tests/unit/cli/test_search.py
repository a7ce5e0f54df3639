"""`mercato search` refuses what OpenSearch would."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mercato.cli.main import app


@pytest.mark.parametrize("text", ["pizza " * 5_000, "x" * 201])
def test_a_text_that_is_too_long_is_told_so_and_not_sent(runner: CliRunner, text: str) -> None:
    done = runner.invoke(app, ["search", "query", text], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "200 are looked for at most" in done.output
