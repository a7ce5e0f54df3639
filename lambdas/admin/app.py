"""The admin panel as an ASGI app: `uvicorn --factory lambdas.admin.app:create_app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from lambdas import problem
from lambdas.admin import pages
from lambdas.admin.routers import payments, prices
from lambdas.admin.services import open_services
from lambdas.bodies import LimitBodies
from lambdas.metrics import MeasureRequests
from mercato.settings import Settings, get_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; connections are opened when it starts.

    Args:
        settings: default: from the environment and the supervisor's endpoints file.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await run_in_threadpool(open_services, settings or get_settings())
        app.state.services = services
        yield
        await run_in_threadpool(services.close)

    app = FastAPI(
        title="Mercato admin",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/admin/openapi.json",
    )
    app.add_middleware(LimitBodies)
    app.add_middleware(MeasureRequests)
    problem.install(app)
    for module in (payments, prices):
        app.include_router(module.router)
    pages.install(app, settings or get_settings())
    return app
