"""Delta tables by contract: read, write, merge, and how far a reader has come.

Tables keep to the Delta features that delta-rs, Sail and Spark all honour: no deletion
vectors, no column mapping, timestamps in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import TableNotFoundError
from pyarrow.fs import FileSystem

from mercato.contracts.tables.base import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MERGE_VIEW = "mercato_merge_source"


@dataclass(frozen=True)
class Lake:
    """The tables below one root, optionally laid over another lake.

    Attributes:
        uri: root; a table lives at `{uri}/{layer}/{name}`.
        base: lake that is read for tables which this one does not have.
    """

    uri: str
    base: Lake | None = None

    def path(self, table: Table) -> str:
        """Where this lake keeps (or would write) the table."""
        return f"{self.uri}/{table.layer}/{table.short_name}"

    def open(self, table: Table) -> DeltaTable | None:
        """The table as delta-rs sees it, from this lake or its base; `None` if neither has it."""
        try:
            return DeltaTable(self.path(table))
        except TableNotFoundError:
            return self.base.open(table) if self.base else None

    def own(self, table: Table) -> DeltaTable | None:
        """The table of this lake itself, never of its base."""
        try:
            return DeltaTable(self.path(table))
        except TableNotFoundError:
            return None

    def create(self, table: Table) -> DeltaTable:
        """The table, made empty with its contract's schema if it is not there."""
        return self.own(table) or DeltaTable.create(
            self.path(table),
            schema=_nullable(table),
            mode="ignore",
            name=table.short_name,
            description=table.description,
            partition_by=list(table.partition_by),
        )

    def version(self, table: Table) -> int | None:
        """Current Delta version, `None` if the table is not there."""
        delta = self.open(table)
        return None if delta is None else delta.version()

    # --- with a Spark session ---------------------------------------------------------------------

    def read(self, spark: SparkSession, table: Table, version: int | None = None) -> DataFrame:
        """All rows, as of a version if given; no rows if the table is not there."""
        delta = self.open(table)
        if delta is None:
            return spark.createDataFrame([], table.spark_schema)
        reader = spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", str(version))
        return reader.load(delta.table_uri).select(*table.c)

    def read_added(self, spark: SparkSession, table: Table, after: int | None, upto: int) -> DataFrame:
        """Rows added by the versions `after + 1` to `upto` of an append-only table."""
        files = self.added_files(table, after, upto)
        if not files:
            return spark.createDataFrame([], table.spark_schema)
        return spark.read.parquet(*files).select(*table.c)

    def overwrite(self, frame: DataFrame, table: Table) -> None:
        """Replace the table's rows."""
        frame.select(*table.c).write.format("delta").mode("overwrite").save(self.path(table))

    def append(self, frame: DataFrame, table: Table) -> None:
        """Add rows."""
        self.create(table)
        frame.select(*table.c).write.format("delta").mode("append").save(self.path(table))

    def merge(self, frame: DataFrame, table: Table) -> None:
        """Insert rows, or replace those with the same key."""
        self.create(table)
        clauses = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        self._merge(frame.select(*table.c), table, clauses)

    def delete(self, keys: DataFrame, table: Table) -> None:
        """Remove the rows with these keys."""
        self._merge(keys.select(*table.key), table, "WHEN MATCHED THEN DELETE")

    def refresh(self, frame: DataFrame, table: Table, touched: DataFrame) -> None:
        """Make `frame` the table's rows for the values in `touched`; the other rows stay.

        Args:
            frame: all rows that the touched values now have.
            touched: one column of the table, distinct values.
        """
        self.merge(frame, table)
        spark, key = frame.sparkSession, list(table.key)
        before = self.read(spark, table).join(touched, touched.columns, "left_semi").select(*key)
        vanished = before.join(frame.select(*key), key, "left_anti")
        if not vanished.isEmpty():
            self.delete(vanished, table)

    def _merge(self, frame: DataFrame, table: Table, clauses: str) -> None:
        frame.createOrReplaceTempView(_MERGE_VIEW)
        on = " AND ".join(f"target.{key} = source.{key}" for key in table.key)
        frame.sparkSession.sql(
            f"MERGE INTO delta.`{self.path(table)}` AS target USING {_MERGE_VIEW} AS source ON {on} {clauses}"
        ).collect()

    # --- how far a reader has come ----------------------------------------------------------------

    def progress(self, target: Table, source: Table) -> int | None:
        """Version of `source` that `target` holds; kept in the target's own log."""
        delta = self.own(target)
        return None if delta is None else delta.transaction_version(_reader(target, source))

    def set_progress(self, target: Table, versions: Sequence[tuple[Table, int]]) -> None:
        """Record, in one commit without data, the source versions that `target` now holds."""
        delta = self.create(target)
        transactions = [Transaction(_reader(target, source), version) for source, version in versions]
        delta.create_write_transaction(
            [],
            mode="append",
            schema=delta.schema(),
            partition_by=list(target.partition_by),
            commit_properties=CommitProperties(app_transactions=transactions),
        )

    def added_files(self, table: Table, after: int | None, upto: int) -> list[str]:
        """Parquet files that the versions `after + 1` to `upto` added with new data.

        Compaction rewrites files without new data and so adds nothing here.

        Raises:
            LookupError: the log of one of these versions has been cleaned up.
        """
        delta = self.open(table)
        if delta is None:
            return []
        uri = delta.table_uri.rstrip("/")
        storage, root = FileSystem.from_uri(uri)
        files: list[str] = []
        for version in range(0 if after is None else after + 1, upto + 1):
            try:
                with storage.open_input_stream(f"{root}/_delta_log/{version:020}.json") as log:
                    actions = [json.loads(line) for line in log.read().splitlines()]
            except FileNotFoundError as error:
                raise LookupError(
                    f"{table.name} no longer has the log of version {version}: run with --full."
                ) from error
            added = (action["add"] for action in actions if "add" in action)
            files += [f"{uri}/{add['path']}" for add in added if add["dataChange"]]
        return files


def _reader(target: Table, source: Table) -> str:
    return f"{target.name}<-{source.name}"


def _nullable(table: Table) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in table.arrow_schema])
