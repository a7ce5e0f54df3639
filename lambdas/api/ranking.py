"""Candidates and their feature rows, by the code that training uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercato.online.reader import Household


@dataclass(frozen=True, slots=True)
class Candidates:
    """Products that may be shown.

    Attributes:
        product_ids: each once.
        rows: candidates x model features.
        sources: position -> names of the generators that found it.
    """

    product_ids: NDArray[np.int64]
    rows: NDArray[np.float32]
    sources: Callable[[int], tuple[str, ...]]


class Ranker(Protocol):
    """Made once per catalogue, asked once per request."""

    def candidates(
        self, household: Household, store_id: int | None, now: datetime, cart: Sequence[int]
    ) -> Candidates:
        """Candidates for a household with a history, in the store, at `now`, with that cart."""
        ...


def ModelRanker(tables):  # replaced when mercato_models.recommend is there
    return None
