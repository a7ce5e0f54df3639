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


@pytest.mark.parametrize(("amount", "told"), [(1234.5, "$1,234.50"), (-0.5, "-$0.50"), (0, "$0.00")])
def test_a_loss_has_its_sign_before_the_dollars(amount: float, told: str) -> None:
    assert templates.env.filters["money"](amount) == told


@pytest.mark.parametrize("page", ["/admin", "/admin/prices"])
def test_a_person_is_told_in_a_page_that_redis_is_gone(client: TestClient, page: str) -> None:
    answer = client.get(page, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "retry-after" in answer.headers
    assert 'role="alert">Redis does not answer.' in answer.text


@pytest.mark.parametrize("address", FORMS)
def test_the_address_of_a_refused_form_leads_to_its_page(client: TestClient, address: str) -> None:
    answer = client.get(f"{address}?offset=50", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] in {"/admin?offset=50", "/admin/prices?offset=50"}
