"""Logic: a person says which proposed prices to charge; the first to say so is believed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lambdas.admin.people import Name, reviewer_of
from lambdas.admin.services import AdminServices
from lambdas.api.event_log import EventsUnavailableError
from lambdas.api.problem import ProblemError
from mercato.contracts.events import PRICE_DECISIONS, PriceDecided
from mercato.contracts.tables.proposals import ProposedPrice
from mercato.online.connection import OnlineUnavailable
from mercato.online.prices import KEEP_PROPOSALS, Claim, PriceBook

#: Prices decided on at once, at most.
MOST = 200
#: Proposals that there may be.
MOST_OFFERS = KEEP_PROPOSALS
#: Half a cent: prices are whole cents.
_SAME = 0.005

Action = Literal["accept", "reject", "withdraw"]
#: What somebody did who took an action.
DONE: Mapping[str, str] = {"accept": "accepted", "reject": "rejected", "withdraw": "withdrew"}


class Refused(NamedTuple):
    """Why a price was not decided on: a code for programs, and a sentence."""

    code: Literal["unknown_price", "stale_price", "already_decided"]
    detail: str


class PriceSeen(BaseModel):
    """A proposal as whoever decides saw it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: int = Field(gt=0, lt=2**53)
    store_id: int = Field(gt=0, lt=2**53)
    week: int = Field(ge=1, lt=2**31)
    proposed_price: float = Field(gt=0, le=100_000, description="US dollars.")


class PriceVerdict(BaseModel):
    """What to do with proposed prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action = Field(description="`withdraw` takes back what was accepted.")
    prices: list[PriceSeen] = Field(min_length=1, max_length=MOST)
    reviewer: Name | None = Field(
        default=None, description="Who; not asked where the caller's token says so."
    )
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = Field(
        default=None, description="Why; for the colleagues who ask later."
    )


class Result(NamedTuple):
    """What became of one price."""

    seen: PriceSeen
    claim: Claim | None = None
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits, and what was decided.

    Attributes:
        waiting: proposals, most gain first.
        decided: the newest decision on a price, of this list or one before; newest first.
        names: of the products that have a proposal.
    """

    waiting: list[ProposedPrice]
    decided: list[PriceDecided]
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
        offers, changed = services.prices.offers(), services.prices.changed()
    except OnlineUnavailable as error:
        raise _gone() from error
    decided = [*changed, *(offer.decided for offer in offers if offer.decided)]
    decided.sort(key=lambda each: each.event_time)
    newest = {(each.product_id, each.store_id): each for each in decided}
    return Overview(
        [offer.proposed for offer in offers if offer.decided is None],
        sorted(newest.values(), key=lambda each: each.event_time, reverse=True),
        {offer.proposed.product_id: offer.proposed.product_name for offer in offers},
    )


def decide(services: AdminServices, asked: PriceVerdict, caller: str | None, now: datetime) -> list[Result]:
    """Decide on prices: events of `price_decisions.v1`, once they are on Kafka; a result for each, in order.

    Each is decided on by itself: one that is refused holds up no other. The same again by the same person
    changes nothing.

    Args:
        caller: whom the token names, `None` without one.

    Raises:
        ProblemError: `invalid_parameters` (nobody is named) or `events_unavailable`, and nothing was decided;
            `online_unavailable`, and the same may be sent again.
    """
    reviewer = reviewer_of(caller, asked.reviewer)
    book, cells = services.prices, [(seen.product_id, seen.store_id) for seen in asked.prices]
    try:
        rows = book.accepted(cells) if asked.action == "withdraw" else book.proposed(cells)
        results = [
            _result(book, seen, _decision(row, asked, reviewer, now) if row else None)
            for seen, row in zip(asked.prices, rows, strict=True)
        ]
        _send(services, [each.claim for each in results if each.claim and not each.refusal])
    except OnlineUnavailable as error:
        raise _gone() from error
    return results


def _result(book: PriceBook, seen: PriceSeen, decision: PriceDecided | None) -> Result:
    """Decide, if it is on what was seen, and nobody decided otherwise before."""
    if decision is None:
        where = f"product {seen.product_id} in store {seen.store_id}"
        return Result(seen, refusal=Refused("unknown_price", f"Nothing is proposed or accepted for {where}."))
    if decision.week != seen.week or _differ(decision.proposed_price, seen.proposed_price):
        detail = f"It is {decision.proposed_price:.2f} for week {decision.week} now: look again."
        return Result(seen, refusal=Refused("stale_price", detail))
    claim = book.claim(decision)
    stands = claim.stands
    same = (stands.action, stands.reviewer) == (decision.action, decision.reviewer)
    if same and not _differ(stands.proposed_price, decision.proposed_price):
        return Result(seen, claim)
    detail = f"{stands.reviewer} {DONE[stands.action]} {stands.proposed_price:.2f} before."
    return Result(seen, claim, Refused("already_decided", detail))


def _differ(price: float, other: float) -> bool:
    return abs(price - other) > _SAME


def _send(services: AdminServices, claims: Sequence[Claim]) -> None:
    try:
        services.send(PRICE_DECISIONS, *(claim.stands for claim in claims))
    except EventsUnavailableError as error:
        for claim in claims:
            services.prices.release(claim)
        raise ProblemError(
            "events_unavailable", f"Kafka did not take the decisions ({error}).", retry_after=1
        ) from error


def _decision(
    row: ProposedPrice | PriceDecided, asked: PriceVerdict, reviewer: str, now: datetime
) -> PriceDecided:
    return PriceDecided(
        event_id=uuid.uuid4().hex,
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


def _gone() -> ProblemError:
    return ProblemError("online_unavailable", "Redis does not answer.", retry_after=1)
