"""Landed files: tables of any length, and objects that are gone."""

from __future__ import annotations

import importlib
import io
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.landing.files import UnreadableFileError, values
from mercato.contracts.events import CLICKSTREAM, PAYMENTS, Payment, Violation
from mercato.settings import Settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = "payments.v1/a.csv"
HEADER = "event_id,event_time,household_id,store_id,basket_id,card_id,terminal_id,amount,entry_mode"
MEGABYTE = 1024 * 1024


def row(number: int, card: str = "card") -> str:
    return f"p{number},2026-01-01T00:00:00Z,1,2,3,{card},till,4.5,chip"


def received(*lines: str, ending: str = "\n") -> list[str]:
    """Ids of a table's events, codes of what is refused in it."""
    content = io.BytesIO("".join(line + ending for line in lines).encode())
    found = [PAYMENTS.receive(value, NOW) for value in values(KEY, PAYMENTS, content)]
    return [each.code if isinstance(each, Violation) else each.event_id for each in found]


class Stream(io.RawIOBase):
    """A file that is never in memory as a whole: pieces, each so many times."""

    def __init__(self, *pieces: tuple[bytes, int]) -> None:
        self._pieces = (piece for piece, times in pieces for _ in range(times))
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._pieces, b"")
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def test_a_line_without_end_is_refused_in_little_memory_and_the_file_goes_on() -> None:
    first, last = f"{HEADER}\n{row(1)}\n".encode(), f"\n{row(2)}\n".encode()
    content = io.BufferedReader(Stream((first, 1), (b"x" * MEGABYTE, 60), (last, 1)))
    tracemalloc.start()
    try:
        found = [PAYMENTS.receive(value, NOW) for value in values(KEY, PAYMENTS, content)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    before, refused, after = found
    assert isinstance(before, Payment)
    assert isinstance(after, Payment)
    assert (before.event_id, after.event_id) == ("p1", "p2")
    assert isinstance(refused, Violation)
    assert refused.code == "oversized"
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("length", [131_050, *range(131_060, 131_084), 131_100, 400_000])
def test_no_length_of_a_line_costs_the_next_one(length: int, ending: str) -> None:
    long = row(1, card="x" * (length - len(row(1, card=""))))
    assert received(HEADER, long, row(2), "", row(3), ending=ending) == ["oversized", "p2", "p3"]


def test_the_end_of_a_long_line_is_no_row() -> None:
    assert received(HEADER, "x" * 131_073 + row(1), row(2)) == ["oversized", "p2"]


def test_a_quoted_cell_may_have_lines() -> None:
    assert received(HEADER, row(1, card='"a\nb"'), row(2)) == ["p1", "p2"]


def test_too_many_and_too_few_cells_are_refused() -> None:
    assert received(HEADER, row(1) + ",more", row(2) + ",", "p3", row(4)) == [
        "unknown_field",
        "unknown_field",
        "missing_field",
        "p4",
    ]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"amount": "-1"}, "out_of_range", "$.amount"),
        ({"amount": "$1.50"}, "wrong_type", "$.amount"),
        ({"store_id": ""}, "missing_field", "$.store_id"),
        ({"card_id": "9" * 300}, "out_of_range", "$.card_id"),
        ({"household_id": "1.5"}, "wrong_type", "$.household_id"),
    ],
)
def test_a_row_is_refused_for_the_cell_that_is_wrong(changed: dict[str, str], code: str, field: str) -> None:
    cells = dict(zip(HEADER.split(","), row(1).split(","), strict=True)) | changed
    content = io.BytesIO(f"{HEADER}\n{','.join(cells.values())}\n".encode())
    (refused,) = (PAYMENTS.receive(value, NOW) for value in values(KEY, PAYMENTS, content))
    assert isinstance(refused, Violation)
    assert (refused.code, refused.field) == (code, field)


def test_an_id_that_may_be_missing_is_a_number_too() -> None:
    header = "event_id,event_time,household_id,session_id,product_id,action"
    content = io.BytesIO(f"{header}\nc1,2026-01-01T00:00:00Z,1,s,12,vieww\n".encode())
    (value,) = values("clickstream.v1/a.csv", CLICKSTREAM, content)
    refused = CLICKSTREAM.receive(value, NOW)
    assert isinstance(refused, Violation)
    assert refused.field == "$.action"


def test_a_byte_order_mark_costs_no_event() -> None:
    lines = b"\xef\xbb\xbf" + b"\n".join([b'{"event_id":"a"}', b'{"event_id":"b"}'])
    assert [*values("payments.v1/a.jsonl", PAYMENTS, io.BytesIO(lines))] == [
        b'{"event_id":"a"}',
        b'{"event_id":"b"}',
    ]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["x" * 200_000, row(1)], "header has more than"),
        (
            [HEADER, row(1), '"open', *map(row, range(2, 5_000))],
            "cannot be read: (a row of several lines|field larger)",
        ),
        ([HEADER, '"a\n",' * 40_000], "a quote may be missing"),
    ],
)
def test_a_table_that_makes_no_rows_is_unreadable(lines: list[str], why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        received(*lines)


def test_a_file_without_a_row_has_no_events() -> None:
    assert received() == received(HEADER) == received("", HEADER, "") == []


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The function's module as Lambda imports it, with no Kafka to send to."""
    monkeypatch.setattr("mercato.settings.get_settings", lambda: Settings(kafka_bootstrap="127.0.0.1:1"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delitem(sys.modules, "lambdas.landing.handler", raising=False)
    module = importlib.import_module("lambdas.landing.handler")
    yield module
    module._log.close()
    sys.modules.pop("lambdas.landing.handler")


def answer(handler: ModuleType, code: str, status: int) -> Any:
    """What the function answers where S3 refuses the object."""
    event = {"detail": {"bucket": {"name": "landing"}, "object": {"key": "payments.v1/a.jsonl"}}}
    with Stubber(handler._s3) as s3:
        s3.add_client_error("get_object", service_error_code=code, http_status_code=status)
        return handler.handler(event, None)


@pytest.mark.parametrize("code", ["NoSuchKey", "404"])
def test_an_object_that_is_gone_is_ignored(handler: ModuleType, code: str) -> None:
    assert answer(handler, code, 404) == {"key": "payments.v1/a.jsonl", "ignored": "it is gone"}


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404), ("SlowDown", 503)]
)
def test_any_other_refusal_is_an_error(handler: ModuleType, code: str, status: int) -> None:
    with pytest.raises(ClientError):
        answer(handler, code, status)
