"""`mercato quarantine list | show | replay`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.cli.failures import kafka_failures
from mercato.cli.options import Json, JsonLines
from mercato.errors import MercatoError

quarantine = typer.Typer(
    help="Records that broke their contract: look at them, send them again.\n\n"
    "Examples: `mercato quarantine list`, `mercato quarantine replay --topic payments.v1 --dry-run`",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(quarantine, name="quarantine")


def _known(topic: str | None) -> str | None:
    from mercato.contracts.events import TOPICS

    if topic is not None and topic not in TOPICS:
        raise MercatoError(f"There is no topic {topic!r}; there are {', '.join(TOPICS)}.")
    return topic


TopicName = Annotated[
    str | None, typer.Option("--topic", help="Only from this topic, e.g. transactions.v1.", callback=_known)
]
Code = Annotated[str | None, typer.Option("--code", help="Only with this reason, e.g. wrong_type.")]


@quarantine.command("list")
def list_(
    topic: TopicName = None,
    code: Code = None,
    replayed: Annotated[bool, typer.Option("--all", help="Include those already sent again.")] = False,
    as_json: JsonLines = False,
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
    topic: Annotated[str, typer.Argument(help="Topic, e.g. transactions.v1.", callback=_known)],
    place: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `list` prints it.")],
) -> None:
    """Show one quarantined record in full, as JSON.

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
            "--with",
            help="Corrected values, one per line, in the order of `quarantine list`.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Send quarantined records to their topics again and mark them as replayed.

    Duplicates would be refused again: as they came, they are sent only with `--code duplicate`.

    Examples: `mercato quarantine replay --topic payments.v1`,
    `mercato quarantine replay --code wrong_type --with fixed.jsonl`
    """
    from mercato.lake.quarantine import listing, replay, without_duplicates
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings = get_settings()
    lake = Lake(settings.lake_uri)
    listed = listing(lake, topic, code)
    rows = listed if code or with_file else without_duplicates(listed)
    values = with_file.read_bytes().splitlines() if with_file else None
    if values is not None and len(values) != rows.num_rows:
        raise typer.BadParameter(f"{with_file} has {len(values)} lines for {rows.num_rows} records.")
    with kafka_failures():
        sent = 0 if dry_run else replay(settings, lake, rows, values)
    if as_json:
        typer.echo(json.dumps({"records": rows.num_rows, "sent": sent}))
    typer.echo(f"{rows.num_rows:,} records {'would be ' if dry_run else ''}sent", err=True)
    if left := listed.num_rows - rows.num_rows:
        typer.echo(f"{left:,} duplicates left out; `--code duplicate` sends them.", err=True)
