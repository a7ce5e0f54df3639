"""Values of a landed file, read as a stream: JSON lines (also gzipped) and CSV."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import IO

import msgspec

from mercato.contracts.events import OPEN_TOPICS, Topic
from mercato.errors import MercatoError

#: A longer line is taken in pieces, each of which its contract refuses; memory stays bounded.
_MAX_LINE = 1_048_576


class UnreadableFileError(MercatoError):
    """A file is not what its name says."""


def topic_of(key: str) -> Topic:
    """The topic that a key `TOPIC/anything` names.

    Raises:
        UnreadableFileError: there is none of that name.
    """
    name = key.partition("/")[0]
    if name not in OPEN_TOPICS:
        raise UnreadableFileError(f"{key} names no topic; put files under one of {', '.join(OPEN_TOPICS)}.")
    return OPEN_TOPICS[name]


def values(key: str, topic: Topic, content: IO[bytes]) -> Iterator[bytes]:
    """One JSON value per event of the file.

    Raises:
        UnreadableFileError: its suffix is not known, or it can't be read to its end.
    """
    reader = next((read for suffix, read in _READERS.items() if key.endswith(suffix)), None)
    if reader is None:
        raise UnreadableFileError(f"{key} ends in none of {', '.join(_READERS)}.")
    try:
        yield from reader(topic, content)
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"{key} can't be read: {error}; send it again whole.") from error


def _json_lines(_topic: Topic, content: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    for line in iter(lambda: content.readline(_MAX_LINE), b""):
        if value := line.strip():
            yield value


def _gzipped(topic: Topic, content: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=content) as opened:
        yield from _json_lines(topic, opened)


def _csv(topic: Topic, content: IO[bytes]) -> Iterator[bytes]:
    for row in csv.DictReader(io.TextIOWrapper(content, "utf-8-sig", newline="")):
        # A key of None holds the cells beyond the header's; an empty cell is no value.
        filled = {name or "beyond the header": cell for name, cell in row.items() if cell}
        try:
            yield topic.encode(msgspec.convert(filled, topic.event, strict=False))
        except msgspec.ValidationError:
            yield msgspec.json.encode(filled)  # refused by the contract, with its reason


_READERS: dict[str, Callable[[Topic, IO[bytes]], Iterator[bytes]]] = {
    ".jsonl": _json_lines,
    ".jsonl.gz": _gzipped,
    ".csv": _csv,
}
