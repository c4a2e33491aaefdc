"""Who looks at a page: whoever is logged in in this browser, if their role may see it. Otherwise the way to the login page.

Pages only show. What changes something goes to the API (`api.routes`), sent by `allons.js` with the page's token: one set of rules, one
set of errors. In: a request. Out: a `Visit`, from which pages are made. A page without a row in `PAGES` is refused, and fails a test.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.auth import COOKIE, enter_by_login
from api.deps import Parts, PartsOf
from api.pages.basemap import map_origin
from api.pages.render import Said, page
from dispatch.errors import Refused, Unauthenticated
from dispatch.model.day import Point
from dispatch.model.needs import NEEDS
from dispatch.model.notices import Language
from dispatch.model.roles import EVERYBODY, REFERRERS, STAFF, Role
from dispatch.service.accounts import csrf_token
from dispatch.service.keys import Caller
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Territory

_READERS: frozenset[Role] = STAFF | {"auditor"}
#: Name of the page's route -> roles that may see it.
PAGES: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "show_home": EVERYBODY,
        "show_today": STAFF,
        "show_day_page": STAFF,
        "show_board": STAFF,
        "show_pieces": STAFF,
        "show_way": STAFF,
        "show_choice": STAFF,
        "show_proposal": STAFF,
        "show_steps": STAFF,
        "show_my_rides": frozenset({"beneficiary"}),
        "show_asking": frozenset({"beneficiary"}),
        "show_asking_for": REFERRERS,
        "show_my_people": REFERRERS,
        "show_new_person": REFERRERS,
        "show_my_day": frozenset({"driver"}),
        "show_new_request": STAFF,
        "show_caller": STAFF,
        "show_territory": STAFF,
        "show_people": STAFF,
        "show_person_file": STAFF,
        "show_volunteers": STAFF,
        "show_volunteer_file": STAFF,
        "show_journal": _READERS,
        "show_sheets": STAFF,
        "show_my_hours": frozenset({"driver"}),
        "show_my_kilometres": frozenset({"driver"}),
    }
)
LANGUAGE = "allons-language"  # the cookie of whoever has chosen one


class LogIn(Exception):
    """Nobody is logged in: go to the login page and come back."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One look at one page."""

    request: Request
    parts: Parts
    caller: Caller
    language: Language
    csrf: str

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A look at the visitor's territory."""
        with self.parts.reading(self.caller.territory_id) as store:
            yield store

    def today(self, territory: Territory) -> dt.date:
        """The date where people are."""
        return self.parts.world.now().astimezone(ZoneInfo(territory.timezone)).date()

    def place(self, point: Point) -> str:
        """What a point is called, by the local index alone: no page tells a service where people live. Empty: nothing near has a name."""
        return self.parts.geocoder.name_here(*point)

    def needs(self, needs: Iterable[str]) -> list[str]:
        """Needs of the catalogue in the visitor's words, each once."""
        return [NEEDS[need][self.language == "en"] for need in dict.fromkeys(needs) if need in NEEDS]

    def page(self, name: str, territory: Territory, status: int = 200, **shown: Any) -> HTMLResponse:
        """A page, or a part of one, with what every page of somebody who is logged in shows."""
        common = {
            "territory": territory.name,
            "territory_id": territory.id,
            "zone": territory.timezone,
            "note": territory.note,
            "phone": rules_of(territory).telling.phone,
            "csrf": self.csrf,
            "role": self.caller.role,
            "here": self.request.url.path,
            "today": self.today(territory),
            "say": Said(self.language, territory.timezone),
            "demo": self.parts.demo,
            "english": self.language == "en",
        }
        return page(name, self.language, common | shown, status, maps_from=map_origin(self.parts.settings))


def visit(request: Request, parts: PartsOf) -> Visit:
    """Who looks. LogIn when nobody is logged in, Refused when their role may not see this page."""
    token = request.cookies.get(COOKIE)
    if token is None:
        raise LogIn
    try:
        caller = enter_by_login(request, parts, token)
    except Unauthenticated:
        raise LogIn from None
    if caller.role not in PAGES.get(request.scope["route"].name, frozenset()):
        raise Refused
    return Visit(request=request, parts=parts, caller=caller, language=language_of(request), csrf=csrf_token(token))


VisitOf = Annotated[Visit, Depends(visit)]


def language_of(request: Request) -> Language:
    """As chosen on a page, else as the browser says; French first."""
    chosen = request.cookies.get(LANGUAGE) or request.headers.get("accept-language", "fr")
    return "en" if chosen.lower().startswith("en") else "fr"


def to_login(request: Request, _: Exception) -> RedirectResponse | HTMLResponse:
    """The login page, which leads back here. A part of a page cannot be a login page: the whole page goes there."""
    back = request.url.path if request.method in ("GET", "HEAD") else "/"
    if "hx-request" in request.headers:
        back = request.headers.get("hx-current-url", "/")
        back = "/" + back.split("/", 3)[3] if back.count("/") >= 3 else "/"
        return HTMLResponse("", 200, headers={"HX-Redirect": f"/login?next={quote(back)}"})
    return RedirectResponse(f"/login?next={quote(back)}", 303)


def trouble(request: Request, status: int) -> HTMLResponse:
    """A sentence for whoever came by a page and cannot be shown it."""
    language = language_of(request)
    known = status if status in (403, 404, 429, 503) else 404 if status in (400, 405, 422) else 500
    return page("trouble.html", language, {"territory": "Allons", "phone": None, "sentence": f"trouble_{known}"}, status)
