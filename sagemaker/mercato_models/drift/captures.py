"""Requests that were kept, as SageMaker's data capture keeps them: JSON Lines by the hour.

    FOLDER/ENDPOINT/VARIANT/yyyy/mm/dd/hh/FILE.jsonl

A model's process on one machine keeps its own the same way, so that the same code reads both.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyarrow.fs import FileSelector, FileSystem, FileType

log = logging.getLogger(__name__)

_VARIANT = Path("here", "AllTraffic")
#: Days and bytes for which requests are kept on one machine; the oldest go first.
_KEPT, _MOST_BYTES = timedelta(days=30), 1 << 30
_BASE64 = "BASE64"


@dataclass(frozen=True, slots=True)
class Captured:
    """One request.

    Attributes:
        body: as it was sent.
        kind: its content type.
        at: when it was answered.
    """

    body: bytes
    kind: str
    at: datetime


class Recorder:
    """Keeps a share of the requests that a process answers."""

    def __init__(self, folder: Path, percent: int) -> None:
        """Keep `percent` of them in a folder."""
        self._folder, self._percent = folder / _VARIANT, percent
        self._hour = ""

    def offer(self, body: bytes, kind: str) -> None:
        """Keep a request, or not; one that can't be written is none the less answered."""
        if random.random() * 100 >= self._percent:
            return
        try:
            self._write(_line(Captured(body, kind, datetime.now(UTC))))
        except OSError as error:
            log.warning("a request could not be kept: %s", error)

    def _write(self, line: str) -> None:
        hour = f"{datetime.now(UTC):%Y/%m/%d/%H}"
        folder = self._folder / hour
        if hour != self._hour:
            folder.mkdir(parents=True, exist_ok=True)
            self._forget()
            self._hour = hour
        with (folder / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(line)

    def _forget(self) -> None:
        """Delete what is too old or too much."""
        files = sorted(self._folder.rglob("*.jsonl"), reverse=True)
        oldest, size = f"{datetime.now(UTC) - _KEPT:%Y/%m/%d/%H}", 0
        for file in files:
            size += file.stat().st_size
            if size > _MOST_BYTES or str(file.parent.relative_to(self._folder)) < oldest:
                file.unlink(missing_ok=True)


def lines(storage: FileSystem, root: str, since: datetime, now: datetime) -> Iterator[bytes]:
    """Lines of the days between two moments; those of one file after another, chosen by chance.

    Args:
        root: folder of a model's endpoints.
    """
    files = [*_files(storage, root, since, now)]
    random.Random(0).shuffle(files)
    for path in files:
        with storage.open_input_stream(path) as file:
            yield from file.read().splitlines()


def parse(line: bytes) -> Captured:
    """The request of a line.

    Raises:
        ValueError: it is none.
    """
    try:
        whole = json.loads(line)
        given, at = whole["captureData"]["endpointInput"], whole["eventMetadata"]["inferenceTime"]
        data: str = given["data"]
        # Text is kept as it is where an endpoint is told which kinds are.
        body = base64.b64decode(data) if given["encoding"] == _BASE64 else data.encode()
        kind: str = given["observedContentType"].split(";")[0].strip().lower()
        return Captured(body, kind, datetime.fromisoformat(at))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a request: {error!r}") from error


def _files(storage: FileSystem, root: str, since: datetime, now: datetime) -> Iterator[str]:
    days = [now.date() - timedelta(days=back) for back in range((now.date() - since.date()).days + 1)]
    for endpoint in _folders(storage, root):
        for variant in _folders(storage, endpoint):
            for day in days:
                inside = FileSelector(f"{variant}/{day:%Y/%m/%d}", allow_not_found=True, recursive=True)
                for each in storage.get_file_info(inside):
                    if each.type is FileType.File:
                        yield each.path


def _folders(storage: FileSystem, parent: str) -> list[str]:
    inside = storage.get_file_info(FileSelector(parent, allow_not_found=True))
    return sorted(each.path for each in inside if each.type is FileType.Directory)


def _line(request: Captured) -> str:
    given = {
        "observedContentType": request.kind,
        "mode": "INPUT",
        "data": base64.b64encode(request.body).decode(),
        "encoding": _BASE64,
    }
    told = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{request.at:%Y-%m-%dT%H:%M:%SZ}"}
    whole = {"captureData": {"endpointInput": given}, "eventMetadata": told, "eventVersion": "0"}
    return json.dumps(whole) + "\n"
