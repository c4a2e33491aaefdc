"""« Mon trajet »: the page behind the link in what somebody is told about a ride: how it stands, without an account.

As with offers (`pages.answers`), looking changes nothing and buttons send forms. A link is about a request or one of its ways, shows both
ways, names the driver by first name and no address at all, and is good until some days after the ride.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.auth import COOKIE
from api.deps import PartsOf
from api.pages.answers import nothing
from api.pages.render import page
from api.pages.ways import Ride, tell_rides
from dispatch.errors import BadInput, Conflict, IllegalMove, NotFound
from dispatch.model.intake import Cancel
from dispatch.model.notices import Language
from dispatch.notices.compose import language_of
from dispatch.notices.links import read_token
from dispatch.service.people import rules_of
from dispatch.service.trips import bring_back, cancel_trip
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Leg, TripRequest
from dispatch.storage.vault import vault_of

router = APIRouter(prefix="/r", include_in_schema=False)
Token = Annotated[str, Path(max_length=64)]
KEPT = dt.timedelta(days=7)  # after the ride: then a link that is still lying about says nothing any more


@router.get("/{token}")
def show_ride(token: Token, request: Request, parts: PartsOf) -> HTMLResponse:
    """How it stands."""
    return _show("person/ride.html", token, request, parts)


@router.get("/{token}/cancel", response_model=None)
def show_cancelling(token: Token, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """Asks once more."""
    return _show("person/cancel.html", token, request, parts)


@router.post("/{token}/cancel/{what}", response_model=None)
def cancel_by_link(token: Token, what: Literal["all", "return"], request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """The ride is not wanted any more. Tapped twice, or too late: the page says how things stand."""
    try:
        with _opened(token, parts, changing=True) as (store, trip):
            cancel_trip(store, trip, parts.world, Cancel(reason="other", leg="return" if what == "return" else None))
    except NotFound:
        return nothing(request, parts)
    except (Conflict, IllegalMove):
        pass
    return RedirectResponse(f"/r/{token}", 303)


@router.post("/{token}/ready", response_model=None)
def call_back_by_link(token: Token, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """« Je veux rentrer maintenant »."""
    try:
        with _opened(token, parts, changing=True) as (store, trip):
            bring_back(store, trip, parts.world.now(), parts.world)
    except NotFound:
        return nothing(request, parts)
    except (BadInput, Conflict, IllegalMove):
        pass
    return RedirectResponse(f"/r/{token}", 303)


def _show(name: str, token: str, request: Request, parts: PartsOf) -> HTMLResponse:
    try:
        with _opened(token, parts, changing=False) as (store, trip):
            language, ride, shown = _shown(store, trip, parts)
    except NotFound:
        return nothing(request, parts)
    if ride.last + KEPT < parts.world.now():
        return page("person/old.html", language, shown, 410)
    return page(name, language, shown | {"ride": ride, "token": token, "known": COOKIE in request.cookies})


@contextmanager
def _opened(token: str, parts: PartsOf, *, changing: bool) -> Iterator[tuple[Store, TripRequest]]:
    """The request that a link is about, in its territory; as its person when it is changed. NotFound for what was not signed here, for
    somebody who is forgotten, and for what is over for long."""
    with parts.database.read() as session:
        about = read_token(vault_of(session), "ride", token)
        territories = [row.id for row in Registry(session).territories()] if about is not None else []
    for territory_id in territories:
        with parts.reading(territory_id) as store:
            try:
                trip = _trip(store, about)
            except NotFound:
                continue
            if not changing:
                yield store, trip
                return
            trip_id, person_id = trip.id, trip.beneficiary_id
            (ride,) = tell_rides(store, [trip], "fr", parts.world.now())
        if ride.last + KEPT < parts.world.now():
            raise NotFound
        with parts.writing(territory_id, person_id) as store:
            yield store, store.get(TripRequest, trip_id)
            return
    raise NotFound


def _trip(store: Store, about: Any) -> TripRequest:
    with suppress(NotFound):
        about = store.get(Leg, about).request_id
    trip = store.get(TripRequest, about)
    store.get(Beneficiary, trip.beneficiary_id)  # is not erased
    return trip


def _shown(store: Store, trip: TripRequest, parts: PartsOf) -> tuple[Language, Ride, dict[str, Any]]:
    territory, language = store.territory(), language_of(store.get(Beneficiary, trip.beneficiary_id))
    (ride,) = tell_rides(store, [trip], language, parts.world.now())
    return language, ride, {"territory": territory.name, "phone": rules_of(territory).telling.phone}
