"""The page behind the link in an offer: a volunteer sees what is asked and answers with one thumb, without an account.

Looking changes nothing, since mail programs look at links before people do; buttons send forms. A link is good as long as its offer is
open, and afterwards shows what became of it. Until somebody has said yes, it shows a first name and no address.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, get_args
from uuid import UUID

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
from dispatch.service.asking import bundle_of
from dispatch.service.bundles import answer_all, answer_way
from dispatch.service.offers import OfferView, show_offers
from dispatch.service.people import rules_of
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Offer, Volunteer
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
    """Yes to all."""
    return _answer(token, request, parts, None)


@router.post("/{token}/decline/{reason}", response_model=None)
def decline_by_link(token: Token, reason: DeclineReason, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """No to all, and why."""
    return _answer(token, request, parts, reason)


@router.post("/{token}/ways/{leg_id}/accept", response_model=None)
def accept_way_by_link(token: Token, leg_id: UUID, request: Request, parts: PartsOf) -> HTMLResponse | RedirectResponse:
    """Yes to one way of several."""
    return _answer(token, request, parts, None, leg_id)


@router.post("/{token}/ways/{leg_id}/decline/{reason}", response_model=None)
def decline_way_by_link(
    token: Token, leg_id: UUID, reason: DeclineReason, request: Request, parts: PartsOf
) -> HTMLResponse | RedirectResponse:
    """No to one way of several, and why."""
    return _answer(token, request, parts, reason, leg_id)


def _answer(
    token: str, request: Request, parts: PartsOf, reason: DeclineReason | None, leg_id: UUID | None = None
) -> HTMLResponse | RedirectResponse:
    """Tapped twice, or too late: the page says how things stand; nothing is undone by a second tap."""
    try:
        with _opened(token, parts, changing=True) as (store, offer):
            if leg_id is None:
                answer_all(store, offer, reason, parts.world, "link")
            else:
                answer_way(store, offer, leg_id, reason, parts.world, "link")
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
    """Everything the page says, in the volunteer's language: about all that was asked together."""
    territory, views = store.territory(), show_offers(store, store.bundle(bundle_of(offer)))
    volunteer = store.get(Volunteer, offer.volunteer_id)
    language: Language = "en" if volunteer.language == "en" else "fr"
    words, zone = WORDS[language], territory.timezone
    state = _state(views)
    shown = [view for view in views if view.offer.state in ("sent", "accepted")] if state in ("sent", "accepted") else []
    shown.sort(key=lambda view: view.rides[0][1].told_pickup_at)
    waiting = [view for view in views if view.offer.state == "sent"]
    answered = {view.offer.state for view in views} & {"accepted", "declined"}
    choices = [choice for view in shown if view.offer.state == "sent" for choice in _choices(view, language, zone)]
    return language, {
        "territory": territory.name,
        "phone": rules_of(territory).telling.phone,
        "token": token,
        "state": state,
        "said": words[state] if state != "sent" else words["rest"] if answered else "",
        "day": day(wall(min(told.told_pickup_at for view in views for _, told in view.rides), zone), language),
        "parts": [_part(view, language, zone) for view in shown],
        "number": sum(len(view.rides) for view in waiting),
        "until": when(min(view.offer.expires_at for view in waiting), language, zone) if waiting else "",
        "choices": choices if len(choices) > 1 else [],
        "reasons": get_args(DeclineReason),
        **_way(store, shown, language, zone),
    }


def _state(views: Sequence[OfferView]) -> str:
    """Of the whole: what is still open comes first, then what is to be driven."""
    there = {view.offer.state for view in views}
    return next(state for state in ("sent", "accepted", "declined", "expired", "withdrawn") if state in there)


def _part(view: OfferView, language: Language, zone: str) -> dict[str, Any]:
    """One person's ways."""
    return {
        "state": view.offer.state,
        "rides": [_ride(leg, told, language, zone) for leg, told in view.rides],
        "who": first_name(view.identity.name) or "",
        "seats": view.request.seats,
        "needs": _needs(view, language),
        "stays": view.request.wait_at_destination and len(view.rides) > 1,
    }


def _ride(leg: Leg, told: Assignment, language: Language, zone: str) -> dict[str, Any]:
    pickup, dropoff = (clock(moment, language, zone) for moment in (told.told_pickup_at, told.dropoff_at))
    return {"leg": leg.id, "direction": leg.direction, "pickup": pickup, "dropoff": dropoff}


def _choices(view: OfferView, language: Language, zone: str) -> list[dict[str, Any]]:
    """What can be answered by itself: each way, or both where they need the same volunteer."""
    rides = [_ride(leg, told, language, zone) for leg, told in view.rides]
    together = [rides] if view.request.same_driver == "require" else [[ride] for ride in rides]
    return [{"leg": ways[0]["leg"], "rides": ways, "who": first_name(view.identity.name) or ""} for ways in together]


def _needs(view: OfferView, language: Language) -> list[str]:
    told = [NEEDS[need][language == "en"] for need in dict.fromkeys([*view.beneficiary.needs, *view.request.needs]) if need in NEEDS]
    return [WORDS[language]["wheelchair"], *told] if view.beneficiary.wheelchair else told


def _way(store: Store, views: Sequence[OfferView], language: Language, zone: str) -> dict[str, Any]:
    """From home to home, as far as the plan knows."""
    runs = {told.run_id for view in views for _, told in view.rides if told.active}
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
