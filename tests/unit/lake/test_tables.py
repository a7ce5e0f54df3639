"""What the Delta log says of a table: versions, differences, marks."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from mercato.contracts.events import PAYMENTS
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import PAYMENTS as SILVER
from mercato.lake.changes import LogCleanedError
from mercato.lake.lock import exclusive
from mercato.lake.maintenance import maintain
from mercato.lake.tables import Lake

TABLE = BRONZE[PAYMENTS.name]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def add(lake: Lake, *offsets: int) -> None:
    now = datetime.now(UTC)
    rows = [
        {"key": None, "value": b"v", "topic": PAYMENTS.name, "partition": 0, "offset": offset}
        | {"kafka_time": now, "ingest_time": now}
        for offset in offsets
    ]
    delta = lake.create(TABLE)
    nullable = pa.schema([field.with_nullable(True) for field in TABLE.arrow_schema])
    write_deltalake(delta, pa.Table.from_pylist(rows, nullable), mode="append")


def test_a_table_that_is_not_there(lake: Lake) -> None:
    assert lake.version(TABLE) is None
    assert lake.rows(TABLE) == 0
    assert lake.open(TABLE) is None
    assert lake.state(TABLE) is None
    assert lake.progress(SILVER, TABLE, "id") is None
    assert lake.changes(TABLE, None, 0).added == {}


def test_created_tables_use_no_feature_that_an_engine_lacks(lake: Lake) -> None:
    protocol = lake.create(TABLE).protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) <= (1, 2)
    assert not protocol.reader_features
    assert lake.version(TABLE) == lake.create(TABLE).version() == 0


def test_differences_are_counted_by_version(lake: Lake) -> None:
    lake.create(TABLE)
    add(lake, 0, 1)
    add(lake, 2)
    assert sum(lake.changes(TABLE, None, 2).added.values()) == 3
    assert sum(lake.changes(TABLE, 1, 2).added.values()) == 1
    assert lake.changes(TABLE, 2, 2).added == {}
    assert lake.rows(TABLE) == 3


def test_compaction_changes_nothing_for_readers(lake: Lake) -> None:
    lake.create(TABLE)
    for offset in range(5):
        add(lake, offset)
    before = lake.version(TABLE)
    (done,) = maintain(lake, retain_hours=1)
    assert (done.table, done.files_before, done.files_after) == (TABLE.name, 5, 1)
    upto = lake.version(TABLE)
    assert before is not None
    assert upto is not None
    assert upto > before
    changes = lake.changes(TABLE, before, upto)
    assert (changes.added, changes.removed) == ({}, [])
    assert lake.rows(TABLE) == 5


def test_upkeep_waits_for_the_jobs_that_read_what_it_would_remove(lake: Lake) -> None:
    add(lake, 0)
    done = threading.Event()

    def upkeep() -> None:
        list(maintain(lake, retain_hours=0))
        done.set()

    with exclusive(lake):
        thread = threading.Thread(target=upkeep)
        thread.start()
        assert not done.wait(0.3)
    thread.join(10)
    assert done.is_set()


def test_a_cleaned_log_is_told(lake: Lake) -> None:
    add(lake, 0)
    add(lake, 1)
    lake.create(TABLE).create_checkpoint()
    (Path(lake.path(TABLE)) / "_delta_log" / f"{0:020}.json").unlink()
    (Path(lake.path(TABLE)) / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(LogCleanedError, match="version 1"):
        lake.changes(TABLE, 0, 2)


def test_progress_is_in_the_target(lake: Lake) -> None:
    lake.set_progress(SILVER, [(TABLE, "id", 4)])
    assert lake.progress(SILVER, TABLE, "id") == 4
    lake.set_progress(SILVER, [(TABLE, "id", 9)])
    assert lake.progress(SILVER, TABLE, "id") == 9
    assert lake.progress(SILVER, TABLE, "another") is None
    assert lake.rows(SILVER) == 0
    assert lake.progress(TABLE, SILVER, "id") is None


def test_a_table_keeps_its_id_until_it_is_made_again(lake: Lake) -> None:
    add(lake, 0)
    held = lake.state(TABLE)
    assert held is not None
    add(lake, 1)
    assert lake.state(TABLE) == (held[0], held[1] + 1)
    shutil.rmtree(lake.path(TABLE))
    for offset in range(2):
        add(lake, offset)
    again = lake.state(TABLE)
    assert again is not None
    assert again[0] != held[0]
    assert again[1] == held[1] + 1


def test_an_overlay_reads_its_base_and_keeps_its_own_progress(lake: Lake, tmp_path: Path) -> None:
    add(lake, 0)
    table_id, version = lake.state(TABLE) or ("", -1)
    lake.set_progress(SILVER, [(TABLE, table_id, version)])
    overlay = Lake(str(tmp_path / "overlay"), lake)
    assert overlay.state(TABLE) == (table_id, version)
    assert overlay.rows(TABLE) == 1
    assert overlay.own(TABLE) is None
    assert overlay.progress(SILVER, TABLE, table_id) is None
    overlay.create(TABLE)
    assert overlay.rows(TABLE) == 0


def test_who_makes_a_table_at_the_same_time_gets_the_one_that_is_there(tmp_path: Path) -> None:
    for number in range(5):
        lake, made = Lake(str(tmp_path / str(number))), list[str]()
        together = threading.Barrier(8)

        def make(lake: Lake = lake, made: list[str] = made, together: threading.Barrier = together) -> None:
            together.wait()
            made.append(str(lake.create(TABLE).metadata().id))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert made == [lake.state(TABLE)[0]] * 8  # type: ignore[index]
