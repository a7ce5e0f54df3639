"""GET /v1/households."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from lambdas.api import answers
from lambdas.api.schemas import HouseholdDetail, HouseholdPage
from lambdas.api.services import HouseholdPath, Services, UseServices
from lambdas.problem import ProblemError, documented
from mercato.online.connection import OnlineUnavailableError

router = APIRouter(prefix="/v1/households", tags=["households"])

_DOWN = "Redis does not answer; recommendations still do. Try again in a moment."


@router.get("", summary="List households", responses=documented("invalid_parameters"))
def get_households(
    services: UseServices,
    offset: Annotated[int, Query(ge=0, description="Households to skip.")] = 0,
    limit: Annotated[int, Query(ge=1, le=100, description="Households wanted.")] = 20,
    query: Annotated[
        str, Query(max_length=20, pattern=r"^\d*$", description="First digits of their numbers.")
    ] = "",
) -> HouseholdPage:
    """Households with online features, in order of their number."""
    return page(services, offset, limit, query)


@router.get(
    "/{household_id}",
    summary="A household's profile and recent baskets",
    responses=documented("unknown_household", "invalid_parameters", "online_unavailable"),
)
def get_household(
    household_id: HouseholdPath,
    services: UseServices,
    baskets: Annotated[int, Query(ge=0, le=50, description="Newest baskets wanted.")] = 5,
) -> HouseholdDetail:
    """What the online features know of a household."""
    return detail(services, household_id, baskets)


def page(services: Services, offset: int, limit: int, query: str) -> HouseholdPage:
    """A page of the list that was read with the catalogue, so that it is there even without Redis."""
    known = services.keeper.snapshot.households
    matching = [one for one in known if str(one[answers.PROFILE.household_id]).startswith(query)]
    following = offset + limit
    return HouseholdPage(
        items=[answers.household_line(one) for one in matching[offset:following]],
        total=len(matching),
        next_offset=following if following < len(matching) else None,
    )


def detail(services: Services, household_id: int, baskets: int) -> HouseholdDetail:
    """One household.

    Raises:
        ProblemError: `unknown_household` or `online_unavailable`.
    """
    try:
        online = services.require_online()
        household, outlook = online.household(household_id), online.outlook(household_id)
    except OnlineUnavailableError as error:
        raise ProblemError("online_unavailable", _DOWN, retry_after=1) from error
    snapshot = services.keeper.snapshot
    answer = answers.household_detail(household, snapshot, baskets, outlook) if household else None
    if answer is None:
        raise ProblemError("unknown_household", f"Household {household_id} has no online features.")
    return answer
