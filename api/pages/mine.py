"""Homes of those who are driven and of those who refer them: one's own rides; and the people one has entered, with how their rides stand.

In: a visit. Out: pages that show; what changes something goes to `/v1`, or to the page of the ride. A referrer sees the people and the
requests that he or she entered, as in the API, and nobody else's.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.asking import needs_to_choose, place_name
from api.pages.visit import Visit, VisitOf
from api.pages.ways import Ride, isolated, tell_rides
from dispatch.model.consent import REFERRAL, WORDINGS
from dispatch.notices.links import make_token
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(include_in_schema=False)
_PAST_SHOWN = 10
_NAMED = 20  # rides of which the place is looked up
_PEOPLE_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Referred:
    """Somebody one has entered."""

    id: UUID
    name: str
    coming: tuple[Ride, ...]
    last: Ride | None


@router.get("/my-rides")
def show_my_rides(visit: VisitOf) -> HTMLResponse:
    """To come, the next one first; and the last ones that are over."""
    holder = visit.caller.holder_id or UUID(int=0)
    with visit.reading() as store:
        store.get(Beneficiary, holder)
        coming, past = _rides(visit, store, list(store.requests_for(holder)))
        links = {ride.id: make_token(store.vault, "ride", ride.id) for ride in (*coming, *past[:_PAST_SHOWN])}
        where = {ride.id: place_name(visit, ride.request.destination) for ride in coming[:_NAMED]}
        shown: dict[str, Any] = {"coming": coming, "past": past[:_PAST_SHOWN], "links": links, "where": where}
        answer = visit.page("person/my_rides.html", store.territory(), **shown)
    visit.parts.note_read(visit.caller, "beneficiary", holder)
    return answer


@router.get("/my-people")
def show_my_people(visit: VisitOf) -> HTMLResponse:
    """Those with a ride to come first, the nearest one first; then by name."""
    mine = {"entered_by": visit.caller.actor_id}
    with visit.reading() as store:
        rows = store.page(Beneficiary, None, _PEOPLE_SHOWN, **mine)
        who = store.identities(row.id for row in rows)
        asked: dict[UUID, list[TripRequest]] = {row.id: [] for row in rows}
        for request in store.page(TripRequest, None, _PEOPLE_SHOWN, **mine):
            if request.beneficiary_id in asked:
                asked[request.beneficiary_id].append(request)
        people = []
        for row in rows:
            coming, past = _rides(visit, store, asked[row.id])
            people.append(Referred(row.id, isolated(who[row.id].name or ""), tuple(coming), past[0] if past else None))
        people.sort(key=lambda one: (not one.coming, one.coming[0].moment.isoformat() if one.coming else "", one.name.casefold()))
        answer = visit.page("person/my_people.html", store.territory(), people=people)
    visit.parts.note_read(visit.caller, "beneficiary", None, len(rows))
    return answer


@router.get("/my-people/new")
def show_new_person(visit: VisitOf) -> HTMLResponse:
    """The form for somebody new."""
    with visit.reading() as store:
        usual, others = needs_to_choose(visit.language)
        said: dict[str, Any] = {"wording": REFERRAL, "consent": WORDINGS[REFERRAL][visit.language == "en"]}
        return visit.page("person/new_person.html", store.territory(), usual_needs=usual, other_needs=others, **said)


def _rides(visit: Visit, store: Store, requests: list[TripRequest]) -> tuple[list[Ride], list[Ride]]:
    """To come, the next one first; over, the latest one first."""
    now = visit.parts.world.now()
    rides = sorted(tell_rides(store, requests, visit.language, now), key=lambda ride: ride.moment)
    coming = [ride for ride in rides if ride.tone != "over" and (ride.last >= now or ride.can_call_back)]
    return coming, [ride for ride in reversed(rides) if ride not in coming]
