"""A browser for tests: Debian's Chromium, headless, told nothing but what a page tells it. What goes wrong in it fails the test.

In: an address. Out: pages. A page that asks anybody else for anything, breaks its own policy, or has an error in its script is wrong,
whatever it shows. `axe` finds what people with a screen reader, a keyboard or weak eyes would stumble over.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.servers import leave_out

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
#: Where screenshots are kept: for people to look at, and for docs/.
SHOTS = Path(os.environ.get("ALLONS_SHOTS", "var/shots"))
expect.set_options(timeout=20_000)  # for a condition: who meets it at once waits for nothing
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1366, "height": 820}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2},
}
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; skips where it is not installed, fails in CI."""
    if PROGRAM is None:
        leave_out("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-dev-shm-usage", "--lang=fr-FR"])
        yield browser
        browser.close()


class Screen:
    """One person's browser: a context with pages, and what went wrong in them."""

    def __init__(self, browser: Browser, address: str, size: str, *, dark: bool = False, locale: str = "fr-FR", **more: Any) -> None:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        self.address, self.wrong, self.away = address, list[str](), False
        self.context: BrowserContext = browser.new_context(
            base_url=address, locale=locale, timezone_id="Europe/Paris", color_scheme=scheme, **SIZES[size], **more
        )
        self.context.set_default_timeout(30_000)  # two slow cores, shared with another worker
        self.context.on("request", lambda request: self._look(request.url))
        self.page = self.open()

    def open(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", lambda message: self._hear(message.type, message.text))
        return page

    def enter(self, who: str, at: str = "/") -> Page:
        """In the demo: as somebody, by a button that everybody sees."""
        self.page.goto("/login")
        self.page.locator(f'form[action="/demo/{who}"] button').click()
        self.page.wait_for_load_state()
        if at != "/":
            self.page.goto(at)
        return self.page

    def network(self, *, there: bool) -> None:
        """Without network, and with it again. Whoever was without it may say in the console that something could not be loaded."""
        self.away |= not there
        self.context.set_offline(not there)

    def shot(self, name: str, *, small: bool = False, whole: bool = True) -> None:
        """Keep what is to be seen now; `small`: as docs/ shows it; not `whole`: what fits on the screen."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=whole, scale="css" if small else "device")

    def stumbles(self) -> list[str]:
        """What axe finds on the page as it is now, in words; none is right."""
        found = Axe().run(self.page, options=_RULES).response["violations"]
        return [f"{rule['id']}: {rule['help']}: {[node['target'] for node in rule['nodes']][:5]}" for rule in found]

    def close(self) -> None:
        """Ends it; AssertionError with everything that went wrong unseen."""
        self.context.close()
        assert not self.wrong, self.wrong

    def _look(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"asked somebody else: {url}")

    def _hear(self, kind: str, text: str) -> None:
        if self.away and "net::ERR_FAILED" in text:
            return
        if kind == "error" and "status of 4" not in text and "ERR_INTERNET_DISCONNECTED" not in text:  # refusals are told to people
            self.wrong.append(f"console: {text}")
