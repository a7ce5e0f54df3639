"""`mercato churn score`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.options import Json

if TYPE_CHECKING:
    import pandas as pd

    from mercato.settings import Settings

churn = typer.Typer(help="Who may leave.\n\nExample: `mercato churn score`", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(churn, name="churn")


@churn.command("score")
def score(
    limit: Annotated[int, typer.Option(help="Maximum number of households shown.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Score every active household: how likely it is to stay away, what it would spend, and why.

    Writes all of them to `predictions/outlook.parquet` and, if Redis runs, to the online store, where the API
    finds them. Shows those with the most to lose: probability times spend.

    Examples: `mercato churn score`, `mercato churn score --limit 100 --json`
    """
    from mercato.contracts.tables.gold import BASKET_LINES
    from mercato.contracts.tables.outlook import OUTLOOK
    from mercato.decisions.outlook import outlook
    from mercato.errors import MercatoError
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models import artifact

    settings = get_settings()
    model = artifact.load(settings.home / "models" / "churn")
    lake = Lake(settings.lake_uri)
    if lake.version(BASKET_LINES) is None:
        raise MercatoError("There are no baskets yet: run `mercato run --layer gold` first.")
    rows, c = outlook(lake.read_arrow(BASKET_LINES).to_pandas(), model, datetime.now(UTC)), OUTLOOK.c
    at_risk = (rows[c.churn_probability] * rows[c.expected_spend]).sort_values(ascending=False)
    _keep(settings, rows)
    _show(rows.loc[at_risk.index[:limit]], as_json=as_json)
    as_of, leaving = rows[c.event_timestamp].max(), rows[c.churn_probability].sum()
    typer.echo(
        f"{len(rows):,} households are active at {as_of:%Y-%m-%d}; {leaving:,.0f} are expected to stay away",
        err=True,
    )


def _keep(settings: Settings, rows: pd.DataFrame) -> None:
    from mercato_models.churn import published

    folder = settings.home / "predictions"
    published.to_folder(rows, str(folder))
    typer.echo(f"all of them are in {folder / published.FILE}", err=True)
    if settings.endpoint("redis_url") is None:
        typer.echo("Redis is not running, so the API does not know them: `mercato up redis`", err=True)
        return
    published.to_store(rows, settings)


def _show(rows: pd.DataFrame, *, as_json: bool) -> None:
    from mercato.contracts.tables.outlook import OUTLOOK
    from mercato.decisions.churn import SENTENCES, Reason

    c = OUTLOOK.c
    if as_json:
        typer.echo(json.dumps(json.loads(rows.to_json(orient="records", date_format="iso"))))
        return
    for row in rows.to_dict("records"):
        why = "; ".join(SENTENCES[Reason(code)] for code in row[c.reasons])
        typer.echo(
            f"household {row[c.household_id]:>5}  {row[c.churn_probability]:4.0%} to stay away, "
            f"{row[c.expected_spend]:8.2f} USD in 180 days  {why}"
        )
