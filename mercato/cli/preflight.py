"""`mercato preflight`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def preflight(
    env: Annotated[str, typer.Option(help="Environment, as synthesized: dev, stage, prod.")] = "dev",
    assembly: Annotated[
        Path | None, typer.Option(help="Folder of the templates; cdk.out/ENV by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every finding as JSON on stdout.")] = False,
) -> None:
    """Ask the AWS account whether the synthesized stacks can be deployed; exit status 1 if not.

    Examples: `mercato preflight --env prod`, `mercato preflight --env prod --json`
    """
    import boto3
    from rich.console import Console

    from mercato.cloud.preflight import report
    from mercato.cloud.template import read

    templates = read(assembly or Path("cdk.out") / env, env)
    findings = report.inspect(boto3.Session(), templates)
    if as_json:
        typer.echo(json.dumps(report.as_json(findings), indent=2))
    else:
        Console().print(report.table(findings, env))
    if report.blocked(findings):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add this area's command."""
    app.command()(preflight)
