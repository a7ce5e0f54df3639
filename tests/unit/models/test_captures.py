"""Requests that were kept, here and by SageMaker."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyarrow.fs import LocalFileSystem

from mercato_models.drift import captures
from mercato_models.drift.captures import Captured, Recorder, _line, parse
from mercato_models.rows import CSV, NPY

NOW = datetime.now(UTC)


def kept(root: Path, days: int = 1, most: int = 10_000) -> list[Captured]:
    since, until = NOW - timedelta(days=days), NOW + timedelta(days=1)
    return [parse(line) for line in captures.lines(LocalFileSystem(), str(root), since, until, most)]


def test_what_is_kept_is_read_as_it_was_sent(tmp_path: Path) -> None:
    bodies = [os.urandom(100) for _ in range(20)]
    recorder = Recorder(tmp_path, 100)
    for body in bodies:
        recorder.offer(body, NPY)
    found = kept(tmp_path)
    assert [each.body for each in found] == bodies
    assert {each.kind for each in found} == {NPY}
    assert all(abs(each.at - datetime.now(UTC)) < timedelta(minutes=1) for each in found)


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (30, 200, 400), (100, 1000, 1000)])
def test_a_share_is_kept(percent: int, least: int, most: int, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, percent)
    for _ in range(1000):
        recorder.offer(b"1", CSV)
    assert least <= len(kept(tmp_path)) <= most


def test_what_sagemaker_keeps_is_read(tmp_path: Path) -> None:
    """As its documentation shows it: text as it is, what was answered beside it, a file for each minute."""
    line = {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "INPUT",
                "data": "1,2\n",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv",
                "mode": "OUTPUT",
                "data": "0.5",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"eventId": "a", "inferenceTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"},
        "eventVersion": "0",
    }
    hour = tmp_path / "mercato-dev-fraud" / "AllTraffic" / f"{NOW:%Y/%m/%d/%H}"
    hour.mkdir(parents=True)
    (hour / "12-00-000-abc.jsonl").write_text(json.dumps(line) + "\n")
    assert kept(tmp_path) == [Captured(b"1,2\n", CSV, NOW.replace(microsecond=0))]


def test_only_the_days_asked_for_are_opened(tmp_path: Path) -> None:
    Recorder(tmp_path, 100).offer(b"1", CSV)
    (today,) = (path.parent.parent for path in tmp_path.rglob("*.jsonl"))
    before = NOW - timedelta(days=5)
    today.rename(tmp_path / "day")
    long_ago = tmp_path / "here" / "AllTraffic" / f"{before:%Y/%m/%d}"
    long_ago.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "day").rename(long_ago)
    assert len(kept(tmp_path, days=3)) == 0
    assert len(kept(tmp_path, days=5)) == 1


def fill(root: Path, *hours: int) -> None:
    """Files of so many requests, each of which says which file it is in and where."""
    for number, requests in enumerate(hours):
        day = NOW - timedelta(days=number // 24)
        folder = root / "here" / "AllTraffic" / f"{day:%Y/%m/%d}" / f"{number % 24:02}"
        folder.mkdir(parents=True)
        made = (_line(Captured(b"%d,%d" % (number, place), CSV, NOW)) for place in range(requests))
        (folder / "1.jsonl").write_text("".join(made))


def test_as_many_are_read_as_asked_for_wherever_they_are(tmp_path: Path) -> None:
    fill(tmp_path, *[1] * 49, 5_000)
    found = kept(tmp_path, days=3, most=1_000)
    assert len({each.body for each in found}) == len(found) == 1_000
    assert kept(tmp_path, days=3, most=1_000) == found


def test_each_request_is_as_likely_to_be_read_as_any_other(tmp_path: Path) -> None:
    fill(tmp_path, 3_000, 1_000, 0, 2_000)
    read = [[int(part) for part in each.body.split(b",")] for each in kept(tmp_path, most=600)]
    share = [sum(number == hour for number, _ in read) for hour in range(4)]
    assert share == pytest.approx([300, 100, 0, 200], abs=40)
    late = sum(place >= 1_500 for number, place in read if number == 0)
    assert late == pytest.approx(150, abs=40)


_NO_TIME = (
    b'{"captureData": {"endpointInput": {"data": "", "encoding": "CSV", "observedContentType": "text/csv"}},'
    b' "eventMetadata": {"inferenceTime": "0001-01-01T00:00:00+01:00"}}'
)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"{}", b"1", b'{"captureData": {"endpointInput": 1}}', b"[" * 100_000, _NO_TIME],
    ids=range(8),
)
def test_what_is_no_request_is_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(line)


def test_a_full_disk_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    Recorder(tmp_path / "file" / "below", 100).offer(b"1", CSV)
    assert "a request could not be kept" in caplog.text


def test_the_oldest_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = tmp_path / "here" / "AllTraffic"
    for days, size in ((40, 10), (2, 600), (1, 600)):
        folder = hours / f"{NOW - timedelta(days=days):%Y/%m/%d/%H}"
        folder.mkdir(parents=True)
        (folder / "1.jsonl").write_bytes(b" " * size)
        made = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / "1.jsonl", (made, made))
    monkeypatch.setattr(captures, "_FILE_BYTES", 100)
    monkeypatch.setattr(captures, "_MAX_BYTES", 1000)
    Recorder(tmp_path, 100).offer(b"1", CSV)
    left = sorted(path.stat().st_size for path in tmp_path.rglob("1.jsonl"))
    assert left == [600]


def test_no_hour_takes_more_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "_FILE_BYTES", 1_000)
    monkeypatch.setattr(captures, "_MAX_BYTES", 5_000)
    recorder = Recorder(tmp_path, 100)
    for number in range(100):
        recorder.offer(b"%d" % number, CSV)
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.jsonl")) < 5_500
    assert b"99" in [each.body for each in kept(tmp_path)]
    assert len(kept(tmp_path)) > 10
