"""`mercato features apply | list | materialize | serve-stream`."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.endings import interrupted_by_signals, stopped_by_signals
from mercato.cli.failures import kafka_failures
from mercato.cli.options import Engine, Json, JsonRounds

if TYPE_CHECKING:
    from features.materialize import Outcome
    from mercato.online.store import Materialised

features = typer.Typer(
    help="Feature views: declare, bring online, keep fresh.\n\n"
    "Examples: `mercato features list`, `mercato features materialize --follow 10`",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(features, name="features")


@features.command("apply")
def apply_(
    registry: Annotated[
        str | None, typer.Option(help="A file or s3:// object; MERCATO_FEATURE_REGISTRY by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring Feast's registry in line with the declared entities, views and services.

    Example: `mercato features apply`
    """
    from features.store import apply
    from mercato.settings import get_settings

    settings = get_settings()
    store = apply(settings.model_copy(update={"feature_registry": registry or settings.feature_registry}))
    declared = {
        "entities": sorted(entity.name for entity in store.list_entities()),
        "views": sorted(view.name for view in store.list_feature_views()),
        "services": sorted(service.name for service in store.list_feature_services()),
    }
    _print(declared, as_json, [f"{kind}: {', '.join(names)}" for kind, names in declared.items()])


@features.command("list")
def list_(as_json: Json = False) -> None:
    """Each view with its entity, its table and what Redis holds of it.

    Example: `mercato features list --json`
    """
    from mercato.online.session import moment
    from mercato.online.views import VIEWS

    materialised = _held()
    rows = []
    for view in VIEWS.values():
        last = materialised.get(view.name)
        rows.append(
            {
                "view": view.name,
                "entity": view.entity,
                "table": view.table.name,
                "features": [field.name for field in view.features],
                "version": last.version if last else None,
                "as_of": moment(last.as_of).isoformat() if last else None,
            }
        )
    state = [f"version {r['version']} as of {r['as_of']}" if r["as_of"] else "-" for r in rows]
    lines = [f"{r['view']:<24} {r['table']:<26} {s}" for r, s in zip(rows, state, strict=True)]
    _print(rows, as_json, lines)


@features.command("materialize")
def materialize_(
    full: Annotated[bool, typer.Option("--full", help="Write every row and delete all others.")] = False,
    follow: Annotated[float | None, typer.Option(help="Repeat after this many seconds.")] = None,
    engine: Engine = None,
    as_json: JsonRounds = False,
) -> None:
    """Write to Redis what changed in the feature tables since the last time.

    Examples: `mercato features materialize`, `mercato features materialize --follow 10`
    """
    from features.materialize import materialize
    from mercato.lake.session import connect
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    interrupted_by_signals()
    settings = get_settings()
    settings.require("redis_url")
    with connect(settings, engine) as spark:
        # Followed, it ends between two rounds; else at once, and the next one writes what is not marked.
        stop = stopped_by_signals() if follow else threading.Event()
        while True:
            outcomes = materialize(spark, Lake(settings.lake_uri), settings, full=full)
            _print_outcomes(outcomes, as_json)
            if follow is None or stop.wait(follow):
                return


@features.command("serve-stream")
def serve_stream() -> None:
    """Follow clicks, payments, outcomes and decisions; keep sessions, cards, terminals, review cases and
    accepted prices in Redis.

    Example: `mercato features serve-stream`
    """
    from mercato.settings import get_settings
    from mercato.stream.online_features import Updater
    from mercato.stream.updates import FOLLOWED

    stop = stopped_by_signals()
    with kafka_failures():
        updater = Updater(get_settings())
        typer.echo(f"following {', '.join(topic.name for topic in FOLLOWED)}", err=True)
        updater.run(stop)


def _print_outcomes(outcomes: Sequence[Outcome], as_json: bool) -> None:
    if not outcomes:
        typer.echo("There are no feature tables yet: build them with `mercato run --layer gold`.", err=True)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(outcome) for outcome in outcomes]))
        return
    for done in outcomes:
        typer.echo(f"{done.view:<24} {done.rows:>7} rows  {done.seconds:6.2f} s")


def _held() -> dict[str, Materialised]:
    """The marker, or nothing where Redis has not been started."""
    from mercato.online.connection import OnlineUnavailableError
    from mercato.online.store import OnlineStore
    from mercato.settings import get_settings

    settings = get_settings()
    try:
        return OnlineStore(settings).marker() if settings.endpoint("redis_url") else {}
    except OnlineUnavailableError:
        return {}


def _print(data: object, as_json: bool, lines: list[str]) -> None:
    typer.echo(json.dumps(data, indent=2) if as_json else "\n".join(lines))
