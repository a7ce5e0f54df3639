"""Write docs/reference/commands.md from the program itself: `python -m mercato.cli.reference FILE`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from mercato.cli.main import app
from mercato.settings import Settings

_HEADER = """\
# Commands and settings

Generated from `mercato/cli` and `mercato/settings.py` by `make docs`; a test fails when it is out of date.
"""


def render() -> str:
    """The whole page."""

    command = get_command(app)
    commands = get_docs_for_click(obj=command, ctx=typer.Context(command), name="mercato")
    return f"{_HEADER}\n{commands.strip()}\n\n## Settings\n\n" + "\n".join(_settings()) + "\n"


def _settings() -> Iterator[str]:
    """A row per environment variable; what it means stands in the class's docstring."""
    prefix = Settings.model_config["env_prefix"]
    meanings = dict(re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", Settings.__doc__ or "", re.MULTILINE))
    yield "| Variable | Default | Meaning |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default not in (None, "", Path()) else ""
        meaning = " ".join(meanings[name].split()).strip()
        yield f"| `{prefix}{name.upper()}` | {default} | {meaning} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
