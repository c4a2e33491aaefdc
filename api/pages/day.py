"""The coordinator's day: what needs a human, who drives when, every way, and one way in detail.

The page is made once. What others change comes as pieces of its board: elements with an id and, in a list, a place in its order. They are
made by the templates of the board itself, so that the two cannot differ. After a gap, or when it is much, the board is fetched anew.
Names are put on record like any other look.
"""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.pages.visit import Visit, VisitOf
from dispatch.engine.entrust import candidates
from dispatch.errors import IllegalMove, NotFound
from dispatch.model.asking import PURPOSES, REFUSALS
from dispatch.model.clock import ServiceDate
from dispatch.model.entrusting import AGAIN_REASONS
from dispatch.model.intake import RowId
from dispatch.model.lifecycle import OVER_LEG, OVER_ROUND, WAITING_LEG
from dispatch.model.plans import Plan
from dispatch.service.attention import OF_FILES, Entry, needs_a_human
from dispatch.service.day_view import DayView, Way, touched_by, view_day, view_part, view_ways
from dispatch.service.first_steps import first_steps
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Offer, Round, TripRequest

router = APIRouter(prefix="/day", include_in_schema=False)
MOST_CANDIDATES = 60
MOST_CHANGES = 60  # shown as pieces: more is the board anew
_IN_PIECES = frozenset({"request", "leg", "offer", "run", "round"})  # of the kinds of the log; what else there is may change any lane
_STEP = "[a-z_]{1,20}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Changed = Annotated[str, Query(pattern=f"^{_STEP}(,{_STEP}){{0,{MOST_CHANGES - 1}}}$", max_length=4000)]
_HISTORY = 30


@router.get("")
def show_today(visit: VisitOf) -> RedirectResponse:
    """The day there is work for: today while something of it is open, else tomorrow."""
    with visit.reading() as store:
        today = visit.today(store.territory())
        open_today = any(leg.state not in OVER_LEG for leg, _ in store.ways_of_day(today))
    return RedirectResponse(f"/day/{today if open_today else today + dt.timedelta(days=1)}", 303)


@router.get("/{date}")
def show_day_page(date: ServiceDate, visit: VisitOf) -> HTMLResponse:
    """All of a day."""
    return _board(date, visit, "day/day.html")


@router.get("/{date}/board")
def show_board(date: ServiceDate, visit: VisitOf) -> HTMLResponse:
    """What changes on it."""
    return _board(date, visit, "day/board.html")


@router.get("/{date}/steps")
def show_steps(date: ServiceDate, visit: VisitOf) -> HTMLResponse:
    """What to try first, in the demo."""
    if not visit.parts.demo:
        raise NotFound
    with visit.reading() as store:
        return visit.page("day/steps.html", store.territory(), steps=first_steps(store, date))


@router.get("/{date}/pieces")
def show_pieces(date: ServiceDate, visit: VisitOf, changed: Changed) -> Response:
    """Of the board what these steps of the log have made another, with the ids of all that was looked at: what is not among the pieces is
    gone. 205 when all of the board may be another."""
    steps = {(kind, UUID(subject)) for kind, _, subject in (one.partition(":") for one in changed.split(","))}
    rounds = {subject for kind, subject in steps if kind == "round"}
    with visit.reading() as store:
        newest = store.newest_round(date) if rounds else None
        newest = newest if newest is not None and newest.id in rounds else None
        if any(kind not in _IN_PIECES for kind, _ in steps) or (newest is not None and newest.state in OVER_ROUND):
            return Response(status_code=205)
        touched = touched_by(store, steps)
        shown = _shown(store, visit, view_part(store, date, touched))
    legs = touched.legs | shown["ways_by_id"].keys()
    looked = [f"{what}-{leg}" for leg in legs for what in ("way", "left")] + [f"lane-{person}" for person in touched.volunteers]
    return _page(visit, "day/pieces.html", shown | {"round": newest, "looked": looked})


@router.get("/{date}/ways/{leg_id}")
def show_way(date: ServiceDate, leg_id: RowId, visit: VisitOf) -> HTMLResponse:
    """One way: who, where, when, who drives and why, what was asked and answered, what can be done."""
    with visit.reading() as store:
        leg = store.get(Leg, leg_id)
        request = store.get(TripRequest, leg.request_id)
        if request.service_date != date or request.state == "refused":
            raise NotFound
        way = view_ways(store, [(leg, request)])[0]
        territory = store.territory()
        shown = _details(store, visit, way)
    visit.parts.note_read(visit.caller, "beneficiary", way.beneficiary.id)
    return visit.page("day/way.html", territory, date=date, way=way, **shown)


@router.get("/{date}/ways/{leg_id}/volunteers")
def show_choice(date: ServiceDate, leg_id: RowId, visit: VisitOf) -> HTMLResponse:
    """Who could drive it, the best first, and why the others cannot."""
    with visit.reading() as store:
        leg = store.get(Leg, leg_id)
        found, said = [], ""
        try:
            found = candidates(store, leg, visit.parts.network, visit.parts.world)[:MOST_CANDIDATES]
        except IllegalMove:
            said = "choice_closed"
        names = {person: who.name for person, who in store.identities([one.volunteer_id for one in found]).items()}
        territory = store.territory()
    visit.parts.note_read(visit.caller, "volunteer", None, len(found))
    return visit.page(
        "day/choice.html", territory, date=date, leg=leg, candidates=found, names=names, said=said, again_reasons=AGAIN_REASONS
    )


def _board(date: dt.date, visit: Visit, template: str) -> HTMLResponse:
    with visit.reading() as store:
        seen = store.newest_step(store.steps_end())  # what comes after it is told by the live stream
        newest = store.newest_round(date)
        shown = _shown(store, visit, view_day(store, date))
    days = [date + dt.timedelta(days=k) for k in range(-1, 4)]
    more = {"round": newest, "proof": proof_of(newest), "days": days, "seen": seen.id if seen else "0"}
    return _page(visit, template, shown | more)


def _shown(store: Store, visit: Visit, view: DayView) -> dict[str, Any]:
    """What the templates of the board's pieces need."""
    territory = store.territory()
    today, zone = visit.today(territory), territory.timezone
    entries = [entry for entry in needs_a_human(store, visit.parts.world) if _is_of(entry, view.date, today, zone)]
    requests = store.requests({entry.request_id for entry in entries if entry.request_id})
    known = {entry.person_id for entry in entries if entry.person_id}  # of what is about no request
    who = store.identities({*known, *(request.beneficiary_id for request in requests.values())})
    unserved = store.last_unserved({entry.leg_id for entry in entries if entry.leg_id and entry.kind == "uncovered"})
    return {
        "territory": territory,
        "date": view.date,
        "view": view,
        "inbox": [
            _inbox(entry, requests, who, zone) | {"unserved": unserved.get(entry.leg_id) if entry.leg_id else None} for entry in entries
        ],
        "names": {lane.volunteer_id: lane.identity.name for lane in view.lanes},
        "hours": _hours(view, zone),
        "now": visit.parts.world.now(),
        "ways_by_id": {way.leg.id: way for way in view.ways},
    }


def _page(visit: Visit, template: str, shown: dict[str, Any]) -> HTMLResponse:
    visit.parts.note_read(visit.caller, "beneficiary", None, len({way.beneficiary.id for way in shown["view"].ways}))
    return visit.page(template, **shown)


def _is_of(entry: Entry, date: dt.date, today: dt.date, zone: str) -> bool:
    """On its own day; what is late shows today as well, and what is missing in somebody's file until it is there."""
    if entry.kind in OF_FILES:
        return date == today
    day = entry.until.astimezone(ZoneInfo(zone)).date()
    return day == date or (date == today and day < today)


def _inbox(entry: Entry, requests: Any, who: Any, zone: str) -> dict[str, Any]:
    request = requests[entry.request_id] if entry.request_id else None
    person = who.get(request.beneficiary_id if request else entry.person_id)
    day = request.service_date if request else entry.until.astimezone(ZoneInfo(zone)).date()
    name = (person.name if person else None) or ""
    return {"entry": entry, "request": request, "name": name, "day": day, "file": entry.kind in OF_FILES}


def proof_of(newest: Round | None) -> float | None:
    """How far the newest plan can be from the best one, in percent; none without a proof."""
    plan = newest.plan if newest else None
    gap = plan["summary"].get("certificate", {}).get("gap") if plan else None
    return None if gap is None else round(100 * gap, 1)


def _hours(view: DayView, zone: str) -> list[dt.datetime]:
    """The whole hours that the time line shows: of everything there is, at least from 7 to 19."""
    middle = dt.datetime.combine(view.date, dt.time(12), ZoneInfo(zone))
    moments = [middle.replace(hour=7), middle.replace(hour=19), *view.hours]
    first, last = min(moments).astimezone(ZoneInfo(zone)), max(moments).astimezone(ZoneInfo(zone))
    begin = first.replace(minute=0, second=0, microsecond=0)
    count = int((last - begin).total_seconds() // 3600) + 1
    return [begin + dt.timedelta(hours=k) for k in range(min(count, 30) + 1)]


def _details(store: Store, visit: Visit, way: Way) -> dict[str, Any]:
    request, leg = way.request, way.leg
    offers = list(store.offers_of([request.id], "sent", "accepted", "declined", "expired", "withdrawn"))
    about = store.offer_legs([offer.id for offer in offers])
    offers = [offer for offer in offers if any(row.leg_id == leg.id for row in about.get(offer.id, []))]
    people = {offer.volunteer_id for offer in offers} | ({way.held.volunteer_id} if way.held else set())
    plan = store.newest_plan(request.service_date)
    why, unserved, named = _said(Plan.model_validate(plan), request, leg) if plan else (None, None, set())
    who = store.identities(people | {UUID(text) for text in named})
    events = [event for one in (leg.id, request.id) for event in store.log(None, _HISTORY, one)]
    other = [one for one in store.legs_of([request.id])[request.id] if one.id != leg.id]
    origin, destination = (request.origin, request.destination) if leg.direction == "outbound" else (request.destination, request.origin)
    english = visit.language == "en"
    return {
        "who": who,
        "offers": sorted(offers, key=lambda offer: offer.sent_at, reverse=True),
        "why": why if why and way.held and way.held.volunteer_id == UUID(why[0]) else None,
        "unserved": unserved if way.group in ("unsolved", "searching") else None,
        "named": {text: who[UUID(text)].name or "" for text in named},
        "events": sorted(events, key=lambda event: event.at, reverse=True)[:_HISTORY],
        "other": other,
        "origin": visit.place(origin),
        "destination": visit.place(destination),
        "needs": visit.needs([*way.beneficiary.needs, *request.needs]),
        "purpose": PURPOSES[request.purpose][english] if request.purpose in PURPOSES else None,  # type: ignore[index]
        "refusals": {code: words[english] for code, words in REFUSALS.items()},
        "waiting": leg.state in WAITING_LEG,
        "over": leg.state in OVER_LEG,
        "can_answer": _can_answer(offers),
    }


def _can_answer(offers: list[Offer]) -> Offer | None:
    """The offer whose answer may come by telephone."""
    return next((offer for offer in offers if offer.state == "sent"), None)


def _said(plan: Plan, request: TripRequest, leg: Leg) -> tuple[tuple[str, Any] | None, Any, set[str]]:
    """What the newest plan says of this way: (volunteer, why), or why nobody; and the volunteers it names."""
    for run in plan.runs:
        for served in run.legs:
            if served.request == str(request.id) and served.leg == leg.direction and served.why is not None:
                return (run.driver, served.why), None, {runner.driver for runner in served.why.runners_up}
    for left in plan.unserved:
        if left.request == str(request.id) and left.leg == leg.direction:
            change = left.smallest_change
            return None, left, {change.driver} if change and change.driver else set()
    return None, None, set()
