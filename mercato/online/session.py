"""A household's shopping session as a pure function of its clicks.

The log of a household is the set of its newest clicks. Merging clicks into it is
commutative, associative and idempotent, so duplicates, retries and late arrivals
all end in the same state; the open session is derived from the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from mercato.contracts.events import Click
from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table

#: A longer silence ends a session.
SESSION_GAP = timedelta(minutes=30)
#: Clicks older than this against the newest one are forgotten.
KEEP = timedelta(hours=12)
#: Clicks kept per household at most: more than the largest session on record has.
KEEP_CLICKS = 512


class HouseholdSession(msgspec.Struct, frozen=True, kw_only=True):
    """The open session of a household, then the log it is derived from.

    Products are in the order they were last touched. The `log_*` columns have one element
    per kept click, oldest first; times are microseconds since 1970, 0 stands for "none".
    """

    household_id: int
    event_timestamp: datetime  # of the newest click
    session_id: str
    clicks: Annotated[int, Int32]
    cart: list[int]
    viewed: list[int]
    removed: list[int]
    store_id: int | None
    last_event_id: str
    last_action: str
    last_product_id: int | None
    updated_at: int  # when it was written, microseconds since 1970
    log_times: list[int]
    log_event_ids: list[str]
    log_session_ids: list[str]
    log_actions: list[str]
    log_products: list[int]
    log_stores: list[int]


HOUSEHOLD_SESSION = Table(
    "online.household_session", HouseholdSession, ("household_id",), "The open shopping session."
)


class Step(NamedTuple):
    """One kept click; steps sort by time, then event id. 0 stands for no product or store."""

    time: int
    event_id: str
    session_id: str
    action: str
    product_id: int
    store_id: int


Log = tuple[Step, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, without a float on the way."""
    return (moment - _EPOCH) // _MICRO


def moment(micros_since_1970: int) -> datetime:
    """The inverse of `micros`."""
    return _EPOCH + micros_since_1970 * _MICRO


def step(click: Click) -> Step:
    """What a session keeps of a click."""
    return Step(
        micros(click.event_time),
        click.event_id,
        click.session_id,
        click.action,
        click.product_id or 0,
        click.store_id or 0,
    )


def reduce(log: Log, steps: Iterable[Step]) -> Log:
    """The log with these steps merged in, oldest first.

    What is cut off depends only on the set of steps seen, never on their order: the
    newest KEEP_CLICKS within KEEP of the newest of all. Of several with one id the newest
    counts: the oldest could not, as what a newer one cut off does not come back for it.
    """
    merged = sorted({kept.event_id: kept for kept in sorted((*log, *steps))}.values())
    if not merged:
        return ()
    oldest = merged[-1].time - KEEP // _MICRO
    return tuple(kept for kept in merged[-KEEP_CLICKS:] if kept.time >= oldest)


def open_session(log: Log) -> Log:
    """The steps of the newest session: it starts after a checkout or a silence of SESSION_GAP."""
    start = len(log) - 1
    while start > 0 and _same_session(log[start - 1], log[start]):
        start -= 1
    return log[max(start, 0) :]


def _same_session(before: Step, after: Step) -> bool:
    return before.action != "checkout" and after.time - before.time <= SESSION_GAP // _MICRO


def household_session(household_id: int, log: Log, updated_at: datetime) -> HouseholdSession:
    """The row that is served for a log of at least one step."""
    steps = open_session(log)
    cart: dict[int, None] = {}
    viewed: dict[int, None] = {}
    removed: dict[int, None] = {}
    for kept in steps:
        product = kept.product_id
        match kept.action:
            case "view":
                _touch(viewed, product)
            case "add_to_cart":
                _touch(cart, product)
                removed.pop(product, None)
            case "remove_from_cart":
                cart.pop(product, None)
                _touch(removed, product)
            case "checkout":
                for products in (cart, viewed, removed):
                    products.clear()
    last = steps[-1]
    return HouseholdSession(
        household_id=household_id,
        event_timestamp=moment(last.time),
        session_id=last.session_id,
        clicks=len(steps),
        cart=list(cart),
        viewed=list(viewed),
        removed=list(removed),
        store_id=next((kept.store_id for kept in reversed(steps) if kept.store_id), None),
        last_event_id=last.event_id,
        last_action=last.action,
        last_product_id=last.product_id or None,
        updated_at=micros(updated_at),
        log_times=[kept.time for kept in log],
        log_event_ids=[kept.event_id for kept in log],
        log_session_ids=[kept.session_id for kept in log],
        log_actions=[kept.action for kept in log],
        log_products=[kept.product_id for kept in log],
        log_stores=[kept.store_id for kept in log],
    )


def log_of(row: dict[str, Any]) -> Log:
    """The log of a served row, given as a mapping of its columns."""
    c = HOUSEHOLD_SESSION.c
    columns = (
        c.log_times, c.log_event_ids, c.log_session_ids, c.log_actions, c.log_products, c.log_stores,
    )  # fmt: skip
    return tuple(map(Step, *(row[name] for name in columns)))


def _touch(products: dict[int, None], product: int) -> None:
    products.pop(product, None)
    products[product] = None
