"""What a change of a volunteer does to rides that are planned or agreed on: those that cannot be driven any more are open again, at once.

In: a volunteer whose hours, papers, car, pairs or engagement have just been changed in this transaction. Out: the rides that are touched.
Offers end, ways wait for the next round, coordinators and volunteers are told: all of it in the same transaction. A run under way is never
broken. Called by the API through `engagements`, `credentials`, and by the planner's sweep.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from dispatch.errors import Conflict
from dispatch.model.lifecycle import UNDER_WAY
from dispatch.notices.outbox import queue_notice
from dispatch.rules.availability import Span, covers
from dispatch.rules.fitness import km_between, unfit
from dispatch.service.asking import unplan
from dispatch.service.availability import free_spans, local_today
from dispatch.service.offers import release_ways, take_back_offer
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Run, TripRequest, Volunteer
from dispatch.world import World

T = TypeVar("T")
CROW_KMH = 30.0  # from home and back at least so fast in a straight line, where rows do not say how long it takes
ON_THE_WAY = "This volunteer is on the way with rides that this would take away: wait for the end of the run, or note there who stays away."


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedRide:
    """A way that this volunteer does not drive any more."""

    leg_id: UUID
    request_id: UUID
    direction: str
    state: str  # before
    pickup_at: datetime
    reason: str


class _Undone(Exception):
    pass


def change_and_look(
    store: Store, volunteer: Volunteer, world: World, change: Callable[[], T], *, dry_run: bool = False
) -> tuple[T, list[TouchedRide]]:
    """Make a change, and reopen what it breaks; with `dry_run` both are undone, and what would break is told.

    Conflict when it would break a run under way. Rides whose pickup time has passed are not looked at: they are the day's affair.
    """
    store.wait_for_plans(volunteer, local_today(store, world.now()))
    done: list[T] = []
    touched: list[TouchedRide] = []
    try:
        with store.attempt():
            done.append(change())
            store.flush()
            touched = reopen_broken(store, volunteer, world)
            if dry_run:
                raise _Undone
    except _Undone:
        store.reread(volunteer)
    return done[0], touched


def reopen_broken(store: Store, volunteer: Volunteer, world: World, *, spare_started: bool = False) -> list[TouchedRide]:
    """Reopen rides ahead that the volunteer cannot drive as things are now. `spare_started`: runs under way go on, instead of Conflict."""
    ahead = store.rides_ahead(volunteer.id, world.now())
    broken: dict[UUID, TouchedRide] = {}
    for ride, leg, request, run, why in _broken(store, volunteer, ahead):
        if run.state == "started" or leg.state in UNDER_WAY:
            if not spare_started:
                raise Conflict(ON_THE_WAY)
            continue
        if ride.pickup_at > world.now():
            broken[leg.id] = TouchedRide(
                leg_id=leg.id,
                request_id=request.id,
                direction=leg.direction,
                state=leg.state,
                pickup_at=ride.told_pickup_at,
                reason=why,
            )
    if broken:
        _reopen(store, volunteer, ahead, broken, world)
    return sorted(broken.values(), key=lambda ride: (ride.pickup_at, ride.leg_id))


_Ahead = tuple[Assignment, Leg, TripRequest, Run]


def _broken(store: Store, volunteer: Volunteer, ahead: Sequence[_Ahead]) -> list[tuple[Assignment, Leg, TripRequest, Run, str]]:
    """Rides that cannot be driven, with why; and with them the other way of requests whose ways need the same volunteer."""
    people = store.beneficiaries({request.beneficiary_id for _, _, request, _ in ahead})
    apart = set(store.refusals_of(volunteer.id))
    spans = {day: free_spans(store, day, [volunteer.id]).get(volunteer.id, []) for day in {run.service_date for *_, run in ahead}}
    why = {
        leg.id: _why_not(volunteer, request, people[request.beneficiary_id], apart) or _away(volunteer, ride, leg, request, run, spans)
        for ride, leg, request, run in ahead
    }
    together = {request.id for _, leg, request, _ in ahead if why[leg.id] and request.same_driver == "require"}
    return [
        (ride, leg, request, run, reason)
        for ride, leg, request, run in ahead
        if (reason := why[leg.id] or ("together" if request.id in together and leg.state not in UNDER_WAY else None))
    ]


def _why_not(volunteer: Volunteer, request: TripRequest, person: Beneficiary, apart: set[UUID]) -> str | None:
    if not volunteer.active:
        return "not_active"
    if request.beneficiary_id in apart:
        return "refused"
    return unfit(volunteer, request, person)


def _away(volunteer: Volunteer, ride: Assignment, leg: Leg, request: TripRequest, run: Run, spans: Mapping[date, list[Span]]) -> str | None:
    """Whether the ride, with the way to it and home again, falls out of the volunteer's spans."""
    free = spans[run.service_date]
    if covers(free, run.starts_at, run.ends_at):
        return None
    ends = (request.origin, request.destination) if leg.direction == "outbound" else (request.destination, request.origin)
    there, home = (timedelta(hours=km_between(volunteer.home, end) / CROW_KMH) for end in ends)
    needed = max(run.starts_at, ride.pickup_at - there), min(run.ends_at, ride.dropoff_at + home)
    return None if covers(free, *needed) else "away"


def _reopen(store: Store, volunteer: Volunteer, ahead: Sequence[_Ahead], broken: Mapping[UUID, TouchedRide], world: World) -> None:
    """End what was asked or agreed, as little of it as can be; tell coordinators, and the volunteer who would otherwise go there."""
    requests = sorted({ride.request_id for ride in broken.values()})
    legs = store.legs_of(requests, lock=True)  # in one order: who answers or cancels meanwhile waits in a line
    unplan(store, [leg for ways in legs.values() for leg in ways if leg.id in broken], world)
    offers = {offer.id: offer for offer, _ in store.open_offers_about(broken)}
    for offer in offers.values():
        open_legs = {row.leg_id for row in store.offer_legs([offer.id])[offer.id] if row.open}
        if offer.state == "sent" or open_legs <= broken.keys():
            take_back_offer(store, offer, world)
        else:
            release_ways(store, offer, open_legs & broken.keys(), world)
        first = min(ride.pickup_at for ride in broken.values() if ride.leg_id in open_legs)
        queue_notice(store, "offer_withdrawn", volunteer.id, offer.id, world, facts={"at": first}, key=f"withdrawn {offer.id} {first}")
    first_ride = min(broken.values(), key=lambda ride: ride.pickup_at)
    facts = {
        "rides": len(broken),
        "at": first_ride.pickup_at,
        "volunteer_id": volunteer.id,
        "reason": first_ride.reason,
        "legs": sorted(broken, key=lambda leg_id: broken[leg_id].pickup_at),
    }
    queue_notice(store, "legs_reopened", None, volunteer.id, world, facts=facts)
