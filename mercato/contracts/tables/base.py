"""What a table contract is."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from mercato.contracts import schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Table:
    """One Delta table: its name, row contract and unique key.

    Attributes:
        name: `layer.table`, e.g. `gold.product_daily`.
        row: Struct of one row.
        key: columns that identify a row.
        description: one line for people.
    """

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    description: str

    def __post_init__(self) -> None:
        """Refuse a key that is not of the row.

        Raises:
            ValueError: the row has no such field.
        """
        if unknown := [name for name in self.key if name not in self.row.__struct_encode_fields__]:
            raise ValueError(f"{self.name}: {self.row.__name__} has no field {', '.join(unknown)}")

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
        return schema.Columns(self.name, self.row.__struct_encode_fields__)

    @functools.cached_property
    def arrow_schema(self) -> pa.Schema:
        """Arrow schema, columns in declaration order."""
        import pyarrow as pa

        from mercato.contracts.arrow import arrow_fields

        return pa.schema(arrow_fields(self.row))

    @functools.cached_property
    def spark_schema(self) -> str:
        """Spark DDL of the columns."""
        from mercato.contracts.arrow import spark_ddl

        return spark_ddl(self.arrow_schema)

    @functools.cached_property
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of one row."""
        return schema.json_schema(self.row)
