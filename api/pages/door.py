"""The way in: logging in, choosing a password, one-time links, and the doors of the demo. What is typed here goes to `/v1/session`.

Tokens of links stand after the `#`, which browsers keep to themselves: no log and no proxy sees them.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import PartsOf
from api.pages.render import page
from api.pages.visit import VisitOf, language_of
from api.routes.session import enter
from dispatch.errors import NotFound
from dispatch.model.roles import STAFF
from dispatch.service.demo import Door, demo_account
from dispatch.storage.accounts import Accounts

router = APIRouter(include_in_schema=False)
_SHOWN = {"territory": "Allons", "phone": None}


class Back(BaseModel):
    """Where to go afterwards: a page of this service, never another site's."""

    model_config = ConfigDict(extra="ignore")

    next: str = Field("/", max_length=500, pattern=r"^/([^/\\].*)?$")


@router.get("/login")
def show_login(request: Request, parts: PartsOf, query: Annotated[Back, Query()]) -> HTMLResponse:
    """Address, password, code."""
    shown = {"next": query.next, "provider": parts.settings.oidc_issuer is not None, "demo": parts.demo}
    return page("login.html", language_of(request), _SHOWN | shown)


@router.get("/open")
def show_opening(request: Request) -> HTMLResponse:
    """Choose a password with the link that a manager made."""
    return page("open.html", language_of(request), _SHOWN)


@router.get("/enter")
def show_entering(request: Request) -> HTMLResponse:
    """A one-time link of somebody without an account. Opened by a touch: mail programs look at links before people do."""
    return page("enter.html", language_of(request), _SHOWN)


@router.post("/demo/{who}")
def enter_demo(who: Door, parts: PartsOf) -> RedirectResponse:
    """In the demo, whose people are invented, anybody may be anybody. Elsewhere there is no such page."""
    if not parts.demo:
        raise NotFound
    response = RedirectResponse("/", 303)
    with parts.database.write() as session:
        enter(response, *demo_account(Accounts(session), who, parts.world))
    return response


@router.get("/")
def show_home(visit: VisitOf) -> RedirectResponse:
    """Each role has a home."""
    homes = {"driver": "/me", "beneficiary": "/my-rides", "prescriber": "/my-people", "partner": "/my-people", "auditor": "/journal"}
    return RedirectResponse("/day" if visit.caller.role in STAFF else homes.get(visit.caller.role, "/docs"), 303)
