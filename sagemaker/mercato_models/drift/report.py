"""How far one model has drifted, from what it was asked lately or would be asked now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mercato.errors import MercatoError
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.drift import captures
from mercato_models.drift.asked import OF_LAKE
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.captures import Captured
from mercato_models.drift.comparison import MIN_REQUESTS, Drift, Tally
from mercato_models.rows import RowsError, decode
from mercato_models.servable import Servable, preparation

#: Models that answer requests, and how many of these are enough to tell: the ranker's hold hundreds of rows,
#: and few payments know what matters most. Those of OF_LAKE score everybody.
CAPTURED: Mapping[str, int] = {"recommend": 1_000, "fraud": 20_000}
MODELS = (*CAPTURED, *OF_LAKE)
#: Rows that are scored and counted at once.
_TOGETHER = 4_096


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to find what models are asked.

    Attributes:
        lake: from which those that score everybody take their rows.
        captures: folder with a folder of kept requests for each model that answers them, on S3 or here.
        days: that requests may be old.
        now: until when they were made.
    """

    lake: Lake
    captures: str
    days: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of one model.

    Attributes:
        model: its name.
        version: of it.
        refused: kept requests that it would not take, such as those made for another version.
        drift: of the others.
    """

    model: str
    version: str
    refused: int
    drift: Drift

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        names = ("model", "version", "refused")
        return {name: getattr(self, name) for name in names} | self.drift.as_dict()

    def line(self) -> str:
        """In words."""
        drift = self.drift
        asked = f"{self.model} {self.version}: {drift.requests:,} requests, {drift.rows:,} rows"
        asked += f", {self.refused:,} refused" if self.refused else ""
        if not drift.judged:
            return f"{asked}; too few to tell, it takes {MIN_REQUESTS}"
        verdict = "has drifted" if drift.drifted else "is asked what it learned from"
        said = f"{asked}; scores {drift.score:.3f}, inputs {drift.inputs:.3f}"
        for what, names in (("never known", drift.lost), ("broken", drift.broken)):
            said += f", {what}: {', '.join(names)}" if names else ""
        return f"{said}: {verdict}"


def report(name: str, model: Model, folder: Path, asked: Asked) -> Report:
    """Compare what a model is asked with what it learned from.

    Args:
        name: one of MODELS.
        folder: of the model.

    Raises:
        NoBaselineError: the model does not say what it learned from.
        MercatoError: the lake has nothing to score.
    """
    tally = Tally(Baseline.load(folder, model.features))
    if name in OF_LAKE:
        rows = OF_LAKE[name](asked.lake, model, asked.now)
        # Each row is of another household, or of another product and store.
        tally.add(rows, model.score(rows), requests=len(rows))
        return Report(name, model.version, 0, tally.drift())
    served = Servable(model, preparation(folder))
    return Report(name, model.version, _count(served, tally, name, asked), tally.drift())


def _count(served: Servable, tally: Tally, name: str, asked: Asked) -> int:
    """Count kept requests; how many were refused."""
    storage, root = filesystem(f"{asked.captures}/{name}")
    since, refused = asked.now - timedelta(days=asked.days), 0
    waiting: list[Floats32] = []
    for line in captures.lines(storage, root, since, asked.now, CAPTURED[name]):
        try:
            request = captures.parse(line)
            if since <= request.at <= asked.now and len(rows := _rows(served, request)):
                waiting.append(rows)
        except (RowsError, ValueError):
            refused += 1
        if sum(map(len, waiting)) >= _TOGETHER:
            _tally(served, tally, waiting)
    _tally(served, tally, waiting)
    return refused


def _rows(served: Servable, request: Captured) -> Floats32:
    return served.rows(decode(request.body, request.kind))


def _tally(served: Servable, tally: Tally, waiting: list[Floats32]) -> None:
    """Count the rows of waiting requests, of which none is left."""
    if waiting:
        rows = np.concatenate(waiting)
        tally.add(rows, served.model.score(rows), requests=len(waiting))
    waiting.clear()


def check(names: Sequence[str]) -> list[str]:
    """The names, if there are such models.

    Raises:
        MercatoError: there is none of a name.
    """
    if unknown := [name for name in names if name not in MODELS]:
        raise MercatoError(f"There is no model {', '.join(unknown)}; there are {', '.join(MODELS)}.")
    return [*names]
