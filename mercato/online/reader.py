"""What a request reads: one household's features, the catalogue in bulk, and how fresh they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.tables.outlook import HouseholdOutlook
from mercato.online import catalogue, views
from mercato.online.codec import Codec
from mercato.online.payments import Card, Terminal, card_of, terminal_of
from mercato.online.prices import PriceBook
from mercato.online.session import HOUSEHOLD_SESSION, SESSION_GAP, moment
from mercato.online.store import Materialised, OnlineStore
from mercato.settings import Settings

_HISTORY = views.HOUSEHOLD_HISTORY.table.c
_SESSION = HOUSEHOLD_SESSION.c
#: The part of a session that requests need; the log is the updater's.
_SERVED = (
    _SESSION.session_id, _SESSION.clicks, _SESSION.cart, _SESSION.viewed, _SESSION.removed, _SESSION.store_id,
    _SESSION.last_event_id, _SESSION.last_action, _SESSION.last_product_id, _SESSION.updated_at,
)  # fmt: skip
_CARD, _TERMINAL = Codec(views.CARD_PAYMENTS), Codec(views.TERMINAL_OUTCOMES)
_OUTLOOK = Codec(views.HOUSEHOLD_OUTLOOK)


@dataclass(frozen=True, slots=True)
class History:
    """A household's last baskets, oldest first, right after the newest of them.

    Attributes:
        event_timestamp: of the newest basket.
        basket_times: seconds since 1970; basket_stores, basket_sizes: one element per basket.
        products: products of the baskets one after another; quantities and
            values (US dollars) go with them.
    """

    event_timestamp: datetime
    basket_times: NDArray[np.int64]
    basket_stores: NDArray[np.int64]
    basket_sizes: NDArray[np.int32]
    products: NDArray[np.int64]
    quantities: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Session:
    """The open session: products in the order they were last touched.

    Attributes:
        clicks: how many the session has.
        last_event_time: when the newest click happened; updated_at: when it became visible here.
    """

    session_id: str | None = None
    clicks: int = 0
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
    """One household's online features.

    Attributes:
        history: `None` for a household without a basket.
        profile: running figures by the column names of gold.household_profile; empty without a basket.
        session: empty unless a click came within SESSION_GAP.
    """

    household_id: int
    history: History | None
    profile: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)


@dataclass(frozen=True, slots=True)
class Marker:
    """What the catalogue views hold.

    Attributes:
        token: changes exactly when one of them changed; reload then.
        as_of: instant of the oldest of them.
        versions: Delta version by table name.
    """

    token: str
    as_of: datetime
    versions: Mapping[str, int]


class OnlineFeatures:
    """Reads of the online store. One instance serves several threads.

    Every method raises `mercato.online.connection.OnlineUnavailableError` when Redis is gone.

    Attributes:
        settings: say which Redis it reads.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare the reads.

        Raises:
            mercato.settings.NotRunningError: Redis has no address.
        """
        self.settings = settings
        self.store = OnlineStore(settings)
        self._codecs = (
            Codec(views.HOUSEHOLD_HISTORY),
            Codec(views.HOUSEHOLD_PROFILE),
            Codec(views.HOUSEHOLD_SESSION, _SERVED),
        )

    def close(self) -> None:
        """Close every connection."""
        self.store.close()

    def ping(self) -> None:
        """Raise OnlineUnavailableError unless Redis answers."""
        self.store.ping()

    def household(self, household_id: int, now: datetime | None = None) -> Household | None:
        """A household's features in one round trip; `None` if nothing is known of it.

        Args:
            now: decides whether the session is still open; the clock's time unless given.
        """
        history, profile, session = self.store.read(self._codecs, household_id)
        if history is None and profile is None and session is None:
            return None
        return Household(
            household_id,
            history_of(history) if history else None,
            profile or {},
            _session(session, now or datetime.now(UTC)) if session else Session(),
        )

    def payment(self, card_id: str, terminal_id: str) -> tuple[Card, Terminal]:
        """What is remembered of a card and a terminal; nothing of those never seen."""
        (card,) = self.store.read([_CARD], card_id)
        (terminal,) = self.store.read([_TERMINAL], terminal_id)
        return card_of(card) if card else Card(), terminal_of(terminal) if terminal else Terminal()

    def outlook(self, household_id: int) -> HouseholdOutlook | None:
        """What is expected of a household; `None` if it was not active when that was last worked out."""
        (row,) = self.store.read([_OUTLOOK], household_id)
        return HouseholdOutlook(household_id=household_id, **row) if row else None

    @property
    def prices(self) -> PriceBook:
        """What stores are to charge."""
        return PriceBook(self.store.redis)

    def household_ids(self, most: int | None = None) -> list[int]:
        """Every household in the store, or so many, ascending; walks keys, so not for a request path."""
        return self.store.entities(views.HOUSEHOLD_HISTORY, most)

    def profiles(self, household_ids: Sequence[int] | None = None) -> pa.Table:
        """Profiles of these (or all) households, columns as in gold.household_profile."""
        return self.store.table(views.HOUSEHOLD_PROFILE, household_ids)

    def catalogue(self) -> dict[str, pa.Table]:
        """Every catalogue view by name, one row per entity, with its contract's columns and types.

        `features.snapshot.catalogue` answers in the same shape for a moment of the past.
        """
        whole = catalogue.tables(self.store.redis)
        # After a release that gave a view columns, until it is materialised: what its rows have, more slowly.
        return {
            view.name: whole[view.name] if view.name in whole else self.store.table(view)
            for view in views.CATALOGUE
        }

    def marker(self) -> Marker | None:
        """What the catalogue views hold; `None` before the first materialisation."""
        materialised = self.store.marker()
        parts: dict[str, Materialised] = {
            view.table.name: materialised[view.name] for view in views.CATALOGUE if view.name in materialised
        }
        if not parts:
            return None
        return Marker(
            token=str(max(part.changed_at for part in parts.values())),
            as_of=moment(min(part.as_of for part in parts.values())),
            versions={name: part.version for name, part in parts.items()},
        )


def history_of(row: Mapping[str, Any]) -> History:
    """A row of household_history, online or offline, as arrays."""
    return History(
        event_timestamp=row[_HISTORY.event_timestamp],
        basket_times=np.array(row[_HISTORY.basket_times], dtype=np.int64),
        basket_stores=np.array(row[_HISTORY.basket_stores], dtype=np.int64),
        basket_sizes=np.array(row[_HISTORY.basket_sizes], dtype=np.int32),
        products=np.array(row[_HISTORY.products], dtype=np.int64),
        quantities=np.array(row[_HISTORY.quantities], dtype=np.int32),
        values=np.array(row[_HISTORY.values], dtype=np.float32),
    )


def _session(row: Mapping[str, Any], now: datetime) -> Session:
    last = row[_SESSION.event_timestamp]
    if now - last > SESSION_GAP:
        return Session()
    return Session(
        session_id=row[_SESSION.session_id],
        clicks=row[_SESSION.clicks],
        cart=tuple(row[_SESSION.cart]),
        viewed=tuple(row[_SESSION.viewed]),
        removed=tuple(row[_SESSION.removed]),
        store_id=row[_SESSION.store_id],
        last_event_id=row[_SESSION.last_event_id],
        last_event_time=last,
        last_action=row[_SESSION.last_action],
        last_product_id=row[_SESSION.last_product_id],
        updated_at=moment(row[_SESSION.updated_at]),
    )
