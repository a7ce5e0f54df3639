"""Health, metrics and the problem types."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse

from lambdas.api.schemas import DependencyState, Health
from lambdas.api.services import UseServices
from lambdas.problem import PROBLEMS, ProblemError, documented

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Health")
def get_health(services: UseServices) -> Health:
    """200 as long as the API answers at all; `degraded` while a dependency does not."""
    snapshot = services.keeper.snapshot
    dependencies = services.dependencies.states()
    dependencies["catalogue"] = DependencyState(
        ok=snapshot.lookup is not None,
        detail="loaded"
        if snapshot.lookup
        else "not loaded; the last good lists answer"
        if snapshot.as_of
        else "empty",
    )
    return Health(
        status="ok" if all(one.ok for one in dependencies.values()) else "degraded",
        model_version=services.model_version(),
        catalogue_as_of=snapshot.as_of,
        dependencies=dependencies,
    )


@router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
def get_metrics(services: UseServices) -> Response:
    """Requests, latencies by route and stage, fallbacks, events."""
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/problems/{code}",
    summary="What a problem type means",
    response_class=PlainTextResponse,
    responses=documented("unknown_problem", "invalid_parameters"),
)
def get_problem(
    code: Annotated[
        str, Path(description="Last part of a problem's `type`.", examples=["contract_violation"])
    ],
) -> str:
    """One line about a problem type."""
    if code not in PROBLEMS:
        raise ProblemError("unknown_problem", f"Known problem types: {', '.join(PROBLEMS)}.")
    status, title = PROBLEMS[code]
    return f"{code} ({status.value}): {title}.\n"
