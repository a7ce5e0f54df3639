"""The last good popular-in-store lists: in memory, and on disk for the next start."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec

from mercato.decisions.fallback import Popular

#: Products kept per store; an answer holds at most 100 and may hide some.
KEEP = 150


class Described(msgspec.Struct, frozen=True):
    """What a card needs of a product."""

    product_id: int
    product_type: str | None = None
    category: str | None = None
    department: str | None = None
    brand: str | None = None
    size: str | None = None
    price: float | None = None


class LastGood(msgspec.Struct, frozen=True):
    """Popular products per store as they were when the catalogue last loaded."""

    as_of: datetime
    popular: dict[int, Popular]
    products: dict[int, Described]


_DECODER = msgspec.json.Decoder(LastGood)


def save(path: Path, last_good: LastGood) -> None:
    """Replace the file at once, so that a crash leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(last_good))
    Path(name).replace(path)


def load(path: Path) -> LastGood | None:
    """The saved lists, `None` if there are none that can be read."""
    try:
        return _DECODER.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
