"""The page in Chromium: pick, click, see the list change and why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.e2e.conftest import SHOTS

pytestmark = pytest.mark.e2e

#: The issue asks for about a second.
WITHIN_MS = 2_000


def _pick(page: Page, nth: int) -> int:
    """Open the nth suggested household from the welcome page; its number."""
    page.goto("/")
    link = page.locator(".suggested a").nth(nth)
    number = int(re.findall(r"\d+", link.locator("b").inner_text())[0])
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Household {number}")
    expect(page.locator("html")).to_have_class("js")
    return number


def _products(page: Page) -> list[str]:
    found: list[str] = page.locator("#list .card").evaluate_all(
        "cards => cards.map(card => card.dataset.product)"
    )
    return found


def _card(page: Page, product: str) -> Locator:
    return page.locator(f'#list .card[data-product="{product}"]')


def _click_and_wait(page: Page, button: Locator) -> float:
    """Milliseconds from the click to the changed list, as the page measured them."""
    page.evaluate("document.querySelector('#change').textContent = ''")
    button.click()
    took = page.locator("#change .took")
    expect(took).to_be_visible(timeout=10_000)
    return float(re.findall(r"\d+", took.inner_text())[0])


def _shoot(page: Page, name: str, full: bool = True) -> None:
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(600)  # let the cards arrive
    page.screenshot(path=SHOTS / f"{name}.png", full_page=full)


def test_welcome_and_picker(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".suggested a")).to_have_count(6)
    habits = page.locator(".suggested span").all_inner_texts()
    assert all(re.match(r"1 basket,|(?!1 )[\d,]+ baskets,", said) for said in habits), habits
    _shoot(page, "welcome")
    box = page.get_by_role("combobox", name="Household")
    box.click()
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    _shoot(page, "picker", full=False)
    wanted = options.nth(1).locator("b").inner_text()
    options.nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(wanted)


def test_a_household_has_a_profile_baskets_and_reasons(page: Page) -> None:
    _pick(page, 0)
    expect(page.locator("#profile")).to_contain_text("baskets")
    expect(page.locator(".basket").first).to_be_visible()
    cards = page.locator("#list .card")
    expect(cards).to_have_count(12)
    for card in cards.all():
        expect(card.locator(".why")).to_have_text(re.compile(r"\w.*\.$"))
        expect(card.locator("h3")).not_to_have_text("")
    expect(page.locator("#fresh-text")).to_contain_text("Features")
    expect(page.locator("#notice")).to_be_hidden()
    _shoot(page, "household")


def test_adding_changes_the_list_and_says_why(page: Page) -> None:
    _pick(page, 1)
    before, in_cart = _products(page), page.locator("#cart li").count()
    name = _card(page, before[2]).locator("h3").inner_text()
    took = _click_and_wait(page, page.get_by_role("button", name=f"Add {name} to cart").first)
    assert took < WITHIN_MS
    after = _products(page)
    added = next(product for product in before if product not in after)
    expect(page.locator(f'#cart [data-product="{added}"]')).to_be_visible()
    expect(page.locator("#cart-count")).to_have_text(str(in_cart + 1))
    assert len(after) == len(before)
    assert after != [product for product in before if product != added]
    expect(page.locator("#change")).to_contain_text("You added")
    expect(page.locator("#list .badge.on").first).to_be_visible()
    expect(page.locator("#journey")).to_be_visible()
    expect(page.locator('#journey [data-stage="online"] b')).to_have_text(re.compile(r"\d+ ms"))
    _shoot(page, "added")


def test_taking_it_out_again(page: Page) -> None:
    _pick(page, 2)
    product = _products(page)[0]
    _click_and_wait(page, _card(page, product).get_by_role("button", name="Add"))
    line = page.locator(f'#cart [data-product="{product}"]')
    _click_and_wait(page, line.get_by_role("button"))
    expect(line).to_have_count(0)
    expect(page.locator("#change")).to_contain_text("You removed")
    assert product not in _products(page)


def test_viewing_opens_the_card_and_counts(page: Page) -> None:
    _pick(page, 3)
    product = _products(page)[-1]
    view = _card(page, product).get_by_role("button", name="View")
    _click_and_wait(page, view)
    expect(page.locator("#change")).to_contain_text("You viewed")
    if product in _products(page):
        expect(_card(page, product).locator(".more")).to_contain_text("found by")
        expect(view).to_have_attribute("aria-expanded", "true")


def test_a_list_that_was_short_grows_again_and_prices_follow(page: Page) -> None:
    _pick(page, 0)
    price = _card(page, _products(page)[0]).locator('[data-field="price"]')
    before = price.inner_text()

    def shortened(route: Route) -> None:
        headers = {name: value for name, value in route.request.headers.items() if name != "if-none-match"}
        answer = route.fetch(headers=headers)
        told = answer.json()
        items = [told["items"][0] | {"price": 123.45}]
        route.fulfill(response=answer, json=told | {"items": items}, headers={"ETag": '"short"'})

    page.route("**/v1/recommendations/**", shortened)
    expect(page.locator("#list .card")).to_have_count(1, timeout=15_000)
    expect(price).to_have_text("$123.45")
    page.unroute("**/v1/recommendations/**")
    expect(page.locator("#list .card")).to_have_count(12, timeout=15_000)
    expect(price).to_have_text(before)


def test_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    expect(page.locator("html")).to_have_class("js")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the recommendations")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox")).to_be_focused()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Household")
    expect(page.locator("html")).to_have_class("js")
    for _ in range(40):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
        if label.startswith("Add "):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus must be seen"
    in_cart = page.locator("#cart li").count()
    page.keyboard.press("Enter")
    expect(page.locator("#change .took")).to_be_visible(timeout=10_000)
    expect(page.locator("#cart li")).to_have_count(in_cart + 1)
    focused = page.evaluate("document.activeElement.closest('#list') !== null")
    assert focused, "the focus stays in the list when its card leaves"


@pytest.mark.parametrize("width", [320, 360, 768])
def test_narrow_screens_do_not_scroll_sideways(browser: Browser, demo: str, width: int) -> None:
    context = browser.new_context(base_url=demo, viewport={"width": width, "height": 740})
    page = context.new_page()
    _pick(page, 4)
    _click_and_wait(page, page.locator("#list .card").nth(1).get_by_role("button", name="View"))
    for path in ("/", page.url, "/docs"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("/")
    _pick(page, 4)
    _shoot(page, f"width-{width}")
    context.close()


def test_dark(browser: Browser, demo: str) -> None:
    context = browser.new_context(base_url=demo, color_scheme="dark", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    _pick(page, 5)
    paper = page.locator("html").evaluate("html => getComputedStyle(html).backgroundColor")
    assert paper == "rgb(17, 21, 19)"
    _shoot(page, "dark")
    context.close()


def test_without_javascript(browser: Browser, demo: str) -> None:
    context = browser.new_context(base_url=demo, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator(".suggested a").first.click()
    expect(page.locator("#list .card")).to_have_count(12)
    expect(page.get_by_role("button", name="Add")).to_have_count(0)
    number = page.get_by_label("Household", exact=True).input_value()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Household {number}")
    context.close()


def test_an_unknown_household_is_welcomed_with_what_is_popular(page: Page) -> None:
    page.goto("/?household=999999999")
    expect(page.locator("#notice")).to_contain_text("This household is new")
    expect(page.locator("#list .card")).to_have_count(12)
    expect(page.locator("#list .why").first).to_contain_text("Popular in")
    _shoot(page, "unknown")


def test_nonsense_is_answered_kindly(page: Page) -> None:
    page.goto("/?household=bananas")
    expect(page.get_by_role("alert")).to_contain_text("not a household number")


def test_contrast_of_text(context: BrowserContext, page: Page) -> None:
    """WCAG AA: every piece of text stands out from what is painted behind it by 4.5 to 1."""
    _pick(page, 0)
    _click_and_wait(page, page.locator("#list .card").first.get_by_role("button", name="View"))
    page.wait_for_timeout(600)
    assert page.evaluate(CONTRAST) == []


CONTRAST = """
() => {
  const parse = (color) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] > 200) return color;
    }
    return [255, 255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
    && node.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && !node.closest('script, template, .badge:not(.on)'));
  return texts.map((node) => {
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), node.className || node.tagName, node.textContent.trim().slice(0, 30)];
  }).filter(([ratio]) => ratio < 4.5);
}
"""
