"""`mercato cost`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def cost(
    env: Annotated[str, typer.Option(help="Environment, as synthesized: dev, stage, prod.")] = "dev",
    decisions: Annotated[float | None, typer.Option(help="Decision API responses a month.", min=0)] = None,
    events_per_second: Annotated[
        float | None, typer.Option(help="Events into Kafka, monthly mean.", min=0)
    ] = None,
    lake_gb: Annotated[float | None, typer.Option(help="GB stored in the lake.", min=0)] = None,
    batch_minutes: Annotated[
        float | None, typer.Option(help="Minutes that one batch job takes.", min=1)
    ] = None,
    usage: Annotated[
        Path | None, typer.Option(help="Assumptions, as in mercato/cloud/usage.toml; options override it.")
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(help="Price file; the newest of the region in mercato/cloud/prices by default."),
    ] = None,
    assembly: Annotated[
        Path | None, typer.Option(help="Folder of the templates; cdk.out/ENV by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every line item as JSON on stdout.")] = False,
) -> None:
    """Say what the synthesized stacks cost a month, per million decisions, and idle.

    Examples: `mercato cost --env prod`, `mercato cost --env prod --decisions 50e6 --events-per-second 400`,
    `mercato cost --env dev --json`
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from mercato.cloud.cost import prices as price_files
    from mercato.cloud.cost import report
    from mercato.cloud.cost import usage as usages
    from mercato.cloud.cost.estimate import estimate, next_million
    from mercato.cloud.template import read

    assumed = usages.load(
        usage or usages.DEFAULTS,
        {
            "decisions": decisions,
            "events_per_second": events_per_second,
            "lake_gb": lake_gb,
            "batch_minutes": batch_minutes,
        },
    )
    stacks = read(assembly or Path("cdk.out") / env, env)
    paid = price_files.load(prices) if prices else price_files.newest(stacks.region)
    estimated, more = estimate(stacks, paid, assumed), next_million(stacks, paid, assumed)
    warnings = report.warnings(estimated, stacks.region, datetime.now(UTC).date())
    for warning in warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")
    if as_json:
        typer.echo(json.dumps(report.as_json(estimated, more, warnings), indent=2))
    else:
        Console().print(report.tables(estimated, more))


def register(app: typer.Typer) -> None:
    """Add this area's command."""
    app.command()(cost)
