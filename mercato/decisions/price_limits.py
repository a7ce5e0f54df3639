"""The minimum advertised prices, ceilings and costs that a shop writes down in a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from mercato.contracts.tables.proposals import LIMIT, MAX_DOLLARS, PriceLimit
from mercato.errors import MercatoError

#: A product in a store, or in all stores.
Place = tuple[int, int | None]
_LIMITS = (LIMIT.minimum_advertised, LIMIT.ceiling, LIMIT.unit_cost)
_NUMBER, _DOLLARS = "a whole number above 0", f"US dollars from 0.01 to {MAX_DOLLARS:,}"
#: Faults that are shown at most.
_SHOWN = 5


@dataclass(frozen=True)
class Limits:
    """Limits by product and store. Those of a store go before those of all stores, each by itself."""

    rows: Mapping[Place, PriceLimit] = field(default_factory=dict)

    def of(self, product: int, store: int) -> PriceLimit:
        """What holds for a product in a store."""
        empty = PriceLimit(product_id=product, store_id=store)
        own, everywhere = self.rows.get((product, store), empty), self.rows.get((product, None), empty)
        held = {name: getattr(own, name) or getattr(everywhere, name) for name in _LIMITS}
        return PriceLimit(product_id=product, store_id=store, **held)


def parse(data: bytes, name: str) -> Limits:
    """The limits of a CSV file with the columns product_id, store_id, minimum_advertised, ceiling, unit_cost.

    A product has a line for all stores, without a store, or one for each.

    Args:
        data: in UTF-8.
        name: of the file, for what is said of it.

    Raises:
        MercatoError: naming the columns or the lines that are wrong.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MercatoError(f"{name} is not in UTF-8: {error.reason} at byte {error.start}.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    _check_columns([*(reader.fieldnames or ())], name)
    rows: dict[Place, PriceLimit] = {}
    lines: dict[Place, int] = {}
    faults = []
    for cells in reader:
        try:
            row = _row(cells)
        except ValueError as error:
            faults.append(f"line {reader.line_num}: {error}")
            continue
        place = (row.product_id, row.store_id)
        if place in rows:
            faults.append(f"line {reader.line_num}: the same product and store as line {lines[place]}")
        rows[place], lines[place] = row, reader.line_num
    limits = Limits(rows)
    faults += [] if faults else _contradictions(limits, lines)
    if faults:
        more = f"; {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise MercatoError(f"{name} has wrong limits. {'; '.join(faults[:_SHOWN])}{more}")
    return limits


def _check_columns(found: list[str], name: str) -> None:
    if LIMIT.product_id not in found or not {*_LIMITS} & {*found}:
        wanted = f"{LIMIT.product_id}, and {' or '.join(_LIMITS)}, may have {LIMIT.store_id}"
        raise MercatoError(f"{name} must have the columns {wanted}; it has {', '.join(found) or 'none'}.")
    if unknown := [column for column in found if column not in LIMIT]:
        raise MercatoError(
            f"{name} has unknown columns: {', '.join(unknown)}; those known are {', '.join(LIMIT)}."
        )
    if len({*found}) < len(found):
        raise MercatoError(f"{name} names a column twice: {', '.join(found)}.")


def _row(cells: Mapping[str | None, str | None]) -> PriceLimit:
    """One line.

    Raises:
        ValueError: a cell is wrong.
    """
    if None in cells:
        raise ValueError("more cells than columns")
    given = {str(column): cell.strip() for column, cell in cells.items() if cell and cell.strip()}
    try:
        row = msgspec.convert(given, PriceLimit, strict=False)
    except msgspec.ValidationError as error:
        column = next((name for name in given if f"$.{name}`" in str(error)), LIMIT.product_id)
        wanted = _DOLLARS if column in _LIMITS else _NUMBER
        said = repr(given[column]) if column in given else "missing"
        raise ValueError(f"{column} is {said}, not {wanted}") from error
    if all(getattr(row, name) is None for name in _LIMITS):
        raise ValueError(f"neither {' nor '.join(_LIMITS)}")
    return row


def _contradictions(limits: Limits, lines: Mapping[Place, int]) -> Iterator[str]:
    """Lines by which a product would have to cost more than it may."""
    for (product, store), row in limits.rows.items():
        holds = row if store is None else limits.of(product, store)
        least, most = holds.minimum_advertised, holds.ceiling
        if least is not None and most is not None and least > most:
            line = lines[product, store]
            yield f"line {line}: {LIMIT.minimum_advertised} {least:g} is above {LIMIT.ceiling} {most:g}"
