"""What a table contract is."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from mercato.contracts import schema


@dataclass(frozen=True)
class Table:
    """One Delta table: its name, row contract and unique key.

    Attributes:
        name: `layer.table`, e.g. `gold.product_daily`.
        row: Struct of one row.
        key: columns that identify a row.
        description: one line for people.
        partition_by: Delta partition columns.
    """

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    description: str
    partition_by: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        """`bronze`, `silver`, `gold` ..."""
        return self.name.split(".")[0]

    @property
    def short_name(self) -> str:
        """Name without the layer."""
        return self.name.split(".")[1]

    @functools.cached_property
    def c(self) -> schema.Columns:
        """Column names as constants."""
        return schema.Columns(self.name, tuple(self.arrow_schema.names))

    @functools.cached_property
    def arrow_schema(self) -> pa.Schema:
        """Arrow schema, columns in declaration order."""
        return pa.schema(schema.arrow_fields(self.row))

    @functools.cached_property
    def spark_schema(self) -> str:
        """Spark DDL of the columns."""
        return schema.spark_ddl(self.arrow_schema)

    @functools.cached_property
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of one row."""
        return schema.json_schema(self.row)
