"""By which files two versions of a Delta table differ, from its log."""

from __future__ import annotations

import json
from dataclasses import dataclass

from deltalake import DeltaTable

from mercato.lake.storage import filesystem


class LogCleanedError(LookupError):
    """What a version changed can no longer be told: go through the whole table."""


@dataclass(frozen=True)
class Changes:
    """Files by which two versions of a table differ in their rows.

    Attributes:
        added: address of each file that only the newer version has, with its rows.
        removed: addresses of the files that only the older version has.
    """

    added: dict[str, int]
    removed: list[str]


def between(delta: DeltaTable, after: int | None, upto: int) -> Changes:
    """How version `upto` differs from version `after` (`None`: from nothing).

    Raises:
        LogCleanedError: the log of one of these versions is gone.
    """
    # Compaction marks what it writes and removes as no change of data.
    uri = delta.table_uri.rstrip("/")
    storage, root = filesystem(uri)
    added: dict[str, int] = {}
    removed: list[str] = []
    for version in range(0 if after is None else after + 1, upto + 1):
        try:
            with storage.open_input_stream(f"{root}/_delta_log/{version:020}.json") as log:
                actions = [json.loads(line) for line in log.read().splitlines()]
        except FileNotFoundError as error:
            raise LogCleanedError(f"The log of version {version} of {uri} is gone.") from error
        for add in (action["add"] for action in actions if action.get("add", {}).get("dataChange")):
            added[f"{uri}/{add['path']}"] = json.loads(add["stats"])["numRecords"]
        for remove in (a["remove"] for a in actions if a.get("remove", {}).get("dataChange")):
            file = f"{uri}/{remove['path']}"
            if added.pop(file, None) is None:
                removed.append(file)
    return Changes(added, removed)
