"""A body that is too long is refused before it is held in memory, by the API and by the panel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from lambdas.admin.app import create_app as create_panel
from lambdas.api.app import create_app as create_api
from lambdas.bodies import LimitBodies
from lambdas.intake import MAX_BODY
from mercato.settings import Settings

CHUNK = b" " * 65_536
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=["api", "panel"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestClient]:
    """An app with nothing else running."""
    create: Any = create_api if request.param == "api" else create_panel
    settings = Settings(home=tmp_path, kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1/0")
    with TestClient(create(settings), raise_server_exceptions=False) as client:
        yield client


def _addresses(client: TestClient) -> list[tuple[str, dict[str, str]]]:
    app = client.app
    assert isinstance(app, FastAPI)
    if app.title == "Mercato admin":
        return [
            ("/admin/v1/payments/p1/review", JSON),
            ("/admin/v1/prices/decisions", JSON),
            ("/admin/payments/p1/review", FORM),
            ("/admin/prices/decisions", FORM),
        ]
    return [("/v1/payments/decisions", JSON), ("/v1/events", JSON)]


def test_too_long_a_body_is_told_so_everywhere(client: TestClient) -> None:
    for address, headers in _addresses(client):
        for body in (b" " * (MAX_BODY + 1), iter([CHUNK] * 17)):  # of known length, and in pieces
            refused = client.post(address, content=body, headers=headers)
            assert (refused.status_code, refused.json()["type"]) == (413, "/problems/oversized"), address


def test_a_body_as_long_as_allowed_reaches_the_route(client: TestClient) -> None:
    address, headers = _addresses(client)[0]
    answer = client.post(address, content=b" " * MAX_BODY, headers=headers)
    assert answer.status_code in {400, 422}


def test_nothing_is_read_beyond_the_limit() -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += len(CHUNK)
        return {"type": "http.request", "body": CHUNK, "more_body": True}

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            await receive()

    async def send(_message: Any) -> None:
        raise AssertionError("nothing is answered here")

    with pytest.raises(HTTPException) as refused:
        asyncio.run(LimitBodies(app)({"type": "http", "headers": []}, receive, send))  # type: ignore[arg-type]
    assert refused.value.status_code == 413
    assert read == MAX_BODY + len(CHUNK)
