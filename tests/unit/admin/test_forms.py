"""Who may send the panel's forms, and how the pages tell times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lambdas.admin.app import create_app
from lambdas.admin.pages.shared import templates
from mercato.settings import Settings

HOST = "panel.example:8443"
FORMS = ("/admin/payments/p1/review", "/admin/prices/decisions")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The panel with nothing behind it: what gets past the check finds no Redis."""
    settings = Settings(home=tmp_path, kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1/0")
    with TestClient(create_app(settings), base_url=f"https://{HOST}") as client:
        yield client


@pytest.mark.parametrize("address", FORMS)
@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "https://before.the.gateway"}, True),
        ({"origin": f"https://{HOST}"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": f"https://{HOST}"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://panel.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
    ],
)
def test_only_its_own_pages_send_its_forms(
    client: TestClient, address: str, headers: dict[str, str], taken: bool
) -> None:
    answer = client.post(address, headers=headers)
    expected = (503, "/problems/online_unavailable") if taken else (403, "/problems/foreign_page")
    assert (answer.status_code, answer.json()["type"]) == expected


def test_times_are_told_in_utc() -> None:
    when = templates.env.filters["when"]
    assert when(datetime.fromisoformat("2026-11-26T23:30:00-05:00")) == "2026-11-27 04:30 UTC"
