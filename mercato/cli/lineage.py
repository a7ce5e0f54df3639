"""`mercato lineage`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.cli.options import Json

if TYPE_CHECKING:
    from mercato.lineage import Node, State


def register(app: typer.Typer) -> None:
    """Add this command to the main program."""
    app.command()(lineage)


def lineage(
    name: Annotated[
        str | None,
        typer.Argument(help="Topic, table (with or without its layer), feature view or model. Default: all."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what something was made from, at which versions, and what is made from it.

    Versions are those of Delta tables. Something is behind if a table that it was made from has other rows
    since: `mercato run` brings tables up to date, `mercato train` models.

    Examples: `mercato lineage`, `mercato lineage product_trends`, `mercato lineage recommend --json`
    """
    from mercato import lineage as known
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings

    settings = get_settings()
    lake, models, nodes = Lake(settings.lake_uri), settings.home / "models", known.graph()
    chosen = nodes if name is None else _above(known.find(name), nodes)
    states = {each: known.state(node, lake, models) for each, node in chosen.items()}
    if as_json:
        told = [_told(node, states[node.name], known.used_by(node.name)) for node in chosen.values()]
        typer.echo(json.dumps(told))
        return
    if name is None:
        for node in chosen.values():
            typer.echo(_line(node, states[node.name]))
        return
    node = known.find(name)
    _show(node, states, nodes)
    typer.echo(f"made from it: {', '.join(known.used_by(node.name)) or 'nothing'}")


def _show(node: Node, states: Mapping[str, State], nodes: Mapping[str, Node], depth: int = 0) -> None:
    """A node, and below it what it is made of."""
    typer.echo("  " * depth + _line(node, states[node.name]))
    for name in node.reads:
        _show(nodes[name], states, nodes, depth + 1)


def _above(node: Node, nodes: Mapping[str, Node]) -> dict[str, Node]:
    """A node and everything that it is made of."""
    found = {node.name: node}
    for name in node.reads:
        found |= _above(nodes[name], nodes)
    return found


def _line(node: Node, state: State) -> str:
    """A node in words."""
    said = f"{node.kind} {node.name}"
    if state.version is not None and state.written is not None:
        days = (datetime.now(UTC) - state.written).days
        said += f"  version {state.version}, {f'{days} days ago' if days else f'{state.written:%H:%M} UTC'}"
    behind = [
        f"{each.name} {'-' if each.held is None else each.held} of {each.newest}"
        for each in state.sources
        if each.behind
    ]
    return said + (f"  behind: {', '.join(behind)}" if behind else "")


def _told(node: Node, state: State, used_by: Sequence[str]) -> dict[str, Any]:
    """A node for programs."""
    return {
        "name": node.name,
        "kind": node.kind,
        "reads": node.reads,
        "version": state.version,
        "written": state.written and state.written.isoformat(),
        "made_from": [
            {"name": each.name, "version": each.held, "newest": each.newest, "behind": each.behind}
            for each in state.sources
        ],
        "used_by": used_by,
    }
