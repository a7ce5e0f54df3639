"""Feature views: which columns of which table are served under which versioned name.

A name changes its `_vN` when the meaning of a value changes, so that a model and the
values it was trained on stay together. `features/` turns these into Feast objects.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from mercato.contracts.tables import features, outlook, silver
from mercato.contracts.tables.base import Table
from mercato.online import payments, session


@dataclass(frozen=True)
class View:
    """One feature view.

    Attributes:
        name: versioned, e.g. `household_history_v1`.
        table: the contract of its rows.
        entity: column of the entity that the values describe.
        time: column with the instant from which a row is known.
        tie: column whose greatest value counts where an entity has several rows of one instant; `None` where
            the table's job makes one at most.
        columns: served columns; every other column of the table unless given.
        streamed: written by others than the materialisation; it has no offline source.
        keep: how long a row stays that is not written again, `None` for good. All rows of an entity are in
            one Redis hash, which stays as long as one of them is to.
    """

    name: str
    table: Table
    entity: str
    time: str = features.HOUSEHOLD_HISTORY.c.event_timestamp
    tie: str | None = None
    columns: tuple[str, ...] = ()
    streamed: bool = False
    keep: timedelta | None = None

    @functools.cached_property
    def features(self) -> tuple[pa.Field, ...]:
        """Served columns with their Arrow types."""
        names = self.columns or tuple(n for n in self.table.c if n not in (self.entity, self.time))
        return tuple(self.table.arrow_schema.field(name) for name in names)

    @functools.cached_property
    def numbered(self) -> bool:
        """Whether its entities are named by numbers, and not by text."""
        return bool(pa.types.is_integer(self.table.arrow_schema.field(self.entity).type))

    @functools.cached_property
    def arrow_schema(self) -> pa.Schema:
        """Entity, time, then the features."""
        schema = self.table.arrow_schema
        return pa.schema([schema.field(self.entity), schema.field(self.time), *self.features])


_P = silver.PRODUCTS.c

HOUSEHOLD_HISTORY = View(
    "household_history_v1", features.HOUSEHOLD_HISTORY, features.HOUSEHOLD_HISTORY.c.household_id
)
HOUSEHOLD_PROFILE = View(
    "household_profile_v1", features.HOUSEHOLD_PROFILE, features.HOUSEHOLD_PROFILE.c.household_id
)
HOUSEHOLD_SESSION = View(
    "household_session_v1",
    session.HOUSEHOLD_SESSION,
    session.HOUSEHOLD_SESSION.c.household_id,
    streamed=True,
    keep=2 * session.KEEP,
)
HOUSEHOLD_OUTLOOK = View(
    "household_outlook_v1", outlook.OUTLOOK, outlook.OUTLOOK.c.household_id, streamed=True
)
PRODUCT_DETAILS = View(
    "product_details_v1",
    silver.PRODUCTS,
    _P.product_id,
    time=_P.event_time,
    tie=_P.event_id,
    columns=(_P.manufacturer_id, _P.department, _P.brand, _P.category, _P.product_type, _P.package_size),
)
PRODUCT_STATS = View("product_stats_v1", features.PRODUCT_STATS, features.PRODUCT_STATS.c.product_id)
PRODUCT_TRENDS = View("product_trends_v1", features.PRODUCT_TRENDS, features.PRODUCT_TRENDS.c.product_id)
PRODUCT_OCCASIONS = View(
    "product_occasions_v1", features.PRODUCT_OCCASIONS, features.PRODUCT_OCCASIONS.c.product_id
)
PRODUCT_RETURNS = View("product_returns_v1", features.PRODUCT_RETURNS, features.PRODUCT_RETURNS.c.product_id)
PRODUCT_NEIGHBOURS = View(
    "product_neighbours_v1", features.PRODUCT_NEIGHBOURS, features.PRODUCT_NEIGHBOURS.c.product_id
)
STORE_POPULAR = View("store_popular_v1", features.STORE_POPULAR, features.STORE_POPULAR.c.store_id)
STORE_PROMOTIONS = View(
    "store_promotions_v1", features.STORE_PROMOTIONS, features.STORE_PROMOTIONS.c.store_id
)
CARD_PAYMENTS = View(
    "card_payments_v1",
    payments.CARD_PAYMENTS,
    payments.CARD_PAYMENTS.c.card_id,
    streamed=True,
    keep=payments.KEEP_IDLE,
)
TERMINAL_OUTCOMES = View(
    "terminal_outcomes_v1",
    payments.TERMINAL_OUTCOMES,
    payments.TERMINAL_OUTCOMES.c.terminal_id,
    streamed=True,
    keep=payments.KEEP_IDLE,
)

#: Read together for one household.
HOUSEHOLD = (HOUSEHOLD_HISTORY, HOUSEHOLD_PROFILE, HOUSEHOLD_SESSION)
#: Read in bulk into a process's catalogue.
CATALOGUE = (
    PRODUCT_DETAILS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_NEIGHBOURS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
#: Read together for one payment.
PAYMENT = (CARD_PAYMENTS, TERMINAL_OUTCOMES)
VIEWS = {view.name: view for view in (*HOUSEHOLD, HOUSEHOLD_OUTLOOK, *CATALOGUE, *PAYMENT)}
#: Those that come from Delta tables.
BATCH = tuple(view for view in VIEWS.values() if not view.streamed)
