"""A model as a server holds it: rows that callers give go in, what they accept comes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Protocol

import numpy as np

from mercato_models import artifact
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.fraud import amount_likelihood
from mercato_models.fraud.preparation import Preparation as FraudPreparation
from mercato_models.reasons import reasons
from mercato_models.rows import EXPLAINED, encode, fitting


class Preparation(Protocol):
    """Makes a model's rows from what callers know."""

    @property
    def columns(self) -> Sequence[str]:
        """Of the rows that it takes."""
        ...

    def __call__(self, rows: Floats32) -> Floats32:
        """The model's rows, one for each."""
        ...


@dataclass(frozen=True, slots=True)
class Servable:
    """A model, and what it learned of preparing rows if it did."""

    model: Model
    preparation: Preparation | None = None

    def rows(self, given: Floats32) -> Floats32:
        """The model's rows, from such rows or from those that its preparation takes.

        Raises:
            RowsError: they are neither, or a number is infinite.
        """
        if self.preparation and given.ndim == 2 and given.shape[1] == len(self.preparation.columns):
            given = self.preparation(fitting(given, len(self.preparation.columns)))
        return fitting(given, len(self.model.features))

    def answer(self, rows: Floats32, kind: str) -> bytes:
        """Scores of the model's rows as a body; of kind EXPLAINED with what raised each, strongest first."""
        scores = self.model.score(rows) if len(rows) else np.empty(0, np.float32)
        return _explained(self.model, rows, scores) if kind == EXPLAINED else encode(scores, kind)


def load(folder: Path) -> Servable:
    """Read a model folder.

    Raises:
        ModelError: a file is missing or broken.
    """
    return Servable(artifact.load(folder), preparation(folder))


def preparation(folder: Path) -> Preparation | None:
    """What the model of a folder learned of preparing rows; `None` if it did not.

    Raises:
        ModelError: the file is broken.
    """
    return FraudPreparation(folder) if amount_likelihood.path(folder).exists() else None


def _explained(model: Model, rows: Floats32, scores: Floats32) -> bytes:
    """JSON; an unknown value is null."""
    why = reasons(model, rows, len(model.features)) if len(rows) else []
    predictions = [
        {
            "score": score,
            "reasons": [
                asdict(reason) | ({"value": None} if isnan(reason.value) else {}) for reason in of_row
            ],
        }
        for score, of_row in zip(scores.tolist(), why, strict=True)
    ]
    return json.dumps({"predictions": predictions}).encode()
