"""« Confier à… »: one way given to one volunteer by hand, and the list of volunteers to choose from.

In: a way that waits for somebody. Out: volunteers, ranked, each with what it means in words; or an offer. Called by the API, which commits.
What others were told stays as it is: only this way is put into a day that is otherwise held fast, the plan of those it touches is proved
by the checker, and it is saved as a round like any other, so that every guarantee of rounds holds.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.engine.plan_day import make_problem
from dispatch.errors import AtWork, Conflict, IllegalMove
from dispatch.model.day import Day, OverLeg, Promise
from dispatch.model.entrusting import CANNOT, Entrust
from dispatch.model.lifecycle import WAITING_LEG
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.live import is_legal
from dispatch.planning.one_leg import Place, places_of, put_in
from dispatch.planning.problem import Leg as Way
from dispatch.planning.problem import Problem, ties_of
from dispatch.planning.sentences import candidate_sentence
from dispatch.planning.timetable import make_plan
from dispatch.service.day import Snapshot, make_snapshot
from dispatch.service.rounds import claim_round, enqueue_round, load_day, save_round
from dispatch.service.sending import send_day
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Offer, Round, TripRequest, Volunteer
from dispatch.storage.trips import Ride, WayName
from dispatch.world import World
from routing.network import RoadNetwork

_NOBODY = UUID(int=0)
_NOT_THERE = ("N'a pas donné de disponibilité ce jour-là.", "Has given no time on that day.")
_NOT_LEGAL = ("Sa tournée est à replanifier d'abord.", "The run has to be planned again first.")
Routes = list[list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A volunteer, and what it would mean to ask."""

    volunteer_id: UUID
    fits: bool
    sentence: str  # French
    sentence_en: str
    km: float | None = None  # more, from home to home
    leaves_home: datetime | None = None
    back_home: datetime | None = None
    known: bool = False  # has driven the person of late, or knows them well
    preferred: bool = False  # by the person
    answered: str | None = None  # said no before, or nothing
    asked_now: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A day in which everything that people were told is promised, and the routes that keep it."""

    snapshot: Snapshot
    problem: Problem
    routes: Routes
    unsound: frozenset[str]  # drivers whose run cannot be driven as it was planned


def candidates(store: Store, leg: Leg, network: RoadNetwork, world: World) -> list[Candidate]:
    """Every active volunteer, the best first. IllegalMove for a way that somebody has agreed to drive, or that is over."""
    request = _waiting(store, leg)
    before = {offer.volunteer_id: offer.state for offer in store.offers_of([request.id], "declined", "expired", "sent")}
    row = Round(id=_NOBODY, service_date=request.service_date, seconds=0.0, seed=1)
    snapshot = make_snapshot(store, row, 0, world.now())
    held = hold(store, snapshot, leg, before, network)
    way = way_of(held.problem, leg)
    found = [_candidate(held, place, before) for place in places_of(held.problem, held.routes, way)] if way is not None else []
    there = {candidate.volunteer_id for candidate in found}
    away = [Candidate(volunteer_id=row.id, fits=False, sentence=_NOT_THERE[0], sentence_en=_NOT_THERE[1], answered=before.get(row.id))
            for row in store.active_volunteers() if row.id not in there]  # fmt: skip
    return found + away


def entrust(store: Store, leg: Leg, wish: Entrust, offer_minutes: int, network: RoadNetwork, world: World) -> Offer:
    """Ask this volunteer about this way now, and nobody else any more. Asked twice is asked once.

    Conflict with the rule's sentence when it does not fit, or when the volunteer was asked before and no reason is given to ask again;
    AtWork while a round of the day is; IllegalMove when somebody has agreed to drive, or the way is over.
    """
    volunteer, request = store.get(Volunteer, wish.volunteer_id), _waiting(store, leg, lock=True)
    now_asked = store.active_assignments([leg.id]).get(leg.id)
    if now_asked is not None and now_asked.volunteer_id == volunteer.id:
        if leg.state == "proposed":
            send_day(store, request.service_date, _planned_with(store, leg, volunteer.id, wish), offer_minutes, world)
        return _open_offer(store, leg, volunteer.id)
    ended = [offer for offer in store.offers_of([request.id], "declined", "expired") if offer.volunteer_id == volunteer.id]
    if ended and wish.again_reason is None:
        raise Conflict("This volunteer was asked about it before: say why again.")
    asked_for = store.queued_round(request.service_date)  # a round that waits for this day gives its place to this one, and comes after it
    try:
        with store.attempt():
            claim = claim_round(store, enqueue_round(store, request.service_date, 0.0, 1, world).id, world)
    except Conflict:
        raise AtWork from None
    held = hold(store, load_day(store, claim, world), leg, {volunteer.id}, network, volunteer.id, wish.both_ways)
    moved = _with_both(held, leg, str(volunteer.id), wish)
    plan = make_plan(held.problem, moved, explain_unserved(held.problem, moved), [], None)
    if check_plan(held.problem, plan):
        raise Conflict(CANNOT_NOW)
    only_given = plan.model_copy(update={"unserved": ()})  # of an other way that stays behind nothing is said: the next round looks for it
    reasons = {(request.id, volunteer.id): wish.again_reason} if ended and wish.again_reason else {}
    if save_round(store, held.snapshot, only_given, offer_minutes, world, reasons, at_once=True):
        raise Conflict
    if asked_for is not None:
        enqueue_round(store, request.service_date, asked_for.seconds, asked_for.seed, world)
    return _open_offer(store, leg, volunteer.id)


CANNOT_NOW = "This ride does not fit into the run of this volunteer."


def _waiting(store: Store, leg: Leg, *, lock: bool = False) -> TripRequest:
    """The request of a way that may be given to somebody."""
    store.legs_of([leg.request_id], lock=lock)
    request = store.requests([leg.request_id])[leg.request_id]
    if leg.state not in WAITING_LEG or request.state != "accepted":
        raise IllegalMove("Somebody has agreed to drive this, or it is over.")
    return request


def _open_offer(store: Store, leg: Leg, volunteer_id: UUID) -> Offer:
    for offer in store.offers_of([leg.request_id], "sent"):
        if offer.volunteer_id == volunteer_id and any(row.leg_id == leg.id for row in store.offer_legs([offer.id])[offer.id]):
            return offer
    raise Conflict("This volunteer is not free any more, or it is too late for this ride.")


def _planned_with(store: Store, leg: Leg, volunteer_id: UUID, wish: Entrust) -> set[UUID]:
    """What is planned for the volunteer: the way, and the other one too where that is wished."""
    ways = [way for way in store.legs_of([leg.request_id])[leg.request_id] if way.state == "proposed"]
    planned = store.active_assignments([way.id for way in ways if wish.both_ways or way.id == leg.id])
    return {held.id for held in planned.values() if held.volunteer_id == volunteer_id}


def _with_both(held: Held, leg: Leg, driver: str, wish: Entrust) -> Routes:
    """Routes with the way in this volunteer's day, and the other way too where it waits and fits."""
    way = way_of(held.problem, leg)
    if way is None or driver not in held.problem.drivers:
        raise Conflict(_NOT_THERE[1])
    if held.unsound:
        raise Conflict(_NOT_LEGAL[1])
    number = held.problem.drivers.index(driver)
    routes = put_in(held.problem, held.routes, way, number)
    if routes is None:
        place = next(place for place in places_of(held.problem, held.routes, way) if place.driver == number)
        raise Conflict(CANNOT[place.reason][1] if place.reason else CANNOT_NOW)
    other = int(held.problem.arrays.partner[way])
    served = {stop // 2 for route in routes for stop in route}
    if wish.both_ways and other >= 0 and other not in served:
        routes = put_in(held.problem, routes, other, number) or routes
    return routes


def hold(
    store: Store,
    snapshot: Snapshot,
    leg: Leg,
    forgiven: Collection[UUID],
    network: RoadNetwork,
    only: UUID | None = None,
    both_ways: bool = False,
    unkept: Sequence[Leg] = (),
) -> Held:
    """The day with everything as it was told, but for the way that is to be given; `both_ways`: the other way too, unless it is agreed on.

    `forgiven`: volunteers who may be asked about it again. `only`: no more of the day than hangs together with this volunteer.
    `unkept`: ways of a request in the day that are in no database.
    """
    asked = {UUID(request.id) for request in snapshot.day.requests}
    new = [WayName(way.id, way.request_id, way.direction, way.state) for way in unkept]
    ways = {way.id: way for way in (*store.way_names(asked | {leg.request_id}), *new)}
    rides = [ride for ride in store.rides_of_day(snapshot.day.date) if ride.run_state != "started" and ride.leg_id in ways]
    moving = {way.id for way in ways.values() if way.request_id == leg.request_id and way.state in WAITING_LEG} if both_ways else {leg.id}
    people, requests = {ride.volunteer_id for ride in rides}, {leg.request_id, *(ways[ride.leg_id].request_id for ride in rides)}
    if only is not None:
        people, requests = _hanging_together([(ride.volunteer_id, ways[ride.leg_id].request_id) for ride in rides], leg.request_id, only)
    kept = [ride for ride in rides if ride.leg_id not in moving and ride.volunteer_id in people]
    day = _fixed(snapshot.day, [way for way in ways.values() if way.request_id in requests], kept, leg, forgiven)
    if only is not None:
        day = day.model_copy(update={"drivers": tuple(driver for driver in day.drivers if UUID(driver.id) in people)})
        snapshot = replace(snapshot, requests=tuple(sorted(requests)), late=frozenset())
    known = {driver.id for driver in day.drivers}
    day = day.model_copy(update={"promises": tuple(promise for promise in day.promises if promise.driver in known)})
    problem, _ = make_problem(day, network)
    routes, unsound = _routes(store, problem, kept, ways)
    return Held(replace(snapshot, day=day), problem, routes, frozenset(unsound))


def _fixed(day: Day, ways: Sequence[WayName], kept: Sequence[Ride], leg: Leg, forgiven: Collection[UUID]) -> Day:
    """What was told is promised; other ways that wait for somebody are not looked at."""
    names = {way.id: _name(way) for way in ways}
    promised = {ride.leg_id: ride for ride in kept if ride.leg_id in names}
    promises = [
        Promise(request=names[leg_id][0], leg=names[leg_id][1], driver=str(ride.volunteer_id), pickup_at=told.isoformat(), lock="both")
        for leg_id, ride in promised.items()
        if (told := ride.told_pickup_at)
    ]
    asked = {request.id: request for request in day.requests if any(name == request.id for name, _ in names.values())}
    waiting = {name for way, name in names.items() if way not in promised and name[0] in asked and name[0] != str(leg.request_id)}
    waiting = {name for name in waiting if name[1] == "outbound" or asked[name[0]].return_after is not None}
    over = {(done.request, done.leg) for done in day.over if done.request in asked} | waiting
    mine = asked.get(str(leg.request_id))
    if mine is not None:
        refuses = tuple(person for person in mine.refuses if UUID(person) not in forgiven)
        asked[mine.id] = mine.model_copy(update={"refuses": refuses, "one_way_ok": True})
    gone = tuple(OverLeg(request=request, leg=way) for request, way in sorted(over))
    return day.model_copy(update={"requests": tuple(asked.values()), "promises": tuple(promises), "over": gone})


def _hanging_together(rides: Sequence[tuple[UUID, UUID]], about: UUID, volunteer: UUID) -> tuple[set[UUID], set[UUID]]:
    """Volunteers and requests that a change for this one could touch: all who drive somebody whom he drives, and so on."""
    people, requests = {volunteer}, {about}
    while True:
        more = {request for person, request in rides if person in people} | {about}
        who = {person for person, request in rides if request in requests | more} | {volunteer}
        if more <= requests and who <= people:
            return people, requests
        people, requests = people | who, requests | more


def _routes(store: Store, problem: Problem, kept: Sequence[Ride], ways: Mapping[UUID, WayName]) -> tuple[Routes, set[str]]:
    """The routes that keep what was told, and volunteers for whom there is none any more."""
    p = problem.arrays
    number = {way: k for k, way in enumerate(problem.legs)}
    runs = {ride.run_id: ride for ride in kept}
    riders = Counter(ride.run_id for ride in kept)
    staying = {ride.leg_id for ride in kept}
    routes: Routes = [[] for _ in p.shift_driver]
    unsound: set[str] = set()
    orders = store.orders_of(runs)
    for run_id, run in runs.items():
        order = [(_name(ways[leg_id]), kind) for leg_id, kind in orders.get(run_id, ()) if leg_id in staying]
        route = [2 * number[way] + (kind == "dropoff") for way, kind in order if way in number]
        shift = _shift_of(problem, run)
        if shift is None or routes[shift] or len(route) != 2 * riders[run_id]:
            unsound.add(str(run.volunteer_id))
        elif is_legal(p, shift, route):
            routes[shift] = route
        else:
            unsound.add(str(run.volunteer_id))
    return routes, unsound


def _shift_of(problem: Problem, run: Ride) -> int | None:
    """The span of its volunteer that a run lies in."""
    p = problem.arrays
    begins, volunteer = int((run.run_starts_at - problem.start).total_seconds()), str(run.volunteer_id)
    for shift, driver in enumerate(p.shift_driver):
        if problem.drivers[int(driver)] == volunteer and p.shift_from[shift] <= begins <= p.shift_to[shift]:
            return shift
    return None


def _candidate(held: Held, place: Place, before: Mapping[UUID, str]) -> Candidate:
    driver = held.problem.drivers[place.driver]
    volunteer = UUID(driver)
    told: dict[str, Any] = {"volunteer_id": volunteer, "answered": before.get(volunteer)}
    told |= {"answered": None, "asked_now": True} if before.get(volunteer) == "sent" else {}
    if place.reason is not None or driver in held.unsound:
        fr, en = _NOT_LEGAL if driver in held.unsound or place.reason is None else CANNOT[place.reason]
        return Candidate(fits=False, sentence=fr, sentence_en=en, **told)
    recent = int(held.problem.arrays.recent_rides[place.driver])
    known, preferred = ties_of(place.bond)
    fr, en = candidate_sentence(place.metres / 1000, known=known, preferred=preferred, recent=recent)
    start = held.problem.start
    times: dict[str, Any] = {"leaves_home": start + timedelta(seconds=place.leaves_s), "back_home": start + timedelta(seconds=place.back_s)}
    told |= {"known": known, "preferred": preferred}
    return Candidate(fits=True, sentence=fr, sentence_en=en, km=round(place.metres / 1000, 1), **times, **told)


def way_of(problem: Problem, leg: Leg) -> int | None:
    """Its number in the problem; none when its time has passed."""
    way = _name(leg)
    return problem.legs.index(way) if way in problem.legs else None


def _name(leg: Leg | WayName) -> Way:
    return Way(str(leg.request_id), "return" if leg.direction == "return" else "outbound")
