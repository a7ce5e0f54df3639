"""`mercato price propose`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

price = typer.Typer(help="What to charge.", no_args_is_help=True)


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

    Writes all of them to `predictions/proposals.parquet`. The data know no costs: say what share of the price
    they are. Examples: `mercato price propose`, `mercato price propose --cost-share 0.6 --step 0.05 --json`
    """
    from datetime import UTC, datetime

    import pandas as pd

    from mercato.decisions.price import Guardrails
    from mercato.decisions.price_list import PROPOSED, price_list
    from mercato.errors import MercatoError
    from mercato.settings import get_settings
    from mercato_models import artefact
    from mercato_models.price import channels

    home = get_settings().home
    folder = home / "models" / "price"
    if not (folder / channels.ELASTICITIES).is_file():
        raise MercatoError(f"{folder} holds no elasticities: run `mercato train price` first.")
    found = price_list(
        channels.read(home / "datasets" / "price" / "channel"),
        pd.read_parquet(folder / channels.ELASTICITIES),
        artefact.load(folder),
        cost_share=cost_share,
        rules=Guardrails(margin, step, days, announced),
        now=datetime.now(UTC),
    )
    target = home / "predictions" / "proposals.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    found.to_parquet(target, index=False)
    moved = found[found[PROPOSED.c.proposed_price] != found[PROPOSED.c.price]]
    if as_json:
        typer.echo(json.dumps(json.loads(moved.head(limit).to_json(orient="records", date_format="iso"))))
        return
    for row in moved.head(limit).to_dict("records"):
        typer.echo(
            f"product {row[PROPOSED.c.product_id]:>9} store {row[PROPOSED.c.store_id]:>6}  "
            f"{row[PROPOSED.c.price]:7.2f} -> {row[PROPOSED.c.proposed_price]:7.2f}  "
            f"gain {row[PROPOSED.c.gain]:6.2f} USD a week "
            f"({row[PROPOSED.c.least_gain]:.2f} to {row[PROPOSED.c.most_gain]:.2f})  "
            f"held by {row[PROPOSED.c.held_by] or 'nothing'}"
        )
    typer.echo(f"{len(moved):,} of {len(found):,} prices would move; all of them are in {target}", err=True)
