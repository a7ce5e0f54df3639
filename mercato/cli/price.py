"""`mercato price propose`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.options import Json
from mercato.decisions.price import COST_SHARE, Guardrails

if TYPE_CHECKING:
    import pandas as pd

    from mercato.decisions.price_limits import Limits
    from mercato.decisions.price_list import PriceList, Summary
    from mercato.online.prices import PriceBook
    from mercato.settings import Settings

_RULES = Guardrails()

price = typer.Typer(help="What to charge.\n\nExample: `mercato price propose`", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(price, name="price")


@price.command("propose")
def propose(
    cost_share: Annotated[
        float,
        typer.Option(
            help="A unit's cost as a share of its usual price, where `--limits` has none.", min=0.01, max=0.99
        ),
    ] = COST_SHARE,
    margin: Annotated[
        float, typer.Option(help="Minimum margin, as a share of the price.", min=0, max=0.9)
    ] = _RULES.margin,
    step: Annotated[
        float, typer.Option(help="Maximum change of a price, as a share of it.", min=0, max=0.5)
    ] = _RULES.step,
    days: Annotated[
        int, typer.Option(help="Minimum days between two changes of a price.", min=0)
    ] = _RULES.days,
    announced: Annotated[
        bool, typer.Option(help="Cuts are advertised, so they must go below the lowest price of 30 days.")
    ] = _RULES.announced,
    limits: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of limits: product_id, store_id (optional), "
            "unit_cost, minimum_advertised, ceiling.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Maximum number of proposals shown.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Propose next week's prices, the same for everybody, from the newest week that training saw.

    Writes all of them to `predictions/proposals.parquet`, with the whole list's figures in `proposals.json`
    beside it, and, if Redis runs, to the online store, where the admin panel finds them. The data have no
    costs: give them as a share of the price.

    Examples: `mercato price propose`, `mercato price propose --cost-share 0.6 --limits limits.csv --json`
    """
    from datetime import UTC, datetime

    from mercato.decisions.price_list import price_list
    from mercato.decisions.price_standing import Shop
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models import artifact
    from mercato_models.price import channels

    settings = get_settings()
    folder = settings.home / "models" / "price"
    elasticities = channels.elasticities(folder)
    written = _limits(limits)
    with _book(settings) as book:
        charged = book.charged_anywhere() if book else []
        result = price_list(
            channels.read(settings.home / "datasets" / "price" / "channel"),
            elasticities,
            artifact.load(folder),
            shop=Shop.of(Lake(settings.lake_uri).read_arrow, charged, written),
            cost_share=cost_share,
            rules=Guardrails(margin, step, days, announced),
            now=datetime.now(UTC),
        )
        _keep(settings, result, book)
    _show(result.moved.head(limit), result.summary, as_json=as_json)


def _limits(path: Path | None) -> Limits:
    from mercato.decisions.price_limits import Limits, parse

    return parse(path.read_bytes(), str(path)) if path else Limits()


@contextmanager
def _book(settings: Settings) -> Iterator[PriceBook | None]:
    """What people decided on; None if Redis is not running."""
    from mercato.online.connection import BULK_TIMEOUT_SECONDS, connect
    from mercato.online.prices import PriceBook

    if settings.endpoint("redis_url") is None:
        consequence = "the panel gets no proposals, and what people accepted there is not known"
        typer.echo(f"Redis is not running: {consequence} (`mercato up redis`)", err=True)
        yield None
        return
    with connect(settings, timeout=BULK_TIMEOUT_SECONDS) as redis:
        yield PriceBook(redis)


def _keep(settings: Settings, result: PriceList, book: PriceBook | None) -> None:
    from mercato.decisions.price_list import proposals
    from mercato_models.price import published

    folder = settings.home / "predictions"
    published.to_folder(result, str(folder))
    typer.echo(f"all of them are in {folder / published.FILE}", err=True)
    if book:
        kept = book.propose(proposals(result.rows))
        typer.echo(f"{kept:,} wait in the admin panel: `mercato up admin` prints its address", err=True)


def _show(moved: pd.DataFrame, summary: Summary, *, as_json: bool) -> None:
    from mercato.contracts.tables.proposals import PROPOSED

    c = PROPOSED.c
    if as_json:
        rows = json.loads(moved.to_json(orient="records", date_format="iso"))
        typer.echo(json.dumps(summary.as_dict() | {"proposals": rows}))
        return
    for row in moved.to_dict("records"):
        typer.echo(
            f"store {row[c.store_id]:>6}  {row[c.product_name][:40]:<40} {row[c.product_id]:>9}  "
            f"{row[c.price]:7.2f} -> {row[c.proposed_price]:7.2f}  gain {row[c.gain]:6.2f} USD a week "
            f"({row[c.least_gain]:.2f} to {row[c.most_gain]:.2f})  held by {row[c.held_by] or 'nothing'}"
        )
    for line in summary.lines():
        typer.echo(line, err=True)
