"""An estimate as a person reads it, and as a program does."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mercato.cloud.cost.estimate import Cost, Estimate, LineItem, total
from mercato.cloud.cost.prices import STALE
from mercato.cloud.cost.usage import Usage

#: Marks a price that no source confirms.
ASSUMED = "*"
#: From here on nobody reads decimals.
_WHOLE = 1000


def tables(estimate: Estimate, next_million: float) -> RenderableType:
    """Line items by stack, their sums, what has no price, what was assumed.

    Args:
        next_million: dollars that a million decisions more would cost.
    """
    parts: list[RenderableType] = [_items(estimate, stack) for stack in estimate.stacks]
    if estimate.not_priced:
        parts.append(_not_priced(estimate))
    notes = Text("\n".join(_notes(estimate, next_million)))
    return Group(*parts, _sums(estimate), notes, _usage(estimate))


def as_json(estimate: Estimate, next_million: float, warnings: Iterable[str]) -> dict[str, Any]:
    """The whole estimate, with every line item.

    Args:
        next_million: dollars that a million decisions more would cost.
        warnings: what a person would be told beside it.
    """
    decisions = estimate.usage.decisions
    return {
        "currency": "USD",
        "region": estimate.prices.region,
        "prices": {"file": estimate.prices.file.name, "looked_up": estimate.prices.looked_up.isoformat()},
        **_cost(estimate.total, decisions),
        "next_million_decisions": next_million,
        "stacks": {stack: _cost(estimate.of(stack), decisions) for stack in estimate.stacks},
        "items": [
            {**dataclasses.asdict(item), "monthly": item.monthly, "idle": item.idle}
            for item in estimate.items
        ],
        "not_priced": [dataclasses.asdict(each) for each in estimate.not_priced],
        "assumptions": {name: getattr(estimate.usage, name) for name in assumptions(estimate)},
        "warnings": list(warnings),
    }


def warnings(estimate: Estimate, region: str, today: date) -> list[str]:
    """What a person should know before believing the sums.

    Args:
        region: that the stacks are for.
    """
    prices = estimate.prices
    messages = []
    if prices.is_stale(today):
        messages.append(
            f"prices were looked up on {prices.looked_up}, more than {STALE.days} days ago: "
            f"check them and write a newer {prices.region}-YYYY-MM.toml beside {prices.file.name}."
        )
    if prices.region != region:
        messages.append(f"the stacks are for {region}, the prices for {prices.region}.")
    if estimate.not_priced:
        types = sorted({each.type for each in estimate.not_priced})
        messages.append(f"{len(estimate.not_priced)} resources are not priced: {', '.join(types)}.")
    return messages


def _cost(cost: Cost, decisions: float) -> dict[str, float | None]:
    return {"monthly": cost.monthly, "idle": cost.idle, "per_million_decisions": cost.per_million(decisions)}


def _items(estimate: Estimate, stack: str) -> Table:
    """What is billed alike is one row."""
    cost = estimate.of(stack)
    table = Table(title=stack, title_justify="left", show_footer=True)
    for column, footer in (("Service", ""), ("Billed for", "together")):
        table.add_column(column, footer=footer)
    for column, footer in (
        ("Quantity", ""),
        ("Price", ""),
        ("Month", _dollars(cost.monthly)),
        ("Idle", _dollars(cost.idle)),
    ):
        table.add_column(column, footer=footer, justify="right")
    for alike in _alike(item for item in estimate.items if item.stack == stack):
        first, sums = alike[0], total(alike)
        table.add_row(
            first.service,
            first.what,
            f"{_number(sum(item.quantity for item in alike))} {first.unit}",
            f"{first.unit_price:.10g}{ASSUMED if first.assumed else ''}",
            _dollars(sums.monthly),
            _dollars(sums.idle),
        )
    return table


def _alike(items: Iterable[LineItem]) -> Iterator[list[LineItem]]:
    """Items of the same service, thing and price together, dearest first."""
    groups: dict[tuple[str, str, float], list[LineItem]] = {}
    for item in items:
        groups.setdefault((item.service, item.what, item.unit_price), []).append(item)
    yield from sorted(groups.values(), key=lambda alike: -total(alike).monthly)


def _sums(estimate: Estimate) -> Table:
    table = Table(title="Together", title_justify="left")
    table.add_column("Stack")
    for column in ("Month", "Idle", "Per million decisions"):
        table.add_column(column, justify="right")
    for stack in estimate.stacks:
        table.add_row(stack, *_columns(estimate.of(stack), estimate.usage.decisions))
    table.add_section()
    table.add_row("total", *_columns(estimate.total, estimate.usage.decisions), style="bold")
    return table


def _columns(cost: Cost, decisions: float) -> tuple[str, str, str]:
    return _dollars(cost.monthly), _dollars(cost.idle), _dollars(cost.per_million(decisions))


def _dollars(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}"


def _not_priced(estimate: Estimate) -> Table:
    table = Table(title="NOT PRICED: missing from every sum", title_justify="left", style="yellow")
    for column in ("Stack", "Resource", "Type", "Why"):
        table.add_column(column, overflow="fold")
    for each in estimate.not_priced:
        table.add_row(each.stack, each.resource, each.type, each.reason)
    return table


def _notes(estimate: Estimate, next_million: float) -> Iterator[str]:
    prices = estimate.prices
    yield "US dollars a month; idle is with everything on, without traffic."
    yield f"The next million decisions cost {_dollars(next_million)}."
    yield (
        f"List prices of {prices.region}, looked up on {prices.looked_up} ({prices.file.name}), "
        "without free tiers, discounts and taxes."
    )
    assumed = [item for item in estimate.items if item.assumed]
    if assumed:
        yield (
            f"{ASSUMED} {_dollars(total(assumed).monthly)} a month rest on prices that no source confirms: "
            f"{', '.join(sorted({item.price for item in assumed}))}."
        )


def _usage(estimate: Estimate) -> Table:
    """Those assumptions that some line item rests on."""
    table = Table(title="Assumed of the month", title_justify="left", show_header=False)
    for name in assumptions(estimate):
        field = Usage.model_fields[name]
        table.add_row(name, _number(getattr(estimate.usage, name)), field.description)
    return table


def assumptions(estimate: Estimate) -> list[str]:
    """Names of the assumptions that line items rest on: each item's basis names its own."""
    words = {word for item in estimate.items for word in re.findall(r"\w+", item.basis)}
    return [name for name in Usage.model_fields if name in words]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE or value == int(value) else f"{value:.3g}"
