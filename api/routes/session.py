"""Logging in and out: by password and code, by one-time link, by an identity provider. What it leads to is a cookie.

Tries with a password are counted per account, wrong ones per address. Keys, links and cookies are too long to be guessed.
"""

from typing import Annotated

import segno
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.auth import COOKIE, CallerOf
from api.deps import PartsOf
from api.schemas import Opened, SessionOut
from dispatch.engine.throttle import JOURNEYS, LOGINS, WRONG
from dispatch.errors import CodeNeeded, Unauthenticated
from dispatch.model.entering import Credentials, LinkToken, Opening
from dispatch.model.roles import HOLDERS
from dispatch.service import accounts as service
from dispatch.service.oidc import LASTS, Journey, Provider
from dispatch.storage.accounts import Accounts, Login

JOURNEY = "__Host-allons-oidc"

router = APIRouter(prefix="/session", tags=["session"])
own_router = APIRouter(prefix="/session", tags=["session"])  # for who is logged in


class Returned(BaseModel):
    """What a provider sends back, among other things that are not needed."""

    code: str | None = Field(None, max_length=4000)
    state: str = Field("", max_length=200)


@router.post("")
def log_in(given: Credentials, request: Request, response: Response, parts: PartsOf) -> SessionOut:
    """By e-mail address and password; staff give the six digits of their second factor too."""
    address = _address(request)
    parts.throttle.check(WRONG, address)
    parts.throttle.take(LOGINS, "login", given.email.casefold())
    try:
        with parts.database.write() as session:
            row, token = service.log_in(Accounts(session), given.email, given.password, given.code, parts.world)
    except Unauthenticated as error:
        if not isinstance(error, CodeNeeded):
            parts.throttle.take(WRONG, address)
        raise
    return enter(response, row, token)


@router.post("/link")
def use_link(given: LinkToken, response: Response, parts: PartsOf) -> SessionOut:
    """By a link that somebody without an account was given. It works once."""
    with parts.database.write() as session:
        row, token = service.use_link(Accounts(session), given.token, parts.world)
    return enter(response, row, token)


@router.post("/password")
def open_account(given: Opening, parts: PartsOf) -> Opened:
    """Choose a password with the link of an account. Staff get the secret of their second factor, shown once."""
    with parts.database.write() as session:
        uri = service.open_account(Accounts(session), given.token, given.password, parts.world).totp_uri
    return Opened(totp_uri=uri, totp_svg=_drawn(uri) if uri else None)


@router.get("/oidc", status_code=303)
def start_oidc(request: Request, parts: PartsOf) -> RedirectResponse:
    """Log in with the identity provider of this installation, if it has one: sends the browser there."""
    parts.throttle.take(JOURNEYS, "journey", _address(request))
    url, journey = Provider(parts.settings).begin(parts.world)
    with parts.database.read() as session:
        sealed = journey.sealed(Accounts(session).vault)
    response = RedirectResponse(url, 303)
    # it comes back by a link on another site: a strict cookie would stay away
    response.set_cookie(JOURNEY, sealed, max_age=int(LASTS.total_seconds()), secure=True, httponly=True, samesite="lax")
    return response


@router.get("/oidc/callback", status_code=303)
def finish_oidc(request: Request, parts: PartsOf, query: Annotated[Returned, Query()]) -> RedirectResponse:
    """Where the identity provider sends the browser back to."""
    with parts.database.read() as session:
        journey = Journey.opened(Accounts(session).vault, request.cookies.get(JOURNEY, ""), parts.world)
    parts.throttle.take(JOURNEYS, "return", _address(request))
    if query.code is None:
        raise Unauthenticated("The identity provider did not vouch for anybody.")
    email = Provider(parts.settings).finish(journey, query.code, query.state)
    response = RedirectResponse("/", 303)
    with parts.database.write() as session:
        enter(response, *service.log_in_by_address(Accounts(session), email, parts.world))
    response.delete_cookie(JOURNEY, secure=True, httponly=True, samesite="lax")
    return response


@own_router.get("")
def show_session(request: Request, caller: CallerOf) -> SessionOut:
    """Who is asking, and what changes must carry."""
    token = request.cookies.get(COOKIE)
    return SessionOut(
        role=caller.role,
        territory_id=caller.territory_id,
        holder_id=caller.holder_id,
        csrf_token=service.csrf_token(token) if token else None,
    )


@own_router.delete("", status_code=204)
def log_out(request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """This browser is logged out, here and on the server. A key stays what it is."""
    if token := request.cookies.get(COOKIE):
        with parts.database.write() as session:
            service.log_out(Accounts(session), token)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return response


def _drawn(uri: str) -> str:
    """A QR code, dark on light in any theme, with the quiet margin that cameras need. Nobody else is asked to draw a secret."""
    return segno.make_qr(uri, error="m").svg_inline(omitsize=True, light="#fff", border=4)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def enter(response: Response, row: Login, token: str) -> SessionOut:
    """Set the cookie. A browser on somebody's own phone keeps it; one in an office forgets it when it is closed."""
    lasting = int((row.expires_at - row.created_at).total_seconds()) if row.role in HOLDERS else None
    response.set_cookie(COOKIE, token, max_age=lasting, secure=True, httponly=True, samesite="lax")
    own = {"role": row.role, "territory_id": row.territory_id, "holder_id": row.holder_id}
    return SessionOut(**own, csrf_token=service.csrf_token(token))
