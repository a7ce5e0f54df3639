"""What every gold job does with columns: exact money, safe ratios, the contract's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mercato.contracts.arrow import spark_type
from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.base import Table

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

#: Money is summed in whole ten-thousandths of a dollar: sums of doubles depend on their order,
#: and the order differs between engines, runs and sliding windows.
TICKS_PER_DOLLAR = 10_000
_DAY_MICROS = DAY_SECONDS * 1_000_000


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """Exactly the contract's columns, in its order and of its types."""
    return frame.select(*(F.col(f.name).cast(spark_type(f.type)).alias(f.name) for f in table.arrow_schema))


def ticks(dollars: Column | str) -> Column:
    """Dollars as whole ticks."""
    return F.round(
        F.col(dollars) * TICKS_PER_DOLLAR if isinstance(dollars, str) else dollars * TICKS_PER_DOLLAR
    ).cast("bigint")


def dollars(amount: Column) -> Column:
    """Ticks as dollars."""
    return amount / TICKS_PER_DOLLAR


def ratio(part: Column, whole: Column) -> Column:
    """`part / whole`; null where the whole is zero, on engines that raise and on those that do not."""
    return part.cast("double") / F.nullif(whole.cast("double"), F.lit(0.0))


def row_count(filled: str) -> Column:
    """Number of rows, for what is added up after a join; `filled` is a column without nulls.

    Where the groups of a Delta table are whole files, as of one basket alone, Sail adds up `count(1)` from
    their statistics. What it makes so may be null, and its planner refuses that further on.
    """
    return F.count(filled)


def days_between(earlier: Column, later: Column) -> Column:
    """Days, with their fraction."""
    return (F.unix_micros(later) - F.unix_micros(earlier)) / _DAY_MICROS
