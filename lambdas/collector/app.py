"""The events' routes as an app of their own, opened by its handler."""

from __future__ import annotations

from fastapi import FastAPI

from lambdas import event_routes, problem
from lambdas.metrics import MeasureRequests


def create_app() -> FastAPI:
    """The app; its `state.services` is set by whoever serves it."""
    app = FastAPI(title="Mercato collector", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(MeasureRequests)
    problem.install(app)
    app.include_router(event_routes.router)
    return app
