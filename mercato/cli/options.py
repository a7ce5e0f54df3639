"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
JsonLines = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout: one object per row.")]
#: Of a command that can repeat itself.
JsonRounds = Annotated[
    bool,
    typer.Option("--json", help="A JSON array on stdout; with --follow JSON Lines, one array per round."),
]
Engine = Annotated[str | None, typer.Option(help="sail, spark or sc://host:port; MERCATO_ENGINE by default.")]
