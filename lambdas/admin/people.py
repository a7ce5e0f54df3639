"""Who decides: who signed in, whom the token names, or who a caller without either says it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from lambdas.problem import ProblemError

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]

#: What a session holds of a person: the e-mail address, and until when it counts, in seconds since 1970.
PERSON, UNTIL = "person", "until"


def person_of(scope: Mapping[str, Any]) -> str | None:
    """Who signed in at the pages, if it was not too long ago."""
    session = scope.get("session", {})
    named: str | None = session.get(PERSON)
    return named if session.get(UNTIL, 0) > time.time() else None


def caller_of(scope: Mapping[str, Any]) -> str | None:
    """Who signed in, or whom API Gateway's authorizer let in; `None` where nobody asked, as on one machine.

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
    return person_of(scope) or claims.get("client_id")


def reviewer_of(caller: str | None, named: str | None) -> str:
    """Who decides.

    Args:
        caller: see `caller_of`.
        named: whom the request names.

    Raises:
        ProblemError: `invalid_parameters`, nobody is named.
    """
    reviewer = caller or named
    if reviewer is None:
        raise ProblemError("invalid_parameters", "Say who decides: `reviewer` is missing.")
    return reviewer
