"""The panel in Chromium: look at a payment, say what it was, see it told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from lambdas.admin.app import create_app
from mercato.local.ports import free_port
from mercato.online.cases import CaseBook
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics
from tests.e2e.conftest import SHOTS
from tests.integration.test_reviews import decided

pytestmark = pytest.mark.e2e


@pytest.fixture
def panel(settings: Settings) -> Iterator[str]:
    """Address of a panel with two payments to review, in a Redis database of its own."""
    own = settings.model_copy(update={"redis_url": settings.require("redis_url").replace("/0", "/9")})
    ensure_topics(own)
    store, port = OnlineStore(own), free_port()
    CaseBook(store.redis).open([decided(1), decided(2, "decline")])
    server = uvicorn.Server(uvicorn.Config(create_app(own), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    store.redis.flushdb()


def test_a_reviewer_needs_a_keyboard_only(browser: Browser, panel: str) -> None:
    page = browser.new_page(base_url=panel, viewport={"width": 1280, "height": 900})
    page.goto("/admin")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments to review 2")
    page.screenshot(path=SHOTS / "admin-waiting.png", full_page=True)
    case = page.locator('li[data-payment="p2"]')
    case.get_by_label("Your name").focus()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type("The cardholder was called")
    page.keyboard.press("Tab")
    expect(case.get_by_role("button", name="It is a fraud")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments to review 1")
    told = page.locator('tr[data-payment="p2"]')
    expect(told).to_contain_text("Ada")
    expect(told).to_contain_text("a fraud")
    expect(told).to_contain_text("The cardholder was called")
    assert datetime.now(UTC).strftime("%Y-%m-%d") in told.inner_text()
    page.screenshot(path=SHOTS / "admin-told.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=SHOTS / "admin-dark.png", full_page=True)
    page.close()


def test_who_comes_second_is_told_who_was_first(browser: Browser, panel: str) -> None:
    first, second = browser.new_page(base_url=panel), browser.new_page(base_url=panel)
    for page in (first, second):
        page.goto("/admin")
    for page, name, says in ((first, "Ada", "It is a fraud"), (second, "Bob", "It is honest")):
        case = page.locator('li[data-payment="p1"]')
        case.get_by_label("Your name").fill(name)
        case.get_by_label("What you found").fill("Looked at the receipt")
        case.get_by_role("button", name=says).click()
    expect(second.get_by_role("alert")).to_have_text("Ada found it a fraud before.")
    first.close()
    second.close()
