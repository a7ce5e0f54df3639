"""`mercato price propose`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from mercato.settings import Settings

price = typer.Typer(help="What to charge.", no_args_is_help=True)
_FILE = "proposals.parquet"


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(price, name="price")


@price.command("propose")
def propose(
    cost_share: Annotated[
        float, typer.Option(help="A unit's cost as a share of its usual price.", min=0.01, max=0.99)
    ] = 0.7,
    margin: Annotated[
        float, typer.Option(help="Least share of a price that is earned.", min=0, max=0.9)
    ] = 0.05,
    step: Annotated[
        float, typer.Option(help="Most by which a price moves, a share of it.", min=0, max=0.5)
    ] = 0.1,
    days: Annotated[int, typer.Option(help="Between two changes of a price, at least.", min=0)] = 7,
    announced: Annotated[
        bool, typer.Option(help="Cuts are advertised, so they go below the lowest price of 30 days.")
    ] = True,
    limit: Annotated[int, typer.Option(help="Proposals shown at most.", min=1)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")] = False,
) -> None:
    """Propose next week's prices, the same for everybody, from the newest week that training saw.

    Writes all of them to `predictions/proposals.parquet` and, if Redis runs, to the online store, where the
    admin panel finds them. The data know no costs: say what share of the price they are.

    Examples: `mercato price propose`, `mercato price propose --cost-share 0.6 --step 0.05 --json`
    """
    from datetime import UTC, datetime

    import pandas as pd

    from mercato.contracts.tables.proposals import PROPOSED
    from mercato.contracts.tables.silver import PRODUCTS
    from mercato.decisions.price import Guardrails
    from mercato.decisions.price_list import price_list
    from mercato.errors import MercatoError
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models import artefact
    from mercato_models.price import channels

    settings = get_settings()
    folder = settings.home / "models" / "price"
    if not (folder / channels.ELASTICITIES).is_file():
        raise MercatoError(f"{folder} holds no elasticities: run `mercato train price` first.")
    found = price_list(
        channels.read(settings.home / "datasets" / "price" / "channel"),
        pd.read_parquet(folder / channels.ELASTICITIES),
        artefact.load(folder),
        products=Lake(settings.lake_uri).read_arrow(PRODUCTS),
        cost_share=cost_share,
        rules=Guardrails(margin, step, days, announced),
        now=datetime.now(UTC),
    )
    _keep(settings, found)
    moved = found[found[PROPOSED.c.proposed_price] != found[PROPOSED.c.price]]
    _show(moved.head(limit), as_json=as_json)
    typer.echo(f"{len(moved):,} of {len(found):,} prices would move", err=True)


def _keep(settings: Settings, found: pd.DataFrame) -> None:
    from mercato.decisions.price_list import proposals
    from mercato.online.connection import connect
    from mercato.online.prices import PriceBook

    target = settings.home / "predictions" / _FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    found.to_parquet(target, index=False)
    typer.echo(f"all of them are in {target}", err=True)
    if settings.endpoint("redis_url") is None:
        typer.echo("Redis is not running, so the panel does not know them: `mercato up redis`", err=True)
        return
    with connect(settings, timeout=10) as redis:
        kept = PriceBook(redis).propose(proposals(found))
    typer.echo(f"{kept:,} wait in the admin panel: `mercato up admin` prints its address", err=True)


def _show(moved: pd.DataFrame, *, as_json: bool) -> None:
    from mercato.contracts.tables.proposals import PROPOSED

    c = PROPOSED.c
    if as_json:
        typer.echo(json.dumps(json.loads(moved.to_json(orient="records", date_format="iso"))))
        return
    for row in moved.to_dict("records"):
        typer.echo(
            f"store {row[c.store_id]:>6}  {row[c.product_name][:40]:<40} {row[c.product_id]:>9}  "
            f"{row[c.price]:7.2f} -> {row[c.proposed_price]:7.2f}  gain {row[c.gain]:6.2f} USD a week "
            f"({row[c.least_gain]:.2f} to {row[c.most_gain]:.2f})  held by {row[c.held_by] or 'nothing'}"
        )
