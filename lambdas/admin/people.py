"""Who decides: whom the token names, or who a caller without one says it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from lambdas.problem import ProblemError

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


def caller_of(scope: Mapping[str, Any]) -> str | None:
    """Whom API Gateway's authorizer let in; `None` where nobody asked, as on one machine.

    Args:
        scope: ASGI scope; Mangum puts the gateway's event into it.
    """
    claims = (
        scope.get("aws.event", {})
        .get("requestContext", {})
        .get("authorizer", {})
        .get("jwt", {})
        .get("claims", {})
    )
    named: str | None = claims.get("username") or claims.get("client_id")
    return named


def reviewer_of(caller: str | None, named: str | None) -> str:
    """Who decides.

    Args:
        caller: whom the token names, `None` without one.
        named: whom the request names.

    Raises:
        ProblemError: `invalid_parameters`, nobody is named.
    """
    reviewer = caller or named
    if reviewer is None:
        raise ProblemError("invalid_parameters", "Say who decides: `reviewer` is missing.")
    return reviewer
