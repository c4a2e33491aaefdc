"""« Demander un trajet »: four questions, for oneself or for somebody one refers. `person/ask.js` asks them one after the other, reads the
wish back in words, and posts it to `/v1/trip-requests`.

In: a visit and a person's file. Out: a page that knows the person's home, places and needs, the days that can be asked for, and a sentence
for each way in which the territory's booking rules may say no, with what would be possible.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.auth import own_beneficiary
from api.pages.visit import Visit, VisitOf
from api.pages.ways import isolated
from api.pages.words import WORDS
from dispatch.model.asking import PURPOSES
from dispatch.model.day import Point
from dispatch.model.intake import RowId
from dispatch.model.needs import NEEDS
from dispatch.model.notices import Language
from dispatch.model.rules import Booking
from dispatch.model.slots import slot_instant
from dispatch.notices.words import day, weekday
from dispatch.rules.booking import last_call
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(include_in_schema=False)
_DAYS_SHOWN = 60
_REMEMBERED = 6
_NEAR_DIGITS = 4  # of degrees, ten metres: the same place
#: What most people ask for; the rest of the catalogue is behind a fold.
_USUAL = ("walker", "cane", "fold_wheelchair", "door_to_door", "front_seat", "low_step", "visual", "hearing")


@dataclass(frozen=True, slots=True)
class Place:
    """A place somebody went to before."""

    point: Point
    label: str


@router.get("/ask")
def show_asking(visit: VisitOf) -> HTMLResponse:
    """For oneself."""
    with visit.reading() as store:
        row = store.get(Beneficiary, visit.caller.holder_id or UUID(int=0))
        shown = _asking(visit, store, row)
        answer = visit.page("person/ask.html", store.territory(), other=None, home_page="/my-rides", **shown)
    visit.parts.note_read(visit.caller, "beneficiary", row.id)
    return answer


@router.get("/ask/{beneficiary_id}")
def show_asking_for(beneficiary_id: RowId, visit: VisitOf) -> HTMLResponse:
    """For somebody one refers; NotFound for anybody else."""
    with visit.reading() as store:
        row = own_beneficiary(visit.caller, store.get(Beneficiary, beneficiary_id))
        shown = _asking(visit, store, row)
        name = isolated(store.identity(row.id).name or "")
        answer = visit.page("person/ask.html", store.territory(), other=name, home_page="/my-people", **shown)
    visit.parts.note_read(visit.caller, "beneficiary", row.id)
    return answer


def needs_to_choose(language: Language, known: tuple[str, ...] = ()) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The usual ones and the others, with their names, but for those that are known."""
    named = {need: labels[language == "en"] for need, labels in NEEDS.items() if need not in known}
    return [(need, named[need]) for need in _USUAL if need in named], [pair for pair in named.items() if pair[0] not in _USUAL]


def _asking(visit: Visit, store: Store, row: Beneficiary) -> dict[str, Any]:
    territory, language = store.territory(), visit.language
    rules = rules_of(territory).booking
    requests = [request for request in store.requests_for(row.id) if visit.caller.holder_id or request.entered_by == visit.caller.actor_id]
    usual, others = needs_to_choose(language, tuple(row.needs))
    return {
        "person": row.id,
        "home": row.home,
        "places": _remembered(visit, requests, row.home),
        "days": [(date, day(date, language)) for date in open_days(rules, visit.parts.world.now(), territory.timezone)],
        "hours": _hours(rules, language),
        "purposes": [(code, PURPOSES[code][language == "en"]) for code in (rules.purposes or PURPOSES)],
        "ask_purpose": visit.caller.is_referrer or rules.purposes is not None,
        "known_needs": visit.needs(row.needs),
        "usual_needs": usual,
        "other_needs": others,
        "refusals": _refusals(rules, language),
    }


def _remembered(visit: Visit, requests: list[TripRequest], home: Point) -> list[Place]:
    """Where somebody went before, what was asked for most often first; named by the map, or by the day where the map knows no name."""

    def near(point: Point) -> Point:
        return round(point[0], _NEAR_DIGITS), round(point[1], _NEAR_DIGITS)

    counted = Counter(near(request.destination) for request in requests)
    newest: dict[Point, TripRequest] = {}
    for request in requests:  # the latest day comes first
        newest.setdefault(near(request.destination), request)
    counted.pop(near(home), None)
    found = []
    for spot, _ in counted.most_common(_REMEMBERED):
        request = newest[spot]
        label = place_name(visit, request.destination)
        text = WORDS[visit.language]["ask_some_place"].format(day=day(request.service_date, visit.language))
        found.append(Place(request.destination, label or text))
    return found


def place_name(visit: Visit, point: Point) -> str:
    """The nearest address that the map knows, said to be near: it need not be what somebody chose. Empty where it knows none."""
    name = visit.place(point)
    return WORDS[visit.language]["ask_near"].format(place=name) if name else ""


def open_days(rules: Booking, now: dt.datetime, zone: str) -> Iterator[dt.date]:
    """The days that somebody may choose now; whether the hour may be, the request itself is told."""
    today = now.astimezone(ZoneInfo(zone)).date()
    for date in (today + dt.timedelta(days=k) for k in range(min(rules.horizon_days, _DAYS_SHOWN) + 1)):
        ends = slot_instant(date, rules.open_until or "23:59", zone)
        late = rules.cut_off is not None and now > last_call(rules, slot_instant(date, "12:00", zone), zone)
        if date.weekday() in rules.weekdays and not late and ends > now + dt.timedelta(minutes=rules.notice_minutes):
            yield date


def _hours(rules: Booking, language: Language) -> list[tuple[str, str]]:
    """In the order of a day that begins at five."""
    first, last = int((rules.open_from or "00:00")[:2]), int((rules.open_until or "23:59")[:2])
    order = [hour for hour in (*range(5, 24), *range(5)) if first <= hour <= last]
    return [(f"{hour:02}", f"{hour} h" if language == "fr" else f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}") for hour in order]


def _refusals(rules: Booking, language: Language) -> dict[str, str]:
    """A sentence for each code that the request may be refused with."""
    words = WORDS[language]
    hours, rest = divmod(rules.notice_minutes, 60)
    notice = words["minutes_n"].format(n=rules.notice_minutes) if rest else words["hours_1" if hours == 1 else "hours_n"].format(n=hours)
    purposes = ", ".join(PURPOSES[code][language == "en"] for code in rules.purposes or ())
    first, last = (_wall(text, language) for text in (rules.open_from or "00:00", rules.open_until or "23:59"))
    return {
        "past": words["no_past"],
        "too_far_ahead": words["no_far"].format(days=rules.horizon_days),
        "short_notice": words["no_notice"].format(notice=notice),
        "after_cut_off": words["no_cut_off"],
        "closed_that_day": words["no_day"].format(days=", ".join(weekday(k, language) for k in rules.weekdays)),
        "outside_hours": words["no_hour"].format(first=first, last=last),
        "not_driven_for": words["no_purpose"].format(purposes=purposes),
        "not_eligible": words["no_eligible"],
        "same_place": words["no_same"],
        "far_from_roads": words["no_road"],
        "conflict": words["no_twice"],
    }


def _wall(text: str, language: Language) -> str:
    hour, minute = int(text[:2]), text[3:]
    if language == "en":
        return f"{hour % 12 or 12}:{minute} {'am' if hour < 12 else 'pm'}"
    return f"{hour} h" if minute == "00" else f"{hour} h {minute}"
