"""`mercato ingest | run | quarantine | maintain`."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from glue_jobs.runner import Run

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Engine = Annotated[str | None, typer.Option(help="sail, spark or sc://host:port; MERCATO_ENGINE by default.")]
TopicName = Annotated[str | None, typer.Option("--topic", help="Only of this topic, e.g. transactions.v1.")]
Code = Annotated[str | None, typer.Option("--code", help="Only with this reason, e.g. wrong_type.")]

quarantine = typer.Typer(help="Records that broke their contract: look at them, send them again.", no_args_is_help=True)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def ingest(
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Only wait until another ingester has caught up.")] = False,
    max_records: Annotated[int, typer.Option(help="Records per micro-batch.", min=1)] = 200_000,
    max_seconds: Annotated[float, typer.Option(help="Age at which a smaller batch is written.", min=0.05)] = 2.0,
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

        def on_batch(topic: object, records: int) -> None:
            name = topic.name  # type: ignore[attr-defined]
            totals[name] = totals.get(name, 0) + records
            rate = sum(totals.values()) / (time.monotonic() - started)
            status.update(f"{sum(totals.values()):,} records, {rate:,.0f}/s")

        ingester = Ingester(settings, lake, limits=Limits(max_records, max_seconds), on_batch=on_batch)
        stop = _stop_on_signals()
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
    follow: Annotated[float | None, typer.Option(help="Run again every so many seconds.", min=1)] = None,
    full: Annotated[bool, typer.Option("--full", help="Compute anew even if nothing is new.")] = False,
    as_json: Json = False,
) -> None:
    """Bring silver and gold tables up to date with what is new.

    Examples: `mercato run`, `mercato run gold.customer_360 --full`, `mercato run --layer silver --engine spark`
    """
    from glue_jobs.catalog import select
    from glue_jobs.main import run_jobs, runner
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings = get_settings()
    chosen = select(jobs or [], layer or [])
    stop = _stop_on_signals() if follow else threading.Event()
    with runner(settings, Lake(settings.lake_uri), engine) as runs:
        while True:
            done = run_jobs(runs, chosen, full, on_run=_report)
            if follow is None or stop.wait(follow):
                break
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(each) for each in done], indent=2))


def _report(done: Run) -> None:
    refused = f"  {done.refused:,} refused" if done.refused else ""
    typer.echo(f"{done.job:<28} {done.mode:<12} {done.rows:>11,} rows {done.seconds:>7.1f} s{refused}", err=True)


@quarantine.command("list")
def list_(topic: TopicName = None, code: Code = None, replayed: bool = False, as_json: Json = False) -> None:
    """List quarantined records with their reasons.

    Example: `mercato quarantine list --topic transactions.v1 --code wrong_type`
    """
    from mercato.contracts.tables.silver import QUARANTINE
    from mercato.lake.quarantine import listing
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    c = QUARANTINE.c
    rows = listing(Lake(get_settings().lake_uri), topic, code, None if replayed else False).to_pylist()
    for row in rows:
        value = (row[c.value] or b"").decode(errors="backslashreplace")
        if as_json:
            shown = {**row, c.key: (row[c.key] or b"").decode(errors="backslashreplace"), c.value: value}
            typer.echo(json.dumps(shown, default=str))
        else:
            place = f"{row[c.topic]} {row[c.partition]}:{row[c.offset]}"
            typer.echo(f"{place:<28} {row[c.code]:<14} {row[c.field]:<18} {row[c.reason]}\n    {value[:200]}")
    typer.echo(f"{len(rows)} records", err=True)


@quarantine.command("replay")
def replay_(
    topic: TopicName = None,
    code: Code = None,
    with_file: Annotated[
        Path | None,
        typer.Option("--with", help="Corrected values, one per line, in the order of `quarantine list`.", exists=True),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
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
    typer.echo(f"{rows.num_rows} records would be sent" if dry_run else f"{sent} records sent", err=True)


def maintain(
    retain_hours: Annotated[int, typer.Option(help="Keep removed files this long.", min=0)] = 168, as_json: Json = False
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
            typer.echo(f"{done.table:<28} {done.files_before:>6} -> {done.files_after:<6} files, {done.removed} removed")


def register(app: typer.Typer) -> None:
    """Add this area's commands."""
    for command in (ingest, run, maintain):
        app.command()(command)
    app.add_typer(quarantine, name="quarantine")
