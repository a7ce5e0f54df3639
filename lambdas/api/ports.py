"""What the API needs of the online features and of the model, as small interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lambdas.api.popular import Described
from mercato.decisions.evidence import Purchases, Store
from mercato.decisions.fallback import Popular


class OnlineUnavailableError(Exception):
    """The online features can't be read."""


@dataclass(frozen=True, slots=True)
class Session:
    """A household's open shopping session, products in the order they were touched.

    `updated_at` is when the stream updater wrote the last event.
    """

    cart: tuple[int, ...] = ()
    viewed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    store_id: int | None = None
    last_event_id: str | None = None
    last_event_time: datetime | None = None
    last_action: str | None = None
    last_product_id: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """A household's online features at one moment.

    Attributes:
        purchases: recent baskets; `stores`, `quantities` and `values` (US dollars) go with them.
        profile: running figures by the column names of gold.household_profile.
        updated_at: when the newest of these values was written.
        features: the object the ranker takes.
    """

    household_id: int
    purchases: Purchases
    stores: Sequence[int]
    quantities: Sequence[int]
    values: Sequence[float]
    profile: Mapping[str, Any]
    session: Session
    updated_at: datetime | None
    features: Any


class Catalogue(Protocol):
    """Products, neighbours, popularity and promotions as of one materialisation."""

    as_of: datetime

    def describe(self, product_id: int) -> Described | None:
        """What the catalogue says of a product, `None` if it has no such."""

    def neighbours(self, product_id: int) -> tuple[Sequence[int], Sequence[float]]:
        """Products bought together with it and how strongly, strongest first."""

    def store(self, store_id: int | None) -> Store:
        """What the store promotes and sells most; all stores for `None` or an unknown one."""

    def popular(self) -> Mapping[int, Popular]:
        """Most bought products by store."""


class Online(Protocol):
    """Reads of the online store; every method may raise OnlineUnavailableError."""

    def household(self, household_id: int) -> Household | None:
        """A household's features now, `None` if unknown."""

    def households(self, offset: int, limit: int, query: str) -> tuple[list[Mapping[str, Any]], int]:
        """Profiles by number from `offset`, of those whose number starts with `query`; and their count."""

    def marker(self) -> str | None:
        """Names the newest materialisation, `None` before the first."""

    def catalogue(self) -> Catalogue:
        """The catalogue of that materialisation."""

    def ping(self) -> None:
        """Return if the store answers."""

    def close(self) -> None:
        """Close the connections."""


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
    """Candidates and their feature rows, computed by the code that training uses."""

    def candidates(
        self,
        household: Household,
        catalogue: Catalogue,
        store_id: int | None,
        now: float,
        cart: Sequence[int],
    ) -> Candidates:
        """Candidates for the household in the store at `now` (seconds since 1970) with that cart."""
        ...
