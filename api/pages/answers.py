"""The page behind the link in an offer: a volunteer sees what is asked and answers with one thumb, without an account.

Looking changes nothing, since mail programs look at links before people do; buttons send forms. A link is good as long as its offer is
open, and afterwards shows what became of it. Until somebody has said yes, it shows a first name and no address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import PartsOf
from api.pages.render import page
from api.pages.words import WORDS
from dispatch.engine.throttle import STRANGERS
from dispatch.errors import Conflict, IllegalMove, NotFound
from dispatch.model.intake import DeclineReason
from dispatch.model.needs import NEEDS
from dispatch.model.notices import Language
from dispatch.notices.links import read_token
from dispatch.notices.words import clock, day, first_name, wall, when
from dispatch.service.offers import OfferView, accept_offer, decline_offer, show_offers
from dispatch.service.people import rules_of
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Volunteer
from dispatch.storage.vault import vault_of

router = APIRouter(prefix="/o", include_in_schema=False)
Token = Annotated[str, Path(max_length=64)]
_STRANGER: dict[str, Any] = {"territory": "Allons", "phone": None}


@router.get("/{token}")
def show_offer_page(token: Token, request: Request, parts: PartsOf) -> HTMLResponse:
    """What is asked, or what became of it."""
    try:
        with _opened(token, parts, changing=False) as (store, offer):
            return page("offer.html", *_shown(store, offer, token))
    except NotFound:
        return nothing(request, parts)


@router.post("/{token}/accept", response_model=None)
def accept_by_link(token: Token, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """Yes."""
    return _answer(token, request, parts, None)


@router.post("/{token}/decline/{reason}", response_model=None)
def decline_by_link(token: Token, reason: DeclineReason, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """No, and why."""
    return _answer(token, request, parts, reason)


def _answer(token: str, request: Request, parts: PartsOf, reason: DeclineReason | None) -> HTMLResponse | RedirectResponse:
    """Tapped twice, or too late: the page says how things stand; nothing is undone by a second tap."""
    try:
        with _opened(token, parts, changing=True) as (store, offer):
            if reason is None:
                accept_offer(store, offer, parts.world, "link")
            else:
                decline_offer(store, offer, reason, parts.world, "link")
    except NotFound:
        return nothing(request, parts)
    except (Conflict, IllegalMove):
        pass
    return RedirectResponse(f"/o/{token}", 303)  # so that going back and loading anew send nothing again


@contextmanager
def _opened(token: str, parts: PartsOf, *, changing: bool) -> Iterator[tuple[Store, Offer]]:
    """The offer that a link is about, in its territory. NotFound for what was not signed here, or is not there any more."""
    with parts.database.read() as session:
        about = read_token(vault_of(session), "offer", token)
        territories = [row.id for row in Registry(session).territories()] if about is not None else []
    for territory_id in territories:
        with parts.database.read() as session:
            found = session.get(Offer, about) if Store(session, territory_id) else None
            if found is None or found.territory_id != territory_id:
                continue
            actor = found.volunteer_id
        if not changing:
            with parts.reading(territory_id) as store:
                yield store, store.get(Offer, found.id)
                return
        with parts.writing(territory_id, actor) as store:
            yield store, store.get(Offer, found.id)
            return
    raise NotFound


def _shown(store: Store, offer: Offer, token: str) -> tuple[Language, dict[str, Any]]:
    """Everything the page says, in the volunteer's language."""
    territory, view = store.territory(), show_offers(store, [offer])[0]
    volunteer = store.get(Volunteer, offer.volunteer_id)
    language: Language = "en" if volunteer.language == "en" else "fr"
    words, zone = WORDS[language], territory.timezone
    pickups = [told.told_pickup_at for _, told in view.rides]
    rides = [
        {
            "direction": leg.direction,
            "pickup": clock(told.told_pickup_at, language, zone),
            "dropoff": clock(told.dropoff_at, language, zone),
        }
        for leg, told in view.rides
    ]
    return language, {
        "territory": territory.name,
        "phone": rules_of(territory).telling.phone,
        "token": token,
        "state": offer.state,
        "said": words[offer.state] if offer.state != "sent" else "",
        "day": day(wall(min(pickups), zone), language),
        "rides": rides,
        "who": first_name(view.identity.name) or "",
        "seats": view.request.seats,
        "needs": _needs(view, language),
        "until": when(offer.expires_at, language, zone),
        "reasons": get_args(DeclineReason),
        **_way(store, view, language, zone),
    }


def _needs(view: OfferView, language: Language) -> list[str]:
    told = [NEEDS[need][language == "en"] for need in dict.fromkeys([*view.beneficiary.needs, *view.request.needs]) if need in NEEDS]
    return [WORDS[language]["wheelchair"], *told] if view.beneficiary.wheelchair else told


def _way(store: Store, view: OfferView, language: Language, zone: str) -> dict[str, Any]:
    """From home to home, as far as the plan knows."""
    runs = {told.run_id for _, told in view.rides if told.active}
    stops = [stop for found in store.stops_of(runs).values() for stop in found]
    if not stops:
        return {"leaves": "", "back": "", "km": 0}
    return {
        "leaves": clock(min(stop.depart_at for stop in stops), language, zone),
        "back": clock(max(stop.arrive_at for stop in stops), language, zone),
        "km": round(sum(stop.metres for stop in stops) / 1000),
    }


def nothing(request: Request, parts: PartsOf) -> HTMLResponse:
    """For links that open nothing. Whoever tries many of them is slowed down."""
    parts.throttle.take(STRANGERS, "stranger", request.client.host if request.client else "")
    language: Language = "en" if request.headers.get("accept-language", "fr").lower().startswith("en") else "fr"
    return page("nothing.html", language, _STRANGER, 404)
