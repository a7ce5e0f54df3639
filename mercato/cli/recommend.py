"""`mercato recommend score`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from mercato.cli.endings import interrupted_by_signals
from mercato.cli.options import Engine, Json

recommend = typer.Typer(
    help="What to show.\n\nExample: `mercato recommend score -n 10`", no_args_is_help=True
)
_FILE = "recommendations.parquet"


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(recommend, name="recommend")


@recommend.command("score")
def score(
    n: Annotated[int, typer.Option("-n", help="Products per list.", min=1, max=200)] = 20,
    at: Annotated[
        datetime | None,
        typer.Option(help="UTC moment to recommend for. Default: just after the newest basket."),
    ] = None,
    engine: Engine = None,
    as_json: Json = False,
) -> None:
    """Make a list for every household from its newest features, for mail, a shop window, or tomorrow.

    Each list is for a basket in the household's usual store. Writes all of them, with the version of the
    model, to `predictions/recommendations.parquet`; the same lake, model and moment give the same file.

    Examples: `mercato recommend score`, `mercato recommend score -n 10 --at 2026-11-20T18:00:00 --json`
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from rich.console import Console
    from rich.progress import track

    from mercato.contracts.tables.predictions import RECOMMENDATIONS
    from mercato.lake.session import connect
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models import artifact
    from mercato_models.recommend import scoring

    settings = get_settings()
    # Else a signal would leave the engine at work.
    interrupted_by_signals()
    model = artifact.load(settings.home / "models" / "recommend")
    lake = Lake(settings.lake_uri)
    with connect(settings, engine) as spark:
        moment = at.replace(tzinfo=UTC) if at else scoring.newest_moment(spark, lake)
        households, products = scoring.known(spark, lake, moment)
    made = scoring.lists(households, products, model, moment, n)
    console = Console(stderr=True)
    rows = pa.concat_tables(track(made, "households", total=len(households), console=console))
    target = settings.home / "predictions" / _FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, target)
    summary = {
        "households": len(households),
        "rows": len(rows),
        "products": len(rows[RECOMMENDATIONS.c.product_id].unique()),
        "at": moment.isoformat(),
        "model_version": model.version,
        "path": str(target),
    }
    headline = "{households:,} households, {products:,} different products, model {model_version}: {path}"
    typer.echo(json.dumps(summary) if as_json else headline.format(**summary))
