"""`mercato replay`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.endings import stopped_by_signals
from mercato.cli.failures import kafka_failures

if TYPE_CHECKING:
    from mercato.replay.run import Outcome
    from mercato.settings import Settings

_EXAMPLES = """
Examples:

- `mercato replay` the whole year, as fast as Kafka takes it

- `mercato replay --households 200` a small shop, in seconds

- `mercato replay --speed 3600x --days 7` a week, an hour per second

- `mercato replay --original-time --until 2017-02-01 --topics transactions.v1 --topics products.v1`

Run the same command again to go on where it stopped.
"""


def _speed(text: str) -> float | None:
    """Source seconds per second of `3600x`, `None` for `max`."""
    if text == "max":
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise typer.BadParameter(f"{text!r} is neither `max` nor a factor like `3600x`.")
    return factor


def replay(
    households: Annotated[int | None, typer.Option(min=1, help="Only this many of the 2,469.")] = None,
    speed: Annotated[str, typer.Option(help="`max`, or a factor: `1x`, `3600x`.")] = "max",
    original_time: Annotated[
        bool,
        typer.Option("--original-time", help="Keep 2017; otherwise shifted by whole weeks to end by now."),
    ] = False,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Stop before this day (UTC), as replayed.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Only the first N days.")] = None,
    topics: Annotated[list[str] | None, typer.Option(help="Only this topic; may be repeated.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget the position and start again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Summary per topic as JSON on stdout.")] = False,
) -> None:
    """Send the real year as events to Kafka, in time order, with a simulated shop around it."""
    from mercato.replay.run import Request, run
    from mercato.settings import get_settings

    settings = get_settings()
    request = Request(
        households=households,
        original_time=original_time,
        speed=_speed(speed),
        until=until,
        days=days,
        topics=tuple(topics or ()),
        restart=restart,
    )
    stop = stopped_by_signals()
    with _alone(settings), kafka_failures(), _progress() as on_progress:
        outcome = run(settings, request, on_progress, stop)
    _print(outcome, as_json)
    if not outcome.finished:
        typer.echo("stopped; run the same command again to go on from here", err=True)
        raise typer.Exit(130)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep out a second replay, which would send every event again, from the same position.

    Raises:
        mercato.lake.lock.BusyError: there is one.
    """
    from mercato.lake.lock import unless_busy
    from mercato.replay.run import lock_file

    lock = lock_file(settings)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with unless_busy(lock, f"replay of {settings.home}"):
        yield


@contextmanager
def _progress() -> Iterator[Callable[[int, int, datetime], None]]:
    """A bar on stderr; yields what to call with events sent, events in all and the time reached."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("reading the year", total=None, rate=0.0)

        def show(sent: int, total: int, instant: datetime) -> None:
            bar.update(task, completed=sent, total=total, description=f"{instant:%a %d %b %Y}")
            bar.update(task, rate=bar.tasks[task].speed or 0.0)

        yield show


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(outcome.summary(), indent=2))
        return
    for row in outcome.topics:
        typer.echo(f"{row.name:<18} {row.sent:>9,} sent   {row.acknowledged:>9,} of {row.total:,} in Kafka")
    typer.echo(f"{outcome.sent:,} events in {outcome.seconds:.1f} s: {outcome.rate:,.0f} events/s")


def register(app: typer.Typer) -> None:
    """Add this area's command."""
    app.command(epilog=_EXAMPLES)(replay)
