"""`mercato drift`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.options import Json

if TYPE_CHECKING:
    from mercato_models.drift.report import Report

_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add this command to the main program."""
    app.command()(drift)


def drift(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="recommend, fraud, churn, price. Default: all that are trained."),
    ] = None,
    days: Annotated[int, typer.Option(help="Days that requests may be old.", min=1, max=30)] = 7,
    as_json: Json = False,
) -> None:
    """Compare what models are asked now with what they learned from.

    The ranker's and the fraud model's requests are those that their scorers kept (MERCATO_CAPTURE_PERCENT);
    churn and price would be asked about the lake as it stands. A model has drifted if a feature is never
    known any more, if one that matters looks broken, or if the stability index of its scores, or the mean one
    of its features, weighted by what each adds to the scores, is above 0.25.

    Examples: `mercato drift`, `mercato drift churn --json`, `mercato drift recommend --days 1`
    """
    from datetime import UTC, datetime

    from mercato.errors import MercatoError
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models import artifact
    from mercato_models.drift.report import MODELS, Asked, check, report

    settings = get_settings()
    trained = [name for name in MODELS if (settings.home / "models" / name).is_dir()]
    names = check(models or trained)
    if not names:
        raise MercatoError("No model is trained yet: `mercato train --help` lists them.")
    lake = Lake(settings.lake_uri)
    asked = Asked(lake, str(settings.captures), days, datetime.now(UTC))
    made, failures = [], []
    for name in names:
        folder = settings.home / "models" / name
        try:
            made.append(report(name, artifact.load(folder), folder, asked))
        except MercatoError as error:
            failures.append(str(error))
    if as_json:
        typer.echo(json.dumps([each.as_dict() for each in made]))
    else:
        for each in made:
            _show(each)
    if failures:
        raise MercatoError("\n".join(failures))


def _show(report: Report) -> None:
    typer.echo(report.line())
    for shift in report.drift.shifts[:_SHOWN] if report.drift.judged else ():
        unknown = f"unknown {shift.unknown_before:.0%} -> {shift.unknown_now:.0%}"
        typer.echo(f"  {shift.name:<28} {shift.psi:6.3f}  adds {shift.importance:4.0%}  {unknown}")
