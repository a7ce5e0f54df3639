"""JSON files that several `mercato` processes of one home change."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mercato.errors import MercatoError


def read(path: Path) -> dict[str, Any]:
    """What the file holds, nothing if it is not there.

    Raises:
        MercatoError: it is no JSON object.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) if path.exists() else {}
    except msgspec.DecodeError as error:
        raise MercatoError(f"{path} is broken ({error}): delete it; `mercato up` writes it anew.") from error


def update(path: Path, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Let `change` change what the file holds; others wait, and readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = read(path)
        change(content)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=2))
        temporary.replace(path)
    return content
