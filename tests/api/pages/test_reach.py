"""The console for whoever enlarges it four times, or has keys alone (WCAG 2.2: 1.4.10, 2.1.1, 2.5.8)."""

from collections.abc import Callable

import pytest

from tests.api.pages.conftest import Site
from tests.api.pages.test_day import wait_for_quiet
from tests.browser import Screen

pytestmark = pytest.mark.browser
PAGES = ("/day", "/day/{date}/proposal", "/new", "/people", "/volunteers", "/territory", "/journal")
#: A screen of 1280 × 1024 at 400 %.
ENLARGED = {"width": 320, "height": 256}
_SMALL = """() => [...document.querySelectorAll("button, select, input, summary, [role=button]")]
    .map((one) => one.closest("label") ?? one) // which is hit as well
    .filter((one) => one.checkVisibility() && (one.offsetHeight < 24 || one.offsetWidth < 24) && !one.closest(".line"))
    .map((one) => `${one.outerHTML.slice(0, 90)} ${one.offsetWidth}x${one.offsetHeight}`)"""
_WIDER = """() => document.documentElement.scrollWidth > document.documentElement.clientWidth
    ? [...document.querySelectorAll("main *, header *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
        && !one.closest(".line, .scroll, table")).slice(0, 5).map((one) => one.outerHTML.slice(0, 120)) : []"""


def test_enlarged_four_times_nothing_is_read_sideways_and_every_button_can_be_hit(screen: Callable[..., Screen], site: Site) -> None:
    one = screen()
    page = one.enter("coordinator")
    page.set_viewport_size(ENLARGED)
    wrong = []
    for address in PAGES:
        page.goto(address.format(date=site.demo.date))
        page.locator("main h1, main h2").first.wait_for()
        wrong += [(address, text) for text in (*page.evaluate(_WIDER), *page.evaluate(_SMALL))]
    one.shot("enlarged-journal", whole=False)
    assert wrong == []


def test_a_ride_is_found_read_and_entrusted_with_keys_alone(screen: Callable[..., Screen]) -> None:
    page = screen().enter("coordinator")
    wait_for_quiet(page)
    page.keyboard.press("/")
    page.locator("#search:focus").wait_for()
    page.keyboard.press("Tab")
    page.locator("#only:focus").wait_for()
    page.keyboard.type("en attente")  # a list chooses by what is typed
    rows = page.locator("#ways tbody tr:visible button")
    for row in range(rows.count()):
        page.locator("#only").focus()
        for _ in range(row + 1):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("#panel .choice").first.wait_for()
        ask = page.locator("#panel .choice").get_by_role("button", name="Demander")
        if ask.count():
            break
        page.keyboard.press("Escape")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator("#panel .choice button:focus", has_text="Demander").count():
            break
    page.keyboard.press("Enter")
    page.locator("#panel h3", has_text="pas encore répondu").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
