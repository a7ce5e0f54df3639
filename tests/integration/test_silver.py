"""Bronze -> silver: what keeps its contract once, everything else in the quarantine with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from glue_jobs.catalog import select
from glue_jobs.main import run_jobs
from glue_jobs.runner import Run
from mercato.cli.main import app
from mercato.contracts.events import PAYMENTS
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.silver import PAYMENTS as SILVER_PAYMENTS
from mercato.contracts.tables.silver import QUARANTINE
from mercato.lake.maintenance import maintain
from mercato.lake.quarantine import listing, publish, replay
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings, get_settings
from mercato.stream.topics import ensure_topics
from tests.integration.records import consume, ingest, payment, produce, write_bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration
C, Q = SILVER_PAYMENTS.c, QUARANTINE.c

VALID = payment(1)


def broken(**changed: Any) -> bytes:
    """The valid payment with fields replaced; `...` removes one."""
    fields = {**json.loads(VALID), **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


#: Every way to break a contract, by the code and the field it must be refused with.
VIOLATIONS: list[tuple[bytes | None, str, str]] = [
    (VALID[:-1], "malformed_json", "$"),
    (b"", "malformed_json", "$"),
    (None, "malformed_json", "$"),
    (VALID.replace(b'"card"', b'"\xff\xfe"'), "not_utf8", "$"),
    (b"[1, 2]", "wrong_type", "$"),
    (broken(amount="12"), "wrong_type", "$.amount"),
    (broken(basket_id=1.5), "wrong_type", "$.basket_id"),
    (broken(store_id=...), "missing_field", "$.store_id"),
    (broken(colour="red"), "unknown_field", "$.colour"),
    (broken(amount=-1), "out_of_range", "$.amount"),
    (broken(entry_mode="fax"), "out_of_range", "$.entry_mode"),
    (broken(household_id=0), "out_of_range", "$.household_id"),
    (broken(event_time=(datetime.now(UTC) + timedelta(days=1)).isoformat()), "future_time", "$.event_time"),
    (broken(event_time="1999-01-01T00:00:00Z"), "ancient_time", "$.event_time"),
    (broken(card_id="x" * 70_000), "oversized", "$"),
]


@pytest.fixture(scope="module")
def sail(stack_settings: Settings) -> Iterator[SparkSession]:
    with connect(stack_settings, "sail") as spark:
        yield spark


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def no_kafka(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def run_silver(spark: SparkSession, settings: Settings, lake: Lake, full: bool = False) -> Run:
    (run,) = run_jobs(spark, settings, lake, select([SILVER_PAYMENTS.name]), full=full)
    return run


def ids(lake: Lake) -> list[str]:
    return sorted(lake.read_arrow(SILVER_PAYMENTS)[C.event_id].to_pylist())


def test_every_kind_of_violation_is_refused_told_and_replayed(
    settings: Settings, sail: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_topics(settings)
    lake = Lake(settings.lake_uri)
    values = [VALID, *(value for value, _, _ in VIOLATIONS), VALID, payment(2)]
    produce(settings, PAYMENTS, values, partitions=1)
    ingest(settings, lake, [PAYMENTS])
    run = run_silver(sail, settings, lake)
    assert (run.rows_in, run.rows, run.refused) == (len(values), 2, len(VIOLATIONS) + 1)

    rows = listing(lake).to_pylist()
    wanted = [*VIOLATIONS, (VALID, "duplicate", "$.event_id")]
    assert [(row[Q.value], row[Q.code], row[Q.field]) for row in rows] == wanted
    assert all(row[Q.reason] and row[Q.key] and row[Q.replayed_at] is None for row in rows)
    told = consume(settings, PAYMENTS.quarantine)
    assert [message.value() for message in told] == [value for value, _, _ in wanted]
    headers = [dict(message.headers()) for message in told]
    assert [h[Q.code].decode() for h in headers] == [code for _, code, _ in wanted]
    assert [int(h[Q.offset]) for h in headers] == list(range(1, len(wanted) + 1))
    assert headers[0][Q.topic].decode() == PAYMENTS.name

    # Nothing new: neither rows nor messages.
    assert run_silver(sail, settings, lake).mode == "skipped"
    assert publish(settings, lake) == 0
    # KilledError after Kafka had them, before the mark: looked up, not told twice.
    lake.set_marks(QUARANTINE, {"quarantine->kafka": 0})
    assert publish(settings, lake) == 0
    assert len(consume(settings, PAYMENTS.quarantine)) == len(wanted)

    for name, value in {
        "MERCATO_HOME": str(settings.home),
        "MERCATO_KAFKA_BOOTSTRAP": settings.require("kafka_bootstrap"),
        "MERCATO_TOPIC_PREFIX": settings.topic_prefix,
    }.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    cli = CliRunner()
    shown = cli.invoke(app, ["quarantine", "show", PAYMENTS.name, "0:4"]).stdout
    assert json.loads(shown)["value"].count("\\xff\\xfe") == 1
    listed = cli.invoke(app, ["quarantine", "list", "--code", "not_utf8", "--json"]).stdout
    assert json.loads(listed)["field"] == "$"
    fixed = settings.home / "fixed.jsonl"
    fixed.write_bytes(b"\n".join([payment(10), payment(11)]))
    replaying = ["quarantine", "replay", "--code", "ancient_time"]
    assert cli.invoke(app, [*replaying, "--with", str(fixed)]).exit_code == 2
    fixed.write_bytes(payment(10))
    assert cli.invoke(app, [*replaying, "--with", str(fixed), "--dry-run"]).exit_code == 0
    assert (
        cli.invoke(app, [*replaying, "--with", str(fixed), "--json"]).stdout == '{"records": 1, "sent": 1}\n'
    )
    get_settings.cache_clear()
    # As it came, a record is refused again, under its new place.
    assert replay(settings, lake, listing(lake, code="oversized")) == 1
    ingest(settings, lake, [PAYMENTS])
    run = run_silver(sail, settings, lake)
    assert (run.rows, run.refused) == (3, 1)
    assert ids(lake) == ["p1", "p10", "p2"]
    open_codes = Counter(listing(lake)[Q.code].to_pylist())
    assert open_codes["ancient_time"] == 0
    assert open_codes["oversized"] == 1
    assert listing(lake, replayed=True).num_rows == 2
    assert len(consume(settings, PAYMENTS.quarantine)) == len(wanted) + 1


class KilledError(Exception):
    """Stands for the end of the process."""


class DyingLake(Lake):
    """A lake whose process ends right before one of its commits."""

    before: str = ""

    def append(self, frame: DataFrame, table: Table) -> None:
        if table.name == self.before:
            raise KilledError
        super().append(frame, table)

    def set_progress(self, target: Table, versions: Any) -> None:
        if self.before == "progress":
            raise KilledError
        super().set_progress(target, versions)


@pytest.mark.parametrize("before", [SILVER_PAYMENTS.name, QUARANTINE.name, "progress"])
def test_a_crash_before_any_commit_is_made_good(
    before: str, lake: Lake, no_kafka: Settings, sail: SparkSession
) -> None:
    write_bronze(lake, PAYMENTS, [payment(0)])
    run_silver(sail, no_kafka, lake)
    write_bronze(lake, PAYMENTS, [payment(1), b"broken", payment(1), payment(0)])
    write_bronze(lake, PAYMENTS, [payment(2)], partition=1)
    dying = DyingLake(lake.uri)
    object.__setattr__(dying, "before", before)
    with pytest.raises(KilledError):
        run_silver(sail, no_kafka, dying)
    run = run_silver(sail, no_kafka, lake)
    assert run.rows == 3
    assert ids(lake) == ["p0", "p1", "p2"]
    assert Counter(listing(lake)[Q.code].to_pylist()) == {"malformed_json": 1, "duplicate": 2}
    again = run_silver(sail, no_kafka, lake, full=True)
    assert (again.rows, again.refused) == (3, 0)


def test_the_first_by_partition_and_offset_keeps_the_id(
    lake: Lake, no_kafka: Settings, sail: SparkSession
) -> None:
    write_bronze(lake, PAYMENTS, [payment(1, amount=3)], partition=2)
    write_bronze(lake, PAYMENTS, [payment(0), payment(1, amount=1), payment(1, amount=2)], partition=1)
    run_silver(sail, no_kafka, lake)
    rows = lake.read(sail, SILVER_PAYMENTS).orderBy(C.event_id).collect()
    assert [(row[C.event_id], row[C.amount]) for row in rows] == [("p0", 0.0), ("p1", 1.0)]
    write_bronze(lake, PAYMENTS, [payment(0, amount=9)], partition=0)
    assert run_silver(sail, no_kafka, lake).refused == 1
    assert ids(lake) == ["p0", "p1"]


def test_goes_on_after_compaction_and_vacuum(lake: Lake, no_kafka: Settings, sail: SparkSession) -> None:
    for number in range(4):
        write_bronze(lake, PAYMENTS, [payment(number)])
    run_silver(sail, no_kafka, lake)
    list(maintain(lake, retain_hours=0))
    assert run_silver(sail, no_kafka, lake).rows_in == 0
    write_bronze(lake, PAYMENTS, [payment(4)])
    write_bronze(lake, PAYMENTS, [payment(5)])
    # The files of both records are merged and removed before silver has read them.
    list(maintain(lake, retain_hours=0))
    run = run_silver(sail, no_kafka, lake)
    assert (run.mode, run.rows, run.refused) == ("full", 6, 0)
