"""Entry point of the `mercato` command."""

from __future__ import annotations

import importlib

import typer

#: Modules of mercato.cli, in the order in which `--help` lists their commands. To add an area,
#: write `mercato/cli/AREA.py` with `register(app)` (heavy imports inside its functions) and name it.
AREAS = ("stack", "lake", "features")

app = typer.Typer(
    help="Mercato: from raw retail events to live decisions, on one machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for area in AREAS:
    importlib.import_module(f"mercato.cli.{area}").register(app)
