"""`mercato search index | query`."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Annotated

import typer

from mercato.cli.endings import interrupted_by_signals
from mercato.cli.options import Json

search = typer.Typer(
    help="Find products (needs `mercato up opensearch`).\n\n"
    'Examples: `mercato search index`, `mercato search query "frozen pizza"`',
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(search, name="search")


@search.command("index")
def index(as_json: Json = False) -> None:
    """Rebuild the index; the old one answers until the new one is complete.

    Example: `mercato search index`
    """
    from mercato.lake.tables import Lake
    from mercato.search.catalogue import documents
    from mercato.search.index import ProductIndex
    from mercato.settings import get_settings

    settings = get_settings()
    # Else the version that is being filled stays, and every event is written to it too.
    interrupted_by_signals()
    started = time.perf_counter()
    rebuilt = ProductIndex(settings).rebuild(documents(Lake(settings.lake_uri)))
    seconds = time.perf_counter() - started
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(rebuilt) | {"seconds": round(seconds, 2)}))
    else:
        typer.echo(f"{rebuilt.index}: {rebuilt.documents:,} products in {seconds:.1f} s")


@search.command("query")
def query(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    department: Annotated[
        str | None, typer.Option(help="Only from this department, as in products.v1.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="National or Private.")] = None,
    size: Annotated[int, typer.Option(help="Maximum number of products.", min=1, max=100)] = 10,
    as_json: Json = False,
) -> None:
    """Find products.

    Examples: `mercato search query "frozen pizza"`, `mercato search query yoghurt --brand Private`
    """
    import msgspec

    from mercato.search.products import ProductSearch
    from mercato.search.query import MAX_TYPED, Question
    from mercato.settings import get_settings

    if len(text) > MAX_TYPED:
        raise typer.BadParameter(
            f"{len(text):,} characters are too many: {MAX_TYPED} are looked for at most."
        )
    result = ProductSearch(get_settings()).find(
        Question(text=text, department=department, brand=brand, size=size)
    )
    if as_json:
        typer.echo(msgspec.json.encode(result))
        return
    if result.relaxed:
        typer.echo("nothing has every word; these have some", err=True)
    for hit in result.hits:
        of = hit.document
        typer.echo(
            f"{hit.score:8.2f}  {of.product_id:<9} {of.name:<44.44} {of.package_size or '-':<12.12} "
            f"{of.brand:<9} {of.department}"
        )
    for field, values in result.facets.items():
        if values:
            typer.echo(f"{field}: {', '.join(f'{each.value} ({each.count:,})' for each in values)}", err=True)
    typer.echo(f"{result.total:,} products in {result.took_ms} ms", err=True)
