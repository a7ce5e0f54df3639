"""Delta tables by contract: read, write, merge, and how far a reader has come.

Tables keep to the Delta features that delta-rs, Sail and Spark all honour: no deletion
vectors, no column mapping, timestamps in UTC.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from pyarrow.fs import FileType, SubTreeFileSystem

from mercato.contracts.tables.base import Table
from mercato.lake.changes import Changes, LogCleanedError, between
from mercato.lake.storage import filesystem, storage_options

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MERGE_VIEW = "mercato_merge_source"
_GONE, _SIGN = "mercato_gone", "mercato_sign"
_LAYER = "{layer}"
#: The layer whose jobs stage their work.
_STAGED_BY = "silver"


@dataclass(frozen=True)
class Lake:
    """The tables below one root, optionally laid over another lake.

    Attributes:
        uri: root; a table lives at `{uri}/{layer}/{name}`. Where each layer has a bucket of its own
            the root holds `{layer}` in the layer's place: `s3://shop-{layer}`, with the table at
            `s3://shop-gold/{name}`.
        base: lake that is read for tables which this one does not have.
    """

    uri: str
    base: Lake | None = None

    def path(self, table: Table) -> str:
        """Where this lake keeps (or would write) the table."""
        if _LAYER in self.uri:
            return self.beside(table.layer, table.short_name)
        return f"{self.uri}/{table.layer}/{table.short_name}"

    def beside(self, layer: str, folder: str) -> str:
        """Folder for what is no table but belongs to a layer: in its bucket, if layers have their own."""
        return f"{self.uri.replace(_LAYER, layer)}/{folder}"

    def open(self, table: Table) -> DeltaTable | None:
        """The table as delta-rs sees it, from this lake or its base; `None` if neither has it."""
        return self.own(table) or (self.base.open(table) if self.base else None)

    def own(self, table: Table) -> DeltaTable | None:
        """The table of this lake itself, never of its base."""
        path = self.path(table)
        try:
            return DeltaTable(path, storage_options=storage_options(path))
        except TableNotFoundError:
            return None

    def create(self, table: Table) -> DeltaTable:
        """The table, made empty with its contract's schema if it is not there.

        A column that the contract gained since is added; rows from before have none there.
        """
        if delta := self.own(table):
            existing = _columns(delta)
            gained = [field for field in _nullable(table) if field.name not in existing]
            if gained:
                delta.alter.add_columns(Schema.from_arrow(pa.schema(gained)).fields)
            return delta
        path = self.path(table)
        try:
            return DeltaTable.create(
                path,
                storage_options=storage_options(path),
                schema=_nullable(table),
                mode="ignore",
                name=table.short_name,
                description=table.description,
                # A second try would give the table that another process made meanwhile another id.
                commit_properties=CommitProperties(max_commit_retries=0),
            )
        except CommitFailedError:
            return DeltaTable(path, storage_options=storage_options(path))

    def version(self, table: Table) -> int | None:
        """Current Delta version, `None` if the table is not there."""
        delta = self.open(table)
        return None if delta is None else delta.version()

    def state(self, table: Table) -> tuple[str, int] | None:
        """Id of the Delta table and its current version, `None` if it is not there.

        A table that was dropped and made again has another id, at whatever version.
        """
        delta = self.open(table)
        return None if delta is None else (str(delta.metadata().id), delta.version())

    def rows(self, table: Table) -> int:
        """Number of rows, 0 if the table is not there."""
        delta = self.open(table)
        return 0 if delta is None else delta.count()

    def read_arrow(self, table: Table) -> pa.Table:
        """All rows of the newest version, read without a session; none if the table is not there."""
        delta = self.open(table)
        if delta is None:
            return table.arrow_schema.empty_table()
        # Arrow's own file system: a thread of its pool that is inside delta-rs's, which is Python's,
        # when the interpreter ends aborts the process (apache/arrow#34314).
        storage, root = filesystem(delta.table_uri)
        existing = _columns(delta).intersection(table.c)
        rows = delta.to_pyarrow_table(columns=list(existing), filesystem=SubTreeFileSystem(root, storage))
        for name in set(table.c) - existing:  # gained by the contract, and nothing written since
            rows = rows.append_column(name, pa.nulls(len(rows), table.arrow_schema.field(name).type))
        return rows.select(list(table.c)).cast(table.arrow_schema)

    # --- with a Spark session ---------------------------------------------------------------------

    def read(self, spark: SparkSession, table: Table, version: int | None = None) -> DataFrame:
        """All rows, as of a version if given; no rows if the table is not there.

        Columns that its contract gained since are null.

        Raises:
            LogCleanedError: the log of that version is gone.
        """
        delta = self.open(table)
        if delta is None:
            return spark.createDataFrame([], table.spark_schema)
        reader = spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", str(version))
            try:
                delta.load_as_version(version)
            except DeltaError as error:
                raise LogCleanedError(f"Version {version} of {table.name} is gone.") from error
        frame = reader.load(delta.table_uri)
        if not _columns(delta).issuperset(table.c):
            nothing = spark.createDataFrame([], table.spark_schema)
            frame = nothing.unionByName(frame, allowMissingColumns=True)
        return frame.select(*table.c)

    def read_changed(self, spark: SparkSession, table: Table, after: int | None, upto: int) -> DataFrame:
        """Rows that only one of two versions has: for a table that is only appended to, what is new.

        MERGE and compaction write unchanged rows into new files; these rows are not among them.

        Raises:
            LogCleanedError: the log, or a file, of one of these versions is gone.
        """
        from pyspark.sql import functions as F

        changes = self.changes(table, after, upto)
        added = _read_files(spark, table, list(changes.added))
        if not changes.removed:
            return added
        removed = _read_files(spark, table, changes.removed)
        both = added.withColumn(_SIGN, F.lit(1)).unionByName(removed.withColumn(_SIGN, F.lit(-1)))
        return both.groupBy(*table.c).agg(F.sum(_SIGN).alias(_SIGN)).where(F.col(_SIGN) != 0).select(*table.c)

    def stage(self, frame: DataFrame, name: str) -> DataFrame:
        """The same rows read from a file, which the next `stage` of this name removes."""
        self._unstage(name)
        # A new path each time: engines remember which files a path had.
        path = f"{self.beside(_STAGED_BY, f'staging/{name}')}/{uuid.uuid4().hex}"
        frame.write.parquet(path)
        spark = frame.sparkSession
        # Sail writes nothing at all where there are no rows.
        if not _exists(path):
            return spark.createDataFrame([], frame.schema)
        return spark.read.schema(frame.schema).parquet(path)

    @contextmanager
    def staged(self, frame: DataFrame, name: str) -> Iterator[DataFrame]:
        """`stage` for the time of a `with`."""
        try:
            yield self.stage(frame, name)
        finally:
            self._unstage(name)

    def _unstage(self, name: str) -> None:
        path = self.beside(_STAGED_BY, f"staging/{name}")
        if _exists(path):
            storage, root = filesystem(path)
            storage.delete_dir(root)

    def overwrite(self, frame: DataFrame, table: Table) -> None:
        """Replace the table's rows."""
        self.create(table)
        frame.select(*table.c).write.format("delta").mode("overwrite").save(self.path(table))

    def append(self, frame: DataFrame, table: Table) -> None:
        """Add rows."""
        self.create(table)
        frame.select(*table.c).write.format("delta").mode("append").save(self.path(table))

    def replace(self, frame: DataFrame, replaced: DataFrame, table: Table) -> None:
        """Put `frame` in the place of the rows `replaced`, in one commit."""
        from pyspark.sql import functions as F

        rows, key = frame.select(*table.c), list(table.key)
        gone = replaced.select(*table.c).join(rows.select(*key), key, "left_anti").select(*table.c)
        source = rows.withColumn(_GONE, F.lit(False)).unionByName(gone.withColumn(_GONE, F.lit(True)))
        columns, values = ", ".join(table.c), ", ".join(f"source.{name}" for name in table.c)
        updates = ", ".join(f"{name} = source.{name}" for name in table.c if name not in table.key)
        clauses = (
            f"WHEN MATCHED AND source.{_GONE} THEN DELETE "
            + (f"WHEN MATCHED THEN UPDATE SET {updates} " if updates else "")
            + f"WHEN NOT MATCHED AND NOT source.{_GONE} THEN INSERT ({columns}) VALUES ({values})"
        )
        self.create(table)
        source.createOrReplaceTempView(_MERGE_VIEW)
        on = " AND ".join(f"target.{name} = source.{name}" for name in key)
        source.sparkSession.sql(
            f"MERGE INTO delta.`{self.path(table)}` AS target USING {_MERGE_VIEW} AS source ON {on} {clauses}"
        ).collect()

    # --- how far a reader has come ----------------------------------------------------------------

    def progress(self, target: Table, source: Table, table_id: str) -> int | None:
        """Version of `source`, the Delta table of that id, that `target` holds; kept in the target's log."""
        return self.mark(target, _reader(target, source, table_id))

    def set_progress(self, target: Table, versions: Sequence[tuple[Table, str, int]]) -> None:
        """Record, in one commit without data, the sources' ids and versions that `target` now holds."""
        self.set_marks(target, {_reader(target, source, each): version for source, each, version in versions})

    def mark(self, table: Table, app_id: str) -> int | None:
        """Number last recorded under an app transaction id in the table's log."""
        delta = self.own(table)
        return None if delta is None else delta.transaction_version(app_id)

    def set_marks(self, table: Table, marks: Mapping[str, int]) -> None:
        """Record numbers under app transaction ids, in one commit without data."""
        delta = self.create(table)
        delta.create_write_transaction(
            [],
            mode="append",
            schema=delta.schema(),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(app_id, number) for app_id, number in marks.items()]
            ),
        )

    def changes(self, table: Table, after: int | None, upto: int) -> Changes:
        """How version `upto` differs from version `after` (`None`: from nothing).

        Raises:
            LogCleanedError: the log of one of these versions is gone.
        """
        delta = self.open(table)
        return Changes({}, []) if delta is None else between(delta, after, upto)


def _read_files(spark: SparkSession, table: Table, files: Sequence[str]) -> DataFrame:
    if not files:
        return spark.createDataFrame([], table.spark_schema)
    if not all(map(_exists, files)):
        raise LogCleanedError(f"A file of {table.name} that is still to be read was vacuumed.")
    return spark.read.schema(table.spark_schema).parquet(*files).select(*table.c)


def _columns(delta: DeltaTable) -> set[str]:
    return {field.name for field in delta.schema().fields}


def _exists(path: str) -> bool:
    storage, root = filesystem(path)
    return bool(storage.get_file_info(root).type != FileType.NotFound)


def _reader(target: Table, source: Table, table_id: str) -> str:
    return f"{target.name}<-{source.name}@{table_id}"


def _nullable(table: Table) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in table.arrow_schema])
