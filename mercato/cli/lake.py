"""`mercato ingest | run | quarantine | maintain`."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.cli.endings import stopped_by_signals

if TYPE_CHECKING:
    from glue_jobs.jobs import Job
    from glue_jobs.runner import Run
    from mercato.contracts.events import Topic

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Engine = Annotated[str | None, typer.Option(help="sail, spark or sc://host:port; MERCATO_ENGINE by default.")]
TopicName = Annotated[str | None, typer.Option("--topic", help="Only of this topic, e.g. transactions.v1.")]
Code = Annotated[str | None, typer.Option("--code", help="Only with this reason, e.g. wrong_type.")]

quarantine = typer.Typer(
    help="Records that broke their contract: look at them, send them again.", no_args_is_help=True
)


def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
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
    from rich.console import Console

    from mercato.lake.ingest import Ingester, Limits, lag
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato.stream.topics import ensure_topics

    settings, started = get_settings(), time.monotonic()
    lake = Lake(settings.lake_uri)
    if wait:
        while behind := sum(lag(settings, lake).values()):
            typer.echo(f"{behind:,} records to go", err=True)
            time.sleep(1)
        return
    ensure_topics(settings)
    totals: dict[str, int] = {}
    with Console(stderr=True).status("ingesting") as status:

        def on_batch(topic: Topic, records: int) -> None:
            totals[topic.name] = totals.get(topic.name, 0) + records
            rate = sum(totals.values()) / (time.monotonic() - started)
            status.update(f"{sum(totals.values()):,} records, {rate:,.0f}/s")

        ingester = Ingester(settings, lake, limits=Limits(max_records, max_seconds), on_batch=on_batch)
        stop = stopped_by_signals()
        _ = ingester.run(stop) if follow else ingester.run_once(stop)
        ingester.close()
    if as_json:
        typer.echo(json.dumps({"records": totals, "seconds": round(time.monotonic() - started, 3)}))
    else:
        for name, records in totals.items():
            typer.echo(f"{name:<22} {records:>10,}")


def run(
    jobs: Annotated[list[str] | None, typer.Argument(help="Target tables; all by default.")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="Only jobs of this layer: silver, gold.")] = None,
    engine: Engine = None,
    follow: Annotated[float | None, typer.Option(help="Run again every so many seconds.", min=0.1)] = None,
    full: Annotated[bool, typer.Option("--full", help="Go through all rows even if nothing is new.")] = False,
    lake: Annotated[str | None, typer.Option(help="Root of the lake; MERCATO_LAKE_URI by default.")] = None,
    base: Annotated[str | None, typer.Option(help="Lake to read what the first one lacks.")] = None,
    as_json: Json = False,
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
    root = Lake(lake or settings.lake_uri, Lake(base) if base else None)
    chosen = select(jobs or [], layer or [])
    stop = stopped_by_signals() if follow else threading.Event()
    with Console(stderr=True).status("") as status, connect(settings, engine) as spark:

        def on_start(job: Job) -> None:
            status.update(f"{job.target.name} ...")

        def on_run(done: Run) -> None:
            # Following, what did not change is no news.
            if not (follow and done.mode == "skipped"):
                status.console.print(_line(done), highlight=False, soft_wrap=True)

        while True:
            done = run_jobs(spark, settings, root, chosen, full=full, on_start=on_start, on_run=on_run)
            if as_json:
                typer.echo(json.dumps([dataclasses.asdict(each) for each in done]))
            status.update("waiting")
            if follow is None or stop.wait(follow):
                break


def _line(done: Run) -> str:
    refused = f"  {done.refused:,} refused" if done.refused else ""
    rows = f"{done.rows_in:>11,} new  {done.rows:>11,} rows" if done.mode != "skipped" else " " * 34
    return f"{done.job:<26} {done.mode:<12}{rows} {done.seconds:>7.1f} s{refused}"


@quarantine.command("list")
def list_(
    topic: TopicName = None,
    code: Code = None,
    replayed: Annotated[bool, typer.Option("--all", help="Also those that were sent again.")] = False,
    as_json: Json = False,
) -> None:
    """List quarantined records with their reasons.

    Example: `mercato quarantine list --topic transactions.v1 --code wrong_type`
    """
    from mercato.contracts.tables.silver import QUARANTINE

    c = QUARANTINE.c
    rows = _listed(topic, code, replayed)
    for row in rows:
        place = f"{row[c.topic]} {row[c.partition]}:{row[c.offset]}"
        if as_json:
            typer.echo(json.dumps(_readable(row), default=str))
        else:
            typer.echo(f"{place:<28} {row[c.code]:<14} {row[c.field]:<22} {row[c.reason]}")
    typer.echo(f"{len(rows):,} records", err=True)


@quarantine.command("show")
def show(
    topic: Annotated[str, typer.Argument(help="Topic, e.g. transactions.v1.")],
    place: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `list` prints it.")],
) -> None:
    """Show one quarantined record whole, as JSON.

    Example: `mercato quarantine show transactions.v1 2:1042`
    """
    from mercato.contracts.tables.silver import QUARANTINE

    c = QUARANTINE.c
    for row in _listed(topic, None, True):
        if f"{row[c.partition]}:{row[c.offset]}" == place:
            typer.echo(json.dumps(_readable(row), default=str, indent=2))
            return
    raise typer.BadParameter(
        f"The quarantine has no record {topic} {place}; `mercato quarantine list --all`."
    )


def _listed(topic: str | None, code: str | None, replayed: bool) -> list[dict[str, Any]]:
    from mercato.lake.quarantine import listing
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    rows = listing(Lake(get_settings().lake_uri), topic, code, None if replayed else False)
    listed: list[dict[str, Any]] = rows.to_pylist()
    return listed


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its bytes as text; what is not UTF-8 is escaped."""
    return {k: v.decode(errors="backslashreplace") if isinstance(v, bytes) else v for k, v in row.items()}


@quarantine.command("replay")
def replay_(
    topic: TopicName = None,
    code: Code = None,
    with_file: Annotated[
        Path | None,
        typer.Option(
            "--with", help="Corrected values, one per line, in the order of `quarantine list`.", exists=True
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Send quarantined records to their topics again and mark them as replayed.

    Examples: `mercato quarantine replay --topic payments.v1`,
    `mercato quarantine replay --code wrong_type --with fixed.jsonl`
    """
    from mercato.lake.quarantine import listing, replay
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings = get_settings()
    lake = Lake(settings.lake_uri)
    rows = listing(lake, topic, code)
    values = with_file.read_bytes().splitlines() if with_file else None
    if values is not None and len(values) != rows.num_rows:
        raise typer.BadParameter(f"{with_file} has {len(values)} lines for {rows.num_rows} records.")
    sent = 0 if dry_run else replay(settings, lake, rows, values)
    if as_json:
        typer.echo(json.dumps({"records": rows.num_rows, "sent": sent}))
    typer.echo(f"{rows.num_rows:,} records {'would be ' if dry_run else ''}sent", err=True)


def maintain(
    retain_hours: Annotated[int, typer.Option(help="Keep removed files this long.", min=0)] = 168,
    as_json: Json = False,
) -> None:
    """Merge small files, write checkpoints and remove what no version needs any more.

    Example: `mercato maintain --retain-hours 168`
    """
    from mercato.lake.maintenance import maintain as maintain_tables
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    for done in maintain_tables(Lake(get_settings().lake_uri), retain_hours):
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(done)))
        else:
            files = f"{done.files_before:>6} -> {done.files_after:<6} files"
            typer.echo(f"{done.table:<28} {files}, {done.removed} removed")


def register(app: typer.Typer) -> None:
    """Add this area's commands."""
    for command in (ingest, run, maintain):
        app.command()(command)
    app.add_typer(quarantine, name="quarantine")
