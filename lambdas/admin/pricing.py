"""Logic: a person says which proposed prices to charge; the first to say so on Kafka is believed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lambdas.admin.people import Name, reviewer_of
from lambdas.admin.services import AdminServices
from lambdas.event_log import EventsUnavailableError
from lambdas.problem import ProblemError
from mercato.contracts.events import PRICE_DECISIONS, PriceAction, PriceDecided
from mercato.contracts.tables.proposals import HALF_A_CENT, ProposedPrice
from mercato.online.connection import OnlineUnavailableError
from mercato.online.prices import KEEP_PROPOSALS, PriceBook

#: Prices decided on at once, at most.
MAX_AT_ONCE = 200
#: Proposals that there may be.
MAX_OFFERS = KEEP_PROPOSALS
#: How long to wait for the view to take up what was sent, and between two looks at it.
_WAIT_SECONDS, _LOOK_SECONDS = 3.0, 0.02

#: What somebody did who took an action.
DONE: Mapping[PriceAction, str] = {"accept": "accepted", "reject": "rejected", "withdraw": "withdrew"}

RefusalCode = Literal["unknown_price", "stale_price", "already_decided", "not_seen_yet"]


class Refused(NamedTuple):
    """Why a price was not decided on: a code for programs, and a sentence."""

    code: RefusalCode
    detail: str


_UNKNOWN = Refused("unknown_price", "Nothing is proposed for it there, nor charged.")


class PriceSeen(BaseModel):
    """A proposal as whoever decides saw it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: int = Field(description="As in the events.", gt=0, lt=2**53)
    store_id: int = Field(description="As in the events.", gt=0, lt=2**53)
    week: int = Field(description="As proposed.", ge=1, lt=2**31)
    proposed_price: float = Field(gt=0, le=100_000, description="US dollars.")


class PriceVerdict(BaseModel):
    """What to do with proposed prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: PriceAction = Field(description="`withdraw` takes back what was accepted.")
    prices: list[PriceSeen] = Field(description="Prices to decide on.", min_length=1, max_length=MAX_AT_ONCE)
    reviewer: Name | None = Field(default=None, description="Who; not asked where the caller is known.")
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = Field(
        default=None, description="Why; for the colleagues who ask later."
    )


class Result(NamedTuple):
    """What became of one price."""

    seen: PriceSeen
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits, and what was decided.

    Attributes:
        waiting: proposals, most gain first.
        decided: decisions on this list, and whatever else is charged; newest first.
        charged: event ids of those that are charged.
        names: of the products that have a proposal.
    """

    waiting: list[ProposedPrice]
    decided: list[PriceDecided]
    charged: frozenset[str]
    names: Mapping[int, str]

    @property
    def stores(self) -> list[int]:
        """Stores for which there is anything."""
        return sorted({row.store_id for row in self.waiting} | {each.store_id for each in self.decided})


def overview(services: AdminServices) -> Overview:
    """All proposals and decisions.

    Raises:
        ProblemError: `online_unavailable`.
    """
    try:
        offers, charged = services.prices.offers(), services.prices.charged_anywhere()
    except OnlineUnavailableError as error:
        raise _gone() from error
    known = {each.event_id: each for each in charged}
    known |= {offer.decided.event_id: offer.decided for offer in offers if offer.decided}
    return Overview(
        [offer.proposed for offer in offers if offer.decided is None],
        sorted(known.values(), key=lambda each: each.event_time, reverse=True),
        frozenset(each.event_id for each in charged),
        {offer.proposed.product_id: offer.proposed.product_name for offer in offers},
    )


def decide(services: AdminServices, asked: PriceVerdict, caller: str | None, now: datetime) -> list[Result]:
    """Decide on prices: send events to `price_decisions.v1`, and see what became of each; in order.

    Each is decided on by itself: one that is refused holds up no other. The same again by the same person
    changes nothing.

    Args:
        caller: see `people.caller_of`.

    Raises:
        ProblemError: `invalid_parameters` (nobody is named); `online_unavailable` or `events_unavailable`,
            after which some may be decided: the same may be sent again.
    """
    reviewer = reviewer_of(caller, asked.reviewer)
    book, cells = services.prices, [(seen.product_id, seen.store_id) for seen in asked.prices]
    try:
        rows = book.charged_in(cells) if asked.action == "withdraw" else book.proposed(cells)
        found = dict(zip(asked.prices, rows, strict=True))
        wanted = {seen: _decision(row, asked, reviewer, now) for seen, row in found.items() if row}
        gone = [seen for seen in found if seen not in wanted]
        results = {seen: _stale(seen, each) for seen, each in wanted.items()}
        for seen, stands in zip(gone, book.decided(gone), strict=True):
            # What was decided may have left the list since.
            results[seen] = None if _is(stands, asked.action, reviewer, seen) else _UNKNOWN
        sent = {seen: each for seen, each in wanted.items() if results[seen] is None}
        settled = _settled(services, book, [*sent.values()])
    except OnlineUnavailableError as error:
        raise _gone() from error
    for (seen, each), stands in zip(sent.items(), settled, strict=True):
        results[seen] = _judged(each, stands)
    return [Result(seen, results[seen]) for seen in asked.prices]


def _stale(seen: PriceSeen, wanted: PriceDecided) -> Refused | None:
    """Why a decision is not on what was seen."""
    if wanted.week != seen.week or _differ(wanted.proposed_price, seen.proposed_price):
        now = f"It is {wanted.proposed_price:.2f} for week {wanted.week} now: look again."
        return Refused("stale_price", now)
    return None


def _settled(
    services: AdminServices, book: PriceBook, wanted: Sequence[PriceDecided]
) -> list[PriceDecided | None]:
    """What is decided of each in the end: those that nobody decided on before are sent, and waited for."""

    def undecided(stands: Sequence[PriceDecided | None]) -> list[PriceDecided]:
        pairs = zip(wanted, stands, strict=True)
        return [each for each, standing in pairs if standing is None or _takes_back(each, standing)]

    stands = book.decided(wanted)
    if not (sent := undecided(stands)):
        return stands
    try:
        services.send(PRICE_DECISIONS, *sent)
    except EventsUnavailableError as error:
        detail = f"Kafka is not known to have taken the decisions ({error}). Send the same again."
        raise ProblemError("events_unavailable", detail, retry_after=1) from error
    until = time.monotonic() + _WAIT_SECONDS
    while undecided(stands := book.decided(wanted)) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return stands


def _takes_back(wanted: PriceDecided, standing: PriceDecided) -> bool:
    return wanted.withdrawn and standing.accepted


def _judged(wanted: PriceDecided, stands: PriceDecided | None) -> Refused | None:
    """Why what stands is not what was wanted."""
    if stands is None or _takes_back(wanted, stands):
        detail = "It is on Kafka, and nothing has taken it up yet: does what keeps the online features run?"
        return Refused("not_seen_yet", detail)
    if _is(stands, wanted.action, wanted.reviewer, wanted):
        return None
    detail = f"{stands.reviewer} {DONE[stands.action]} {stands.proposed_price:.2f} before."
    return Refused("already_decided", detail)


def _is(
    stands: PriceDecided | None, action: PriceAction, reviewer: str, on: PriceSeen | PriceDecided
) -> bool:
    """Whether what stands is this person's own decision on a price."""
    return (
        stands is not None
        and (stands.action, stands.reviewer) == (action, reviewer)
        and not _differ(stands.proposed_price, on.proposed_price)
    )


def _differ(price: float, other: float) -> bool:
    return abs(price - other) > HALF_A_CENT


def _decision(
    row: ProposedPrice | PriceDecided, asked: PriceVerdict, reviewer: str, now: datetime
) -> PriceDecided:
    return PriceDecided(
        event_id=_event_id(row, asked.action, reviewer),
        event_time=now.astimezone(UTC),
        product_id=row.product_id,
        store_id=row.store_id,
        week=row.week,
        price=row.price,
        proposed_price=row.proposed_price,
        gain=row.gain,
        action=asked.action,
        reviewer=reviewer,
        note=asked.note or None,
        model_version=row.model_version,
    )


def _event_id(row: ProposedPrice | PriceDecided, action: PriceAction, reviewer: str) -> str:
    """The same for the same decision of the same person, so that the lake keeps one of those sent again."""
    on = row.proposed_at.isoformat() if isinstance(row, ProposedPrice) else row.event_id
    identity = f"{row.product_id}:{row.store_id}:{on}:{action}:{reviewer}"
    return f"price-{hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()}"


def _gone() -> ProblemError:
    return ProblemError("online_unavailable", "Redis does not answer.", retry_after=1)
