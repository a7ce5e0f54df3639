"""`mercato ingest | run | maintain`."""

from __future__ import annotations

import dataclasses
import functools
import json
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.endings import ENDINGS, finished_then_interrupted, interrupted_by_signals, stopped_by_signals
from mercato.cli.failures import kafka_failures
from mercato.cli.options import Engine, Json, JsonLines, JsonRounds
from mercato.errors import MercatoError

if TYPE_CHECKING:
    from rich.status import Status

    from glue_jobs.jobs import Job
    from glue_jobs.runner import Run
    from mercato.contracts.events import Topic
    from mercato.lake.ingest import Limits
    from mercato.lake.tables import Lake
    from mercato.settings import Settings

#: Seconds without a commit to bronze after which waiting for an ingester is in vain: one that this home runs,
#: or another, of which nothing is known.
_PATIENCE, _PATIENCE_ELSEWHERE = 60.0, 10.0


def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="Continue until Ctrl-C.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Only wait until another ingester has caught up.")
    ] = False,
    max_records: Annotated[int, typer.Option(help="Records per micro-batch.", min=1)] = 200_000,
    max_seconds: Annotated[
        float, typer.Option(help="Age at which a smaller batch is written.", min=0.05)
    ] = 2.0,
    as_json: Json = False,
) -> None:
    """Copy Kafka's records to bronze, exactly once.

    Examples: `mercato ingest` (what is there now), `mercato ingest --follow`, `mercato ingest --wait`
    """
    from mercato.lake.ingest import Limits
    from mercato.lake.storage import check_readable
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings, started = get_settings(), time.monotonic()
    check_readable(settings.lake_uri)
    lake = Lake(settings.lake_uri)
    with kafka_failures():
        if wait:
            _wait(settings, lake)
        totals = {} if wait else _ingest(settings, lake, Limits(max_records, max_seconds), follow=follow)
    if as_json:
        typer.echo(json.dumps({"records": totals, "seconds": round(time.monotonic() - started, 3)}))
    else:
        for name, records in totals.items():
            typer.echo(f"{name:<22} {records:>10,}")


def _ingest(settings: Settings, lake: Lake, limits: Limits, *, follow: bool) -> dict[str, int]:
    """Copy what Kafka holds, or with `follow` also what comes; returns the records of each topic."""
    from rich.console import Console

    from mercato.lake.ingest import Ingester
    from mercato.stream.topics import ensure_topics

    ensure_topics(settings)
    totals: dict[str, int] = {}
    started = time.monotonic()
    with Console(stderr=True).status("ingesting") as status:

        def on_batch(topic: Topic, records: int) -> None:
            totals[topic.name] = totals.get(topic.name, 0) + records
            rate = sum(totals.values()) / (time.monotonic() - started)
            status.update(f"{sum(totals.values()):,} records, {rate:,.0f}/s")

        ingester = Ingester(settings, lake, limits=limits, on_batch=on_batch)
        stop = stopped_by_signals()
        _ = ingester.run(stop) if follow else ingester.run_once(stop)
        ingester.close()
    if stop.is_set() and not follow:
        typer.echo("interrupted; what was copied stays, `mercato ingest` goes on", err=True)
        raise typer.Exit(130)
    return totals


def _wait(settings: Settings, lake: Lake) -> None:
    """Wait until bronze has what Kafka holds.

    Raises:
        MercatoError: bronze did not grow for so long that nothing seems to fill it.
    """
    from mercato.contracts.tables.bronze import BRONZE
    from mercato.lake.ingest import lag

    seen: list[int | None] = []
    moved = time.monotonic()
    while behind := sum(lag(settings, lake).values()):
        # Not the lag, which grows when a replay is faster than the ingester.
        versions = [lake.version(table) for table in BRONZE.values()]
        if versions != seen:
            seen, moved = versions, time.monotonic()
        _check_ingester(settings, time.monotonic() - moved)
        typer.echo(f"{behind:,} records to go", err=True)
        time.sleep(1)


def _check_ingester(settings: Settings, idle: float) -> None:
    from mercato.local.daemon import Daemon

    daemon = Daemon(settings.home, ())
    running = daemon.infos().get("ingest", {}).get("statename") in ("STARTING", "RUNNING")
    if not running and idle >= _PATIENCE_ELSEWHERE:
        raise MercatoError("Nothing is ingesting: start it with `mercato up ingest`.")
    if idle >= _PATIENCE:
        raise MercatoError(f"The ingester has written nothing for {idle:.0f} s: see {daemon.log('ingest')}.")


def run(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(help="Target tables, as in docs/reference/contracts.md; all by default."),
    ] = None,
    layer: Annotated[list[str] | None, typer.Option(help="Only jobs of this layer: silver, gold.")] = None,
    engine: Engine = None,
    follow: Annotated[float | None, typer.Option(help="Run again every N seconds.", min=0.1)] = None,
    full: Annotated[bool, typer.Option("--full", help="Go through all rows even if nothing is new.")] = False,
    lake: Annotated[str | None, typer.Option(help="Root of the lake; MERCATO_LAKE_URI by default.")] = None,
    base: Annotated[
        str | None, typer.Option(help="Second lake, read for tables that `--lake` does not have.")
    ] = None,
    as_json: JsonRounds = False,
) -> None:
    """Bring silver and gold tables up to date with what is new.

    Examples: `mercato run`, `mercato run gold.customer_360 --full`,
    `mercato run --layer silver --engine spark`, `mercato run --follow 10`
    """
    from rich.console import Console

    from glue_jobs.catalog import select
    from glue_jobs.main import run_jobs
    from mercato.lake.session import connect
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings = get_settings()
    if lake is not None:
        settings = settings.model_copy(update={"lake_uri": lake})
    root = Lake(settings.lake_uri, Lake(base) if base else None)
    chosen = select(jobs or [], _known_layers(layer or []))
    # A start that waits for the engine is ended at once, and leaves none behind.
    interrupted_by_signals()
    with Console(stderr=True).status("") as status, connect(settings, engine) as spark:
        run_once = functools.partial(run_jobs, spark, settings, root, chosen, full=full)
        done = _rounds(run_once, status, follow=follow, as_json=as_json)
    if follow is None:
        _check_done(done, len(chosen), root)


def _rounds(
    run_once: Callable[..., list[Run]], status: Status, *, follow: float | None, as_json: bool
) -> list[Run]:
    """Run jobs once, or with `follow` again and again until a signal; returns the last round."""
    stop = finished_then_interrupted("finishing the job at work", ENDINGS if follow else (signal.SIGINT,))

    def on_start(job: Job) -> None:
        status.update(f"{job.target.name} ...")

    def on_run(done: Run) -> None:
        # Following, what did not change is no news.
        if not (follow and done.mode == "skipped"):
            status.console.print(_line(done), highlight=False, soft_wrap=True)

    while True:
        with kafka_failures():
            done = run_once(stop=stop, on_start=on_start, on_run=on_run)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(each) for each in done]))
        status.update("waiting")
        if follow is None or stop.wait(follow):
            return done


def _check_done(done: list[Run], wanted: int, lake: Lake) -> None:
    """Say why less was done than was asked for.

    Raises:
        typer.Exit: it was interrupted.
    """
    if len(done) < wanted:
        typer.echo(f"interrupted; {len(done)} of {wanted} jobs are done", err=True)
        raise typer.Exit(130)
    if all(each.mode == "skipped" for each in done) and _bronze_is_empty(lake):
        typer.echo("bronze is empty: run `mercato ingest`", err=True)


def _known_layers(layers: list[str]) -> list[str]:
    from glue_jobs.catalog import CATALOG

    known = list(dict.fromkeys(job.target.layer for job in CATALOG.values()))
    if unknown := [layer for layer in layers if layer not in known]:
        raise MercatoError(
            f"There are no jobs of layer {', '.join(unknown)}; layers are {', '.join(known)}. "
            "`mercato ingest` fills bronze."
        )
    return layers


def _bronze_is_empty(lake: Lake) -> bool:
    from mercato.contracts.tables.bronze import BRONZE

    return not any(lake.rows(table) for table in BRONZE.values())


def _line(done: Run) -> str:
    refused = f"  {done.refused:,} refused" if done.refused else ""
    rows = f"{done.rows_in:>11,} new  {done.rows:>11,} rows" if done.mode != "skipped" else " " * 34
    return f"{done.job:<26} {done.mode:<12}{rows} {done.seconds:>7.1f} s{refused}"


def maintain(
    retain_hours: Annotated[int, typer.Option(help="Keep removed files this long.", min=0)] = 168,
    as_json: JsonLines = False,
) -> None:
    """Merge small files, write checkpoints and remove files that no version needs any more.

    Example: `mercato maintain --retain-hours 168`
    """
    from mercato.lake.maintenance import maintain as maintain_tables
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    lake, done = Lake(get_settings().lake_uri), None
    for done in maintain_tables(lake, retain_hours):
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(done)))
        else:
            files = f"{done.files_before:>6} -> {done.files_after:<6} files"
            typer.echo(f"{done.table:<28} {files}, {done.removed} removed")
    if done is None:
        typer.echo(f"There are no tables in {lake.uri} yet: `mercato ingest` makes the first.", err=True)


def register(app: typer.Typer) -> None:
    """Add this area's commands."""
    for command in (ingest, run, maintain):
        app.command()(command)
