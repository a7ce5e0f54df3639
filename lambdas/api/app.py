"""The decision API and the storefront in one ASGI app: `uvicorn --factory lambdas.api.app:create_app`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from lambdas import event_routes, problem
from lambdas.api.catalogue_snapshot import MakeRanker, SnapshotKeeper
from lambdas.api.endpoints import fraud_endpoint, ranker_endpoint
from lambdas.api.payment_decisions import PaymentJudge
from lambdas.api.ranking import ModelRanker
from lambdas.api.recommending import Recommender
from lambdas.api.routers import households, operations, payments, products, recommendations, stores
from lambdas.api.scorer import Scorer
from lambdas.api.services import Services
from lambdas.bodies import LimitBodies
from lambdas.event_log import EventLog
from lambdas.event_services import open_event_log
from lambdas.metrics import MeasureRequests, Metrics
from lambdas.storefront import pages
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings, get_settings

#: Where the last good lists are kept below the home folder.
KEPT_LISTS = "state/popular.json"

DESCRIPTION = """Events in, decisions out.

Every error is a problem document (RFC 9457). A recommendation request answers even where Redis, Kafka or the
model don't: then with popular products, `fallback: true` and the reason.
"""
TAGS = [
    {"name": "recommendations", "description": "Ranked lists with reasons."},
    {"name": "payments", "description": "Which card payments to let pass."},
    {"name": "events", "description": "What happens in the shop, on its way to Kafka."},
    {"name": "households", "description": "Online profiles and recent baskets."},
    {"name": "products", "description": "The catalogue and what is bought together."},
    {"name": "stores", "description": "What a store is to charge."},
    {"name": "operations", "description": "Health, metrics, problem types."},
]


def open_services(settings: Settings) -> Services:
    """Open everything the app works with. What goes down later reconnects by itself."""
    return assemble(
        settings,
        events=open_event_log(settings),
        online=OnlineFeatures(settings) if settings.endpoint("redis_url") else None,
        scorer=Scorer(ranker_endpoint(settings)),
        payments=PaymentJudge(Scorer(fraud_endpoint(settings))),
        make_ranker=ModelRanker,
    )


def assemble(
    settings: Settings,
    *,
    events: EventLog | None,
    online: OnlineFeatures | None,
    scorer: Scorer,
    payments: PaymentJudge,
    make_ranker: MakeRanker,
) -> Services:
    """Wire the parts together."""
    metrics = Metrics()
    keeper = SnapshotKeeper(online, settings.home / KEPT_LISTS, make_ranker)
    recommender = Recommender(online=online, keeper=keeper, scorer=scorer, metrics=metrics)
    return Services(settings, metrics, events, online, scorer, keeper, recommender, payments)


def create_app(
    settings: Settings | None = None, open_with: Callable[[Settings], Services] = open_services
) -> FastAPI:
    """The app; connections are opened when it starts.

    Args:
        settings: default: from the environment and the supervisor's endpoints file.
        open_with: opens the services.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await run_in_threadpool(open_with, settings or get_settings())
        await run_in_threadpool(services.keeper.start)
        app.state.services = services
        yield
        await run_in_threadpool(services.close)

    app = FastAPI(
        title="Mercato decision API",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(LimitBodies)
    app.add_middleware(MeasureRequests)
    problem.install(app)
    for module in (recommendations, payments, event_routes, households, products, stores, operations):
        app.include_router(module.router)
    pages.install(app)
    return app
