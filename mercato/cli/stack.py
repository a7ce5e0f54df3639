"""`mercato up | down | status | doctor`."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from mercato.cli.endings import interrupted_by_signals, stopped_by_signals

if TYPE_CHECKING:
    from mercato.local.supervisor import ServiceStatus, Stack

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


def up(
    names: Annotated[list[str] | None, typer.Argument(help="Services; the engines by default.")] = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay; Ctrl-C stops everything.")] = False,
    as_json: Json = False,
) -> None:
    """Start engines and services on free loopback ports, each health-checked.

    Examples: `mercato up`, `mercato up kafka redis`, `mercato up --foreground`
    """
    from mercato.local.services import ENGINES
    from mercato.local.supervisor import Stack, StackError
    from mercato.settings import get_settings

    stack = Stack(get_settings())
    if foreground:
        interrupted_by_signals()
    try:
        stack.up(
            names or [engine.name for engine in ENGINES],
            on_progress=lambda name, seconds: typer.echo(
                f"{name:<10} healthy after {seconds:.1f} s", err=True
            ),
        )
        _print_status(stack.status(), as_json)
        if foreground:
            _watch(stack)
    except StackError as error:
        if foreground:
            stack.down()
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("stopping ...", err=True)
        stack.down()
        raise typer.Exit(130) from None


def down() -> None:
    """Stop everything that `mercato up` started."""
    from mercato.local.supervisor import Stack
    from mercato.settings import get_settings

    Stack(get_settings()).down()
    typer.echo("stopped", err=True)


def status(as_json: Json = False) -> None:
    """List every engine and service with pid, address and health; exit status 1 if one has crashed."""
    from mercato.local.supervisor import Stack
    from mercato.settings import get_settings

    rows = Stack(get_settings()).status()
    _print_status(rows, as_json)
    if any(row.log_tail for row in rows):
        raise typer.Exit(1)


def doctor(as_json: Json = False) -> None:
    """Say what is missing on this machine and how to get it."""
    from mercato.local import doctor as checks

    sys.argv = ["mercato doctor", *(["--json"] if as_json else [])]
    raise typer.Exit(checks.main())


def _watch(stack: Stack) -> NoReturn:
    """Report each service whose state changes, until told to end."""
    stop = stopped_by_signals()
    states = {row.name: row.state for row in stack.status()}
    while not stop.wait(1):
        for row in stack.status():
            # From STARTING to RUNNING is no news: it was healthy already.
            if row.state not in {states[row.name], "RUNNING"}:
                typer.echo(f"{row.name:<13} {row.state}\n{row.log_tail}", err=True)
            states[row.name] = row.state
    raise KeyboardInterrupt


def _print_status(rows: list[ServiceStatus], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        health = "healthy" if row.healthy else ("-" if row.state == "STOPPED" else "UNHEALTHY")
        uptime = f"{row.uptime:.0f} s" if row.uptime is not None else "-"
        typer.echo(
            f"{row.name:<13} {row.state:<9} {health:<10} {row.pid or '-':<8} {uptime:<8} {row.url or '-'}"
        )
        if row.log_tail:
            typer.echo(row.log_tail, err=True)


def register(app: typer.Typer) -> None:
    """Add this area's commands."""
    for command in (up, down, status, doctor):
        app.command()(command)
