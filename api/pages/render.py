"""How every page is made: a template, the words of its language, and headers that let nothing in from elsewhere.

In: a template's name, a language, what it shows. Out: an HTML answer. Called by the pages. Texts come from `words`, never from templates.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.static import asset
from api.pages.words import WORDS
from dispatch.model.notices import Language
from dispatch.notices.words import clock, day, full_date, when

#: Nothing but what this service serves, no script or style within a page, and forms that come back here. `data:` are Pico's small icons.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_pages = Environment(loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_pages.globals["asset"] = asset


def page(name: str, language: Language, shown: Mapping[str, Any], status: int = 200, *, maps_from: str = "") -> HTMLResponse:
    """One page, or a part of one. What is shown is escaped wherever it stands. `maps_from`: an origin that its map may be fetched from."""
    policy = POLICY
    for what in ("connect-src", "img-src") if maps_from else ():
        policy = policy.replace(f"{what} 'self'", f"{what} 'self' {maps_from}")
    text = _pages.get_template(name).render(words=WORDS[language], language=language, **shown)
    return HTMLResponse(text, status, headers={"Content-Security-Policy": policy, "X-Robots-Tag": "noindex", "Vary": "HX-Request"})


class Said:
    """Times and days as people say them, in one language and one zone: given to templates as `say`."""

    def __init__(self, language: Language, zone: str) -> None:
        self.language, self.zone = language, zone

    def clock(self, moment: dt.datetime) -> str:
        """« 9 h 40 »."""
        return clock(moment, self.language, self.zone)

    def day(self, date: dt.date) -> str:
        """« mardi 2 décembre »."""
        return day(date, self.language)

    def full_date(self, date: dt.date) -> str:
        """« mardi 2 décembre 2026 »."""
        return full_date(date, self.language)

    def when(self, moment: dt.datetime) -> str:
        """« mardi 2 décembre, 9 h 40 »."""
        return when(moment, self.language, self.zone)
