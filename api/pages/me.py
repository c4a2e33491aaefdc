"""« Ma journée »: what a volunteer is asked, drives now, and drives later this week. For one thumb, with or without network.

In: a `Visit` of a volunteer. Out: pages, which `static/me/day.js` keeps in step with taps; taps go to `/v1/legs/…/status`. Who is driven,
and where, is shown from a day before a run until two hours after it.
"""

import datetime as dt
from typing import Any, get_args
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.deps import Parts
from api.pages.render import Said
from api.pages.visit import Visit, VisitOf
from api.pages.words import WORDS
from dispatch.errors import Refused
from dispatch.model.intake import DeclineReason
from dispatch.model.needs import NEEDS
from dispatch.notices.words import first_name, wall
from dispatch.service.people import rules_of
from dispatch.service.volunteer_day import Halt, Question, Sheet, load_my_day
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(prefix="/me", include_in_schema=False)
KEEP = "Allons-Keep-Until"  # a browser that keeps the page for times without network forgets it then


def holder_of(visit: Visit) -> UUID:
    """Whose pages these are. Refused for a login that is nobody's."""
    if visit.caller.holder_id is None:
        raise Refused
    return visit.caller.holder_id


@router.get("")
def show_my_day(visit: VisitOf) -> HTMLResponse:
    """Questions, the next stop, the rest of the day, the week."""
    holder = holder_of(visit)
    with visit.reading() as store:
        territory = store.territory()
        day = load_my_day(store, holder, visit.parts.world)
        say = Said(visit.language, territory.timezone)
        wait = rules_of(territory).driving.wait_minutes
        shown: dict[str, Any] = {
            "holder": holder,
            "now": visit.parts.world.now(),
            "questions": [_question(question, say) for question in day.questions],
            "reasons": get_args(DeclineReason),
            "next": day.next,
            "sheets": [show_sheet(sheet, say, visit.parts, wait) for sheet in day.sheets],
            "later": [_later(run, people, say) for run, people in day.later],
            "tab": "/me",
        }
        answer = visit.page("me/day.html", territory, **shown)
    visit.parts.note_read(visit.caller, "beneficiary", None, day.people)
    keep = max((sheet.until for sheet in day.sheets), default=visit.parts.world.now() + dt.timedelta(hours=12))
    answer.headers[KEEP] = keep.isoformat()
    return answer


def show_sheet(sheet: Sheet, say: Said, parts: Parts, wait_minutes: int) -> dict[str, Any]:
    """A run as it is read: its day, from home to home, and stop by stop."""
    return {
        "run": sheet.run,
        "day": say.day(wall(sheet.leaves_at, say.zone)),
        "leaves": say.clock(sheet.leaves_at),
        "back": say.clock(sheet.back_at),
        "km": round(sheet.metres / 1000),
        "until": sheet.until.isoformat(),
        "halts": [_halt(halt, say, parts, wait_minutes) for halt in sheet.halts],
    }


def _halt(halt: Halt, say: Said, parts: Parts, wait_minutes: int) -> dict[str, Any]:
    lon, lat = halt.stop.place
    label = parts.geocoder.name_here(lon, lat)
    at = f"{lat:.6f},{lon:.6f}"
    rider = halt.rider
    called, note = rider.called(halt.stop.kind)
    told = rider.assignment.told_pickup_at
    waited_from = max(halt.arrived_at or told, told)
    return {
        "halt": halt,
        "time": say.clock(halt.at),
        "name": rider.identity.name or "…",
        "phone": rider.identity.phone,
        "called": called if called != label else None,
        "label": label,
        "note": note,
        "needs": needs_of(rider.beneficiary, rider.request, say),
        "seats": rider.request.seats,
        "stays": say.clock(halt.stays_until) if halt.stays_until else None,
        "geo": f"geo:{at}?q={at}" + (f"({quote(label)})" if label else ""),
        "osm": f"https://www.openstreetmap.org/?mlat={lat:.6f}&mlon={lon:.6f}#map=17/{lat:.6f}/{lon:.6f}",
        "opens": halt.opens_at.isoformat(),
        "opens_said": say.clock(halt.opens_at),
        "told": told.isoformat(),
        "arrived": halt.arrived_at.isoformat() if halt.arrived_at else "",
        "waited": (waited_from + dt.timedelta(minutes=wait_minutes)).isoformat(),
        "wait_minutes": wait_minutes,
    }


def needs_of(person: Beneficiary, request: TripRequest, say: Said) -> list[str]:
    """What somebody needs, in words; a wheelchair first."""
    told = [NEEDS[need][say.language == "en"] for need in dict.fromkeys([*person.needs, *request.needs]) if need in NEEDS]
    return [WORDS[say.language]["wheelchair"], *told] if person.wheelchair else told


def _question(question: Question, say: Said) -> dict[str, Any]:
    """An offer as it is asked: a first name, and no address."""
    view = question.view
    rides = [
        {"direction": leg.direction, "pickup": say.clock(told.told_pickup_at), "dropoff": say.clock(told.dropoff_at)}
        for leg, told in view.rides
    ]
    return {
        "id": view.offer.id,
        "day": say.day(wall(min(told.told_pickup_at for _, told in view.rides), say.zone)),
        "rides": rides,
        "who": first_name(view.identity.name) or "",
        "seats": view.request.seats,
        "stays": view.request.wait_at_destination and len(rides) > 1,
        "needs": needs_of(view.beneficiary, view.request, say),
        "leaves": say.clock(question.leaves_at) if question.leaves_at else "",
        "back": say.clock(question.back_at) if question.back_at else "",
        "km": round(question.metres / 1000),
        "until": say.when(view.offer.expires_at),
    }


def _later(run: Any, people: int, say: Said) -> dict[str, Any]:
    """A run that is still far ahead: when, and how many; nothing about whom or where."""
    return {
        "day": say.day(wall(run.starts_at, say.zone)),
        "leaves": say.clock(run.starts_at),
        "back": say.clock(run.ends_at),
        "km": round(run.metres / 1000),
        "people": people,
    }
