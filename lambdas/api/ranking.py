"""Candidates and their feature rows, by the code that training uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercato.online.reader import Household
from mercato_models.recommend.candidates import candidates
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.features import build
from mercato_models.recommend.history import History


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


class ModelRanker:
    """The recommendation model's candidates and features over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def candidates(
        self, household: Household, store_id: int | None, now: datetime, cart: Sequence[int]
    ) -> Candidates:
        """See `Ranker`."""
        baskets = household.history
        assert baskets is not None
        history = History.of(
            baskets.basket_times,
            baskets.basket_stores,
            baskets.basket_sizes,
            baskets.products,
            baskets.quantities,
            baskets.values,
        )
        viewed = household.session.viewed
        context = Context(history, household.profile, store_id, now.timestamp(), tuple(cart), viewed)
        chosen = candidates(context, self._catalogue)
        return Candidates(
            self._catalogue.product_ids[chosen.rows], build(context, self._catalogue, chosen), chosen.names
        )
