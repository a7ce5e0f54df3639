"""Requests that were kept, as SageMaker's data capture keeps them: JSON Lines by the hour.

    FOLDER/ENDPOINT/VARIANT/yyyy/mm/dd/hh/FILE.jsonl

A model's process on one machine keeps its own the same way, so that the same code reads both.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import logging
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyarrow.fs import FileSelector, FileSystem, FileType

log = logging.getLogger(__name__)

_VARIANT = Path("here", "AllTraffic")
#: Days and bytes for which a model's requests are kept on one machine; the oldest go first.
_KEPT, _MAX_BYTES = timedelta(days=30), 512 << 20
#: Bytes after which a file is followed by another.
_FILE_BYTES = 32 << 20
#: Files that are read at most: each is of another minute on SageMaker.
_MAX_FILES = 500
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
        self._file: Path | None = None

    def offer(self, body: bytes, kind: str) -> None:
        """Keep a request, or not; one that cannot be written is none the less answered."""
        if random.random() * 100 >= self._percent:
            return
        try:
            self._write(_line(Captured(body, kind, datetime.now(UTC))))
        except OSError as error:
            self._file = None
            log.warning("a request could not be kept: %s", error)

    def _write(self, line: str) -> None:
        folder = self._folder / f"{datetime.now(UTC):%Y/%m/%d/%H}"
        if self._file is None or self._file.parent != folder or self._file.stat().st_size > _FILE_BYTES:
            self._forget()
            folder.mkdir(parents=True, exist_ok=True)
            self._file = folder / f"{uuid.uuid4()}.jsonl"
        with self._file.open("a") as file:
            file.write(line)

    def _forget(self) -> None:
        """Delete what is too old or too much, to make room for another file."""
        size, oldest = _FILE_BYTES, datetime.now(UTC) - _KEPT
        files = {path: path.stat() for path in self._folder.rglob("*.jsonl")}
        for path, stat in sorted(files.items(), key=lambda each: each[1].st_mtime, reverse=True):
            size += stat.st_size
            if size > _MAX_BYTES or stat.st_mtime < oldest.timestamp():
                path.unlink(missing_ok=True)
        for folder in sorted(self._folder.glob("*/*/*/*"), reverse=True):
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


def lines(storage: FileSystem, root: str, since: datetime, now: datetime, most: int) -> list[bytes]:
    """Lines of the days between two moments; of many those that chance chooses, the same ones every time.

    Args:
        root: folder of a model's endpoints.
        most: lines in all.
    """
    chance = random.Random(0)
    files = sorted(_files(storage, root, since, now))
    chosen = chance.sample(files, min(len(files), _MAX_FILES))
    return _sample(itertools.chain.from_iterable(_read(storage, path) for path in chosen), most, chance)


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
        return Captured(body, kind, datetime.fromisoformat(at).astimezone(UTC))
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a request: {error!r}") from error


def _read(storage: FileSystem, path: str) -> Iterator[bytes]:
    with storage.open_input_stream(path) as file:
        yield from io.BufferedReader(file)


def _sample(every: Iterator[bytes], most: int, chance: random.Random) -> list[bytes]:
    """So many of all, each as likely as any other; no more are held at once (Vitter's algorithm R)."""
    kept = [*itertools.islice(every, most)]
    for seen, line in enumerate(every, start=most + 1):
        if (place := chance.randrange(seen)) < most:
            kept[place] = line
    return kept


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
