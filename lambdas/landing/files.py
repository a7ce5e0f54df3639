"""Values of a landed file, read as a stream: JSON lines (also gzipped) and CSV."""

from __future__ import annotations

import codecs
import csv
import functools
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

import msgspec
import msgspec.inspect

from mercato.contracts.events import OPEN_TOPICS, Topic
from mercato.errors import MercatoError

#: A longer line is taken in pieces, each of which its contract refuses; memory stays bounded.
_MAX_LINE = 1_048_576
#: Characters of a row of CSV: as many as csv takes in one cell, and more than an event may have.
_MAX_ROW = csv.field_size_limit()
_NUMERIC = (msgspec.inspect.IntType, msgspec.inspect.FloatType, msgspec.inspect.BoolType)
_BEYOND = "beyond the header"


class UnreadableFileError(MercatoError):
    """A file is not what its name says."""


class _LongLineError(Exception):
    """A line of a table is longer than a row may be; its beginning is the argument."""


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
        UnreadableFileError: its suffix is not known, or it cannot be read to its end.
    """
    reader = next((read for suffix, read in _READERS.items() if key.endswith(suffix)), None)
    if reader is None:
        raise UnreadableFileError(f"{key} ends in none of {', '.join(_READERS)}.")
    try:
        yield from reader(topic, content)
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"{key} cannot be read: {error}; send it again whole.") from error


def _json_lines(_topic: Topic, content: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    for number, line in enumerate(iter(lambda: content.readline(_MAX_LINE), b"")):
        if value := (line.removeprefix(codecs.BOM_UTF8) if number == 0 else line).strip():
            yield value


def _gzipped(topic: Topic, content: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=content) as opened:
        yield from _json_lines(topic, opened)


def _csv(topic: Topic, content: IO[bytes]) -> Iterator[bytes]:
    rows = _rows(content)
    header = next(rows, [])
    if isinstance(header, str):
        raise csv.Error(f"its header has more than {_MAX_ROW} characters")
    for row in rows:
        yield row.encode() if isinstance(row, str) else _value(topic, header, row)


def _value(topic: Topic, header: list[str], row: list[str]) -> bytes:
    # An empty cell is no value.
    filled: dict[str, Any] = {name or _BEYOND: cell for name, cell in zip(header, row, strict=False) if cell}
    if beyond := row[len(header) :]:
        filled[_BEYOND] = beyond
    try:
        return topic.encode(msgspec.convert(filled, topic.event, strict=False))
    except msgspec.ValidationError:
        # Refused by the contract. That every cell is text shall not be the reason.
        numbers = _numbers(topic.event)
        return msgspec.json.encode(
            {name: _number(cell) if name in numbers else cell for name, cell in filled.items()}
        )


@functools.cache
def _numbers(event: type[msgspec.Struct]) -> frozenset[str]:
    """Fields that hold numbers, or whether something is so."""
    found = set()
    for field in msgspec.inspect.type_info(event).fields:  # type: ignore[attr-defined]
        inner = _bare(field.type)
        kinds = inner.types if isinstance(inner, msgspec.inspect.UnionType) else (inner,)
        if any(isinstance(_bare(kind), _NUMERIC) for kind in kinds):
            found.add(field.encode_name)
    return frozenset(found)


def _bare(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _number(cell: Any) -> Any:
    try:
        return msgspec.convert(cell, float | int | bool, strict=False)
    except msgspec.ValidationError:
        return cell


def _rows(content: IO[bytes]) -> Iterator[list[str] | str]:
    """The cells of every row; of a line that is too long, its beginning, which no contract takes."""
    lines = _Lines(content)
    reader = csv.reader(lines)
    while True:
        lines.row = 0
        try:
            row: list[str] | str = next(reader)
        except StopIteration:
            return
        except _LongLineError as error:
            row = str(error)
        if row:
            yield row


class _Lines:
    """Lines of a table for a reader that takes as many as a row has.

    Attributes:
        row: characters that the row at hand has so far.
    """

    def __init__(self, content: IO[bytes]) -> None:
        self.row = 0
        self._text = io.TextIOWrapper(content, "utf-8-sig", newline="")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.row += len(line)
        if self.row <= _MAX_ROW:
            return line
        if self.row > len(line):
            raise csv.Error(
                f"a row of several lines has more than {_MAX_ROW} characters: a quote may be missing"
            )
        rest = line
        while rest and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(_MAX_ROW)
        raise _LongLineError(line)


_READERS: dict[str, Callable[[Topic, IO[bytes]], Iterator[bytes]]] = {
    ".jsonl": _json_lines,
    ".jsonl.gz": _gzipped,
    ".csv": _csv,
}
