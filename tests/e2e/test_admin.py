"""The panel in Chromium: look at a payment or a price, say what it was or is to be, see it told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from lambdas.admin.app import create_app
from mercato.local.ports import free_port
from mercato.online.cases import CaseBook
from mercato.online.connection import connect
from mercato.online.prices import PriceBook
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics
from tests.e2e.conftest import SHOTS
from tests.integration.following import following
from tests.integration.payment_cases import decided
from tests.integration.price_offers import proposed
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def own(settings: Settings) -> Iterator[Settings]:
    """Settings with a Redis database of its own."""
    own = settings.model_copy(update={"redis_url": settings.require("redis_url").replace("/0", "/9")})
    ensure_topics(own)
    yield own
    with connect(own) as redis:
        redis.flushdb()


@pytest.fixture
def panel(own: Settings) -> Iterator[str]:
    """Address of a panel with two payments to review."""
    with connect(own) as redis:
        CaseBook(redis).open([decided(1), decided(2, "decline")])
    with served(own) as address:
        yield address


@pytest.fixture
def pricing(own: Settings) -> Iterator[str]:
    """Address of a panel with three prices to decide on, beside what follows the decisions."""
    with connect(own) as redis:
        PriceBook(redis).propose(map(proposed, (1, 2, 3)))
    with following(own), served(own) as address:
        yield address


@contextmanager
def served(own: Settings) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(own), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


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


def test_enter_in_a_field_decides_nothing(browser: Browser, panel: str, own: Settings) -> None:
    page = browser.new_page(base_url=panel)
    page.goto("/admin")
    case = page.locator('li[data-payment="p2"]')
    case.get_by_label("Your name").fill("Ada")
    case.get_by_label("What you found").fill("The cardholder was called")
    with connect(own) as redis:
        PriceBook(redis).propose([proposed(1)])
        case.get_by_label("What you found").press("Enter")
        case.get_by_label("Your name").press("Enter")
        expect(case.get_by_label("What you found")).to_have_value("The cardholder was called")
        assert CaseBook(redis).page("open", 0, 10).total == 2
        assert not list(redis.scan_iter("mercato:claim:*"))

        page.goto("/admin/prices")
        page.get_by_role("checkbox", name="Soup 1 in store 367").check()
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("Note").press("Enter")
        expect(page.get_by_label("Your name")).to_have_value("Ada")
        assert PriceBook(redis).offers()[0].decided is None
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


def test_a_merchandiser_accepts_prices_and_takes_one_back(browser: Browser, pricing: str) -> None:
    page = browser.new_page(base_url=pricing, viewport={"width": 1280, "height": 900})
    page.goto("/admin")
    page.get_by_role("navigation").get_by_role("link", name="Prices").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Prices to decide 3")
    page.screenshot(path=SHOTS / "admin-prices.png", full_page=True)
    waiting = page.locator("form", has_text="Accept the chosen")
    told = page.locator("section", has_text="What was decided")
    waiting.get_by_role("checkbox", name="Soup 1 in store 367").focus()
    page.keyboard.press("Space")
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_label("Note").fill("As agreed with the supplier")
    waiting.get_by_role("button", name="Accept the chosen").click()
    expect(heading).to_have_text("Prices to decide 2")
    expect(told.locator('tr[data-price="1:367"]')).to_contain_text("accepted")
    expect(told.locator('tr[data-price="1:367"]')).to_contain_text("As agreed with the supplier")

    page.get_by_role("link", name="Choose all on this page").click()
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_role("button", name="Reject the chosen").click()
    expect(heading).to_have_text("Prices to decide 0")
    expect(told.locator('tr[data-price="2:367"]')).to_contain_text("rejected")
    page.screenshot(path=SHOTS / "admin-prices-told.png", full_page=True)

    told.get_by_role("checkbox", name="Soup 1 in store 367").check()
    told.get_by_label("Your name").fill("Bob")
    told.get_by_role("button", name="Withdraw the chosen").click()
    expect(told.locator('tr[data-price="1:367"]')).to_contain_text("withdrew")
    assert told.get_by_role("checkbox").count() == 0
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=SHOTS / "admin-prices-dark.png", full_page=True)
    page.close()


def test_a_price_that_changed_meanwhile_is_looked_at_again(
    browser: Browser, pricing: str, own: Settings
) -> None:
    page = browser.new_page(base_url=pricing)
    page.goto("/admin/prices?store=367")
    with connect(own) as redis:
        PriceBook(redis).propose([proposed(1, price=2.75)])
    page.get_by_role("checkbox", name="Soup 1 in store 367").check()
    waiting = page.locator("form", has_text="Accept the chosen")
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_role("button", name="Accept the chosen").click()
    expect(page.get_by_role("alert")).to_contain_text("It is 2.75 for week 50 now: look again.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Prices to decide 1")
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_role("button", name="Accept the chosen").click()
    expect(page.get_by_role("alert")).to_have_text("Choose at least one price.")
    page.close()


def test_who_goes_back_finds_no_other_price_chosen(browser: Browser, pricing: str) -> None:
    """A browser fills a form in again by place, and the next row has moved to that of the decided one."""
    page = browser.new_page(base_url=pricing)
    page.goto("/admin/prices?select=")
    waiting = page.locator("form", has_text="Accept the chosen")
    waiting.get_by_role("checkbox", name="Soup 1 in store 367").check()
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_role("button", name="Accept the chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prices to decide 2")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prices to decide 2")
    page.wait_for_load_state("networkidle")
    assert waiting.locator("input:checked").count() == 0
    page.close()


def test_what_was_refused_need_not_be_filled_in_again(browser: Browser, pricing: str, own: Settings) -> None:
    with connect(own) as redis:
        CaseBook(redis).open([decided(1), decided(2)])
    page = browser.new_page(base_url=pricing)
    page.goto("/admin/prices")
    waiting = page.locator("form", has_text="Accept the chosen")
    waiting.get_by_role("checkbox", name="Soup 2 in store 367").check()
    waiting.get_by_label("Your name").fill("  ")
    waiting.get_by_label("Note").fill('As "agreed"')
    waiting.get_by_role("button", name="Accept the chosen").click()
    expect(page.get_by_role("alert")).to_have_text("Please fill in: your name.")
    expect(waiting.get_by_label("Note")).to_have_value('As "agreed"')
    waiting.get_by_label("Your name").fill("Ada")
    waiting.get_by_role("button", name="Accept the chosen").click()
    told = page.locator("section", has_text="What was decided").locator('tr[data-price="2:367"]')
    expect(told).to_contain_text('As "agreed"')

    page.goto("/admin")
    case, other = (page.locator(f'li[data-payment="{each}"]') for each in ("p1", "p2"))
    case.get_by_label("Your name").fill("Ada")
    case.get_by_label("What you found").fill("a    ")
    case.get_by_role("button", name="It is honest").click()
    expect(page.get_by_role("alert")).to_have_text("Please fill in: a note of 3 to 500 characters.")
    expect(case.get_by_label("Your name")).to_have_value("Ada")
    expect(other.get_by_label("Your name")).to_have_value("")
    page.close()


def test_a_long_note_widens_no_page(browser: Browser, panel: str) -> None:
    page = browser.new_page(base_url=panel, viewport={"width": 360, "height": 740})
    page.goto("/admin")
    case = page.locator('li[data-payment="p1"]')
    case.get_by_label("Your name").fill("W" * 128)
    case.get_by_label("What you found").fill("N" * 500)
    case.get_by_role("button", name="It is honest").click()
    expect(page.locator('tr[data-payment="p1"]')).to_contain_text("NNN")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.close()
