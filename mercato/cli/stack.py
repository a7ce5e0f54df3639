"""`mercato up | down | status | doctor`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from mercato.cli.endings import ending, interrupted_by_signals, stopped_by_signals
from mercato.cli.options import Json
from mercato.errors import MercatoError

if TYPE_CHECKING:
    from mercato.local.supervisor import ServiceStatus, Stack


def up(
    names: Annotated[
        list[str] | None, typer.Argument(help="Engines and services; kafka, redis and mlflow by default.")
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in the foreground; Ctrl-C stops everything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start engines and services on free loopback ports, each health-checked.

    Engines: kafka, redis, mlflow, opensearch. Services: ingest, online, scorer, fraud-scorer, api, admin.
    What a service needs is started with it. Ctrl-C ends the wait; what was started keeps running.

    Examples: `mercato up`, `mercato up kafka redis`, `mercato up --foreground`
    """
    from mercato.local.services import ENGINES
    from mercato.local.supervisor import Stack, StackError
    from mercato.settings import get_settings

    stack = Stack(get_settings())
    interrupted_by_signals()
    if _tell_orphans(stack):
        typer.echo("they are stopped first", err=True)
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
    except StackError:
        if foreground:
            _stop(stack)
        raise
    except KeyboardInterrupt:
        if foreground:
            _stop(stack)
        else:
            typer.echo("interrupted; what was started goes on: `mercato status`, `mercato down`", err=True)
        raise typer.Exit(130) from None


def down(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these engines and services; all by default.")
    ] = None,
) -> None:
    """Stop what `mercato up` started; its data stay.

    What needs a service that is stopped goes on without it.

    Examples: `mercato down`, `mercato down api`
    """
    from mercato.local.supervisor import Stack
    from mercato.settings import get_settings

    stack = Stack(get_settings())
    if names:
        stack.stop(names)
    else:
        _stop(stack)
    typer.echo(f"stopped {', '.join(names)}" if names else "stopped", err=True)


def status(
    url: Annotated[
        str | None, typer.Option(metavar="NAME", help="Print only the address of this running service.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List every engine and service with pid, address and health; exit status 1 if one has crashed.

    Examples: `mercato status`, `mercato status --json`, `API=$(mercato status --url api)`
    """
    from mercato.local.supervisor import Stack
    from mercato.settings import get_settings

    stack = Stack(get_settings())
    rows = stack.status()
    if url is not None:
        address = _address(rows, url)
        typer.echo(json.dumps(address) if as_json else address)
        return
    _print_status(rows, as_json)
    if _tell_orphans(stack) or any(row.log_tail for row in rows):
        raise typer.Exit(1)


def doctor(as_json: Json = False) -> None:
    """Say what is missing on this machine and how to get it; exit status 1 if Mercato cannot run without it.

    Examples: `mercato doctor`, `mercato doctor --json`
    """
    from mercato.local import doctor as checks

    raise typer.Exit(checks.main(["--json"] if as_json else []))


def _address(rows: Sequence[ServiceStatus], name: str) -> str:
    """Address of a service that answers.

    Raises:
        MercatoError: there is no such service, it has no address, or it does not answer.
    """
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise MercatoError(f"There is no service {name!r}; there are {', '.join(row.name for row in rows)}.")
    if row.url is None and row.pid is not None:
        raise MercatoError(f"{name} has no address: nothing connects to it.")
    if row.url is None:
        running = ", ".join(row.name for row in rows if row.pid is not None) or "nothing"
        raise MercatoError(f"{name} is not running (running: {running}): start it with `mercato up {name}`.")
    if not row.healthy:
        raise MercatoError(f"{name} does not answer yet: `mercato up {name}` waits until it does.")
    return row.url


def _tell_orphans(stack: Stack) -> bool:
    """Say what a killed supervisor left running; whether there is any."""
    if left := stack.orphans():
        pids = ", ".join(map(str, sorted(left)))
        gone = f"The supervisor is gone, and what it started runs on ({pids})"
        typer.echo(f"{gone}: `mercato down` stops it", err=True)
    return bool(left)


def _stop(stack: Stack) -> None:
    """Stop everything, whatever the user presses meanwhile."""
    ending()
    typer.echo("stopping ...", err=True)
    stack.down()


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
