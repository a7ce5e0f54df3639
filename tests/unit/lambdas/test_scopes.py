"""Every route asks for a scope, or is public on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route

from lambdas import scopes
from lambdas.admin import app as admin
from lambdas.api import app as api

#: Nobody needs a token to see what the API is, and whether it lives.
PUBLIC = {
    "/v1/events/schemas",
    "/healthz",
    "/problems/{code}",
    "/openapi.json",
    "/docs",
    "/static/{path+}",
    "/admin/sign-in",
    "/admin/signed-in",
    "/admin/sign-out",
    "/admin/openapi.json",
    "/admin/static/{path+}",
}


def _served(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/{{path+}}"
        elif hasattr(route, "original_router"):  # how FastAPI keeps an included router
            yield from _served(route.original_router.routes)
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in (route.methods or set()) - {"HEAD"})


@pytest.mark.parametrize(
    ("app", "routes"),
    [(api.create_app(), scopes.ROUTES), (admin.create_app(), scopes.ADMIN_ROUTES)],
    ids=["api", "admin"],
)
def test_scopes_cover_exactly_the_apps_routes(
    app: FastAPI, routes: tuple[tuple[str, str, str | None], ...]
) -> None:
    named = [(method, path) for method, path, _ in routes]
    assert len(named) == len(set(named))
    assert set(named) == set(_served(app.routes))


def test_only_what_describes_the_api_is_public() -> None:
    assert {path for _, path, scope in (*scopes.ROUTES, *scopes.ADMIN_ROUTES) if scope is None} == PUBLIC
