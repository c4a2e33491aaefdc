"""Trip requests: asked for, looked at, brought back, cancelled, closed.

In: a `NewTrip`. Out: a request with one leg per way, waiting for the next round. Called by the API and the demo.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Conflict, Fault, IllegalMove
from dispatch.model.asking import Channel, RefusalCode
from dispatch.model.intake import Cancel, NewTrip
from dispatch.model.lifecycle import INITIAL, OVER_LEG, UNDER_WAY, WANTED_REQUEST
from dispatch.model.needs import Need
from dispatch.model.rules import Rules
from dispatch.notices.outbox import queue_notice
from dispatch.rules.booking import Obstacle, obstacles_of
from dispatch.rules.eligibility import lacking, used_up
from dispatch.service.asking import release
from dispatch.service.offers import withdraw_offer
from dispatch.service.people import policy_of, rules_of
from dispatch.service.places import check_on_roads
from dispatch.service.runs import finish_run
from dispatch.storage.geometry import LonLat
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Offer, Run, Territory, TripRequest, UnservedLeg
from dispatch.storage.vault import NOWHERE, Places
from dispatch.world import World
from routing.network import RoadNetwork

HORIZON = timedelta(days=400)
WILL_CALL_WINDOW = 60  # minutes in which somebody who is ready is fetched
_SOON = timedelta(minutes=5)  # from now: a time that has passed already cannot be planned
NO_REASON = Cancel()
PLACES = tuple(field.name for field in fields(Places))


@dataclass(frozen=True, slots=True)
class LegView:
    """A way, with who drives it or why nobody does."""

    leg: Leg
    assignment: Assignment | None
    unserved: UnservedLeg | None


@dataclass(frozen=True, slots=True)
class TripView:
    """A request and its ways."""

    request: TripRequest
    legs: tuple[LegView, ...]
    places: Places = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Through whom a request comes."""

    actor_id: UUID | None = None
    staff: bool = True  # may go past the territory's booking rules, and accepts what it enters
    channel: Channel = "api"
    quiet: bool = False  # the person is not told that it was received: it was asked for as part of something larger


BY_STAFF = Asker()


def request_trip(store: Store, new: NewTrip, network: RoadNetwork | None, world: World, asker: Asker = BY_STAFF) -> TripRequest:
    """Note a wish for a ride; the next round of its day plans it, unless a coordinator has to look at it first.

    Without a network: its places were looked at before.

    BadInput for an unknown person, a point far from roads, a moment that is past or that the booking rules do not allow; Conflict when the
    person has another ride then.
    """
    territory = store.territory()
    faults = []
    if store.person_as_is(new.beneficiary_id) is None:  # and stays so until this is kept: nobody is erased around a new request
        faults.append(UNKNOWN)
    if rules_of(territory).eligibility.rule == "asked":
        store.eligibility(new.beneficiary_id, hold=True)  # of two who ask for the last ride of a month, one counts the other's
    faults += [obstacle.fault for obstacle in obstacles_to(store, territory, new, world.now())]
    check_wish(new, territory, network, asker, faults)
    row = make_request(new, territory, world, asker)
    store.describe_places(row, Places(**{name: getattr(new, name) for name in PLACES}))
    if not new.override and overlapping(store, row):
        raise Conflict("This person already has a request for this moment.")
    store.add(row)
    for leg in make_legs(row, world):
        store.add(leg)
        if leg.direction == "return" and new.return_open:
            store.move(leg, "on_call", world)
    if asker.staff or rules_of(territory).booking.accept_at_once:
        store.move(row, "accepted", world)
    if not asker.quiet:
        queue_notice(store, "request_received", row.beneficiary_id, row.id, world, facts={"at": new.moment}, key=f"received {row.id}")
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return row


UNKNOWN = Fault("beneficiary_id", "unknown", "is not a person of this territory")


def obstacles_to(store: Store, territory: Territory, new: NewTrip, now: datetime) -> list[Obstacle]:
    """What stands in the way of a wish as it is now: the calendar always, booking rules and eligibility unless staff go past them."""
    name = "arrive_by" if new.arrive_by else "depart_after"
    if new.moment <= now:
        return [Obstacle(field=name, code="past", sentence="C'est déjà passé.", sentence_en="is in the past", possible_until=new.moment)]
    if new.moment > now + HORIZON:
        fr, en = f"C'est dans plus de {HORIZON.days} jours.", f"is more than {HORIZON.days} days ahead"
        return [Obstacle(field=name, code="too_far_ahead", sentence=fr, sentence_en=en, possible_from=new.moment - HORIZON)]
    if new.override:
        return []
    rules = rules_of(territory)
    found = obstacles_of(rules.booking, new.moment, new.purpose, now, territory.timezone, name)
    return [*found, *_not_eligible(store, rules, new, territory.timezone, name)]


def _not_eligible(store: Store, rules: Rules, new: NewTrip, zone: str, field: str) -> list[Obstacle]:
    """What is missing for the person to be eligible for this ride, where the territory asks for it."""
    if rules.eligibility.rule == "none":
        return []
    terms, day = store.eligibility(new.beneficiary_id), new.moment.astimezone(ZoneInfo(zone)).date()
    found = lacking(terms, day, new.purpose, new.seats, field)
    if found is None and terms is not None and terms.rides_a_month is not None:
        found = used_up(terms.rides_a_month, store.rides_in_month(new.beneficiary_id, day), field)
    return [] if found is None else [found]


def check_wish(new: NewTrip, territory: Territory, network: RoadNetwork | None, asker: Asker, faults: Sequence[Fault] = ()) -> None:
    """BadInput for what no other time would mend, with the faults found before: who may say what, and places."""
    found = list(faults)
    if new.override and not asker.staff:
        found.append(Fault("override", "not_yours", "may be set by coordinators only"))
    if new.origin == new.destination:
        found.append(Fault("destination", "same_place", "must not be the same as origin"))
    if found:
        raise BadInput(found)
    points = {"origin": new.origin, "destination": new.destination}
    if network is not None:
        check_on_roads(network, policy_of(territory).snap_limit_metres, points)


def make_request(new: NewTrip, territory: Territory, world: World, asker: Asker) -> TripRequest:
    """A row that is in no database yet; what its places are called is not in it."""
    new = new.whole
    child_seat: tuple[Need, ...] = ("child_seat",) if new.child_seats else ()
    return TripRequest(
        id=world.new_id(),
        service_date=new.moment.astimezone(ZoneInfo(territory.timezone)).date(),
        **new.model_dump(exclude={"needs", "same_driver", *PLACES}),
        same_driver="require" if new.wait_at_destination else new.same_driver,
        needs=list(dict.fromkeys([*new.needs, *child_seat])),
        state=INITIAL["request"],
        entered_by=asker.actor_id,
        channel=asker.channel,
        created_at=world.now(),
    )


def make_legs(request: TripRequest, world: World) -> list[Leg]:
    """One per way, in no database yet."""
    ways = ("outbound", "return") if request.return_after or request.return_open else ("outbound",)
    return [Leg(id=world.new_id(), request_id=request.id, direction=way, state=INITIAL["leg"]) for way in ways]


def overlapping(store: Store, request: TripRequest) -> bool:
    """Whether the person has another ride then."""
    return any(_overlap(request, other) for other in store.requests_of_person(request.beneficiary_id, request.service_date))


def _overlap(one: TripRequest, other: TripRequest) -> bool:
    """Whether nobody could want both: their moments are the same, or one's lies between the other's ways."""
    (begins, ends), (starts, stops) = ((moment_of(request), request.return_after or moment_of(request)) for request in (one, other))
    return begins <= stops and starts <= ends


def moment_of(request: TripRequest) -> datetime:
    """When the way there arrives or departs."""
    moment = request.arrive_by or request.depart_after
    if moment is None:
        raise AssertionError("a request has one time: ck_trip_request_one_time")
    return moment


def accept_trip(store: Store, request: TripRequest, world: World) -> TripRequest:
    """A coordinator has looked at it: rounds plan it. IllegalMove when it is not waiting for that."""
    store.move(request, "accepted", world)
    return request


def refuse_trip(store: Store, request: TripRequest, code: RefusalCode, world: World) -> TripRequest:
    """It cannot be, and the person is told why. IllegalMove when it was accepted, refused or cancelled before."""
    store.move(request, "refused", world, code)
    for leg in store.legs_of([request.id], lock=True)[request.id]:
        store.move(leg, "cancelled", world)
    facts = {"at": moment_of(request), "reason": code}
    queue_notice(store, "request_refused", request.beneficiary_id, request.id, world, facts=facts)
    return request


def bring_back(store: Store, request: TripRequest, ready_at: datetime, world: World) -> TripRequest:
    """Whoever was taken there can be brought back: the way back has a time now, and the next round plans it.

    IllegalMove when its time was known, or it is over; BadInput for a time before the ride there or on another day.
    """
    back = next((leg for leg in store.legs_of([request.id], lock=True)[request.id] if leg.direction == "return"), None)
    if back is None:
        raise BadInput([Fault("ready_at", "no_way_back", "this request has no way back: make another request")])
    zone = ZoneInfo(store.territory().timezone)
    ready = max(ready_at, world.now() + _SOON)
    if ready < moment_of(request) or ready.astimezone(zone).date() > request.service_date + timedelta(days=1):
        raise BadInput([Fault("ready_at", "out_of_range", "must be after the ride there, on its day")])
    if back.state != "on_call":  # the table lets other ways go back to planning too, but not by this
        raise IllegalMove("The time of this way back is known, or it is over.")
    store.move(back, "pending", world)
    request.return_after = ready
    request.return_window_minutes = request.return_window_minutes or WILL_CALL_WINDOW
    queue_notice(store, "will_call_heard", request.beneficiary_id, back.id, world, key=f"heard {back.id}")
    store.flush()
    return request


def cancel_trip(store: Store, request: TripRequest, world: World, why: Cancel = NO_REASON, *, quiet: bool = False) -> TripRequest:
    """Nobody drives any more; volunteers who were asked or had agreed are free again, and both sides are told (`quiet`: volunteers only).

    Without the way there the way back is not needed either. IllegalMove when there is nothing left to cancel, or somebody is in the car.
    """
    legs = store.legs_of([request.id], lock=True)[request.id]
    chosen = [leg for leg in legs if why.leg in (None, "outbound", leg.direction) and leg.state not in OVER_LEG]
    if not chosen or request.state not in WANTED_REQUEST:
        raise IllegalMove("Nothing of this request is left to be cancelled.")
    given_up = {leg.id for leg in chosen}
    driven_in = {ride.run_id for ride in store.active_assignments(given_up).values()}
    late = _cancelled_late(store, chosen, world)
    for offer in store.offers_of([request.id], "sent", "accepted"):
        if given_up & {row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])}:
            _end_offer(store, offer, given_up, world)
    release(store, [leg.id for leg in chosen if leg.state == "proposed"], world)
    for leg in chosen:
        store.move(leg, "late_cancelled" if leg.id in late else "cancelled", world, why.reason)
    for run_id in sorted(driven_in):
        finish_run(store, store.get(Run, run_id), world)  # somebody on the way to nobody else is free again
    if all(leg.state in OVER_LEG for leg in legs):
        ended = "cancelled" if all(leg.state in ("cancelled", "late_cancelled") for leg in legs) else "closed"
        store.move(request, ended if request.state == "accepted" else "cancelled", world, why.reason)
    if not quiet:
        queue_notice(store, "cancel_confirmed", request.beneficiary_id, request.id, world, facts={"at": moment_of(request)})
    store.note_access("changed", "beneficiary", request.beneficiary_id, 1, world)
    return request


def _cancelled_late(store: Store, legs: Sequence[Leg], world: World) -> set[UUID]:
    """Those that a volunteer has agreed to drive so soon that the time was kept for nothing, or is on the way to."""
    limit = timedelta(minutes=rules_of(store.territory()).booking.late_cancel_minutes)
    told = store.active_assignments([leg.id for leg in legs])
    return {
        leg.id
        for leg in legs
        if leg.state in UNDER_WAY or (leg.state == "confirmed" and leg.id in told and told[leg.id].told_pickup_at - limit <= world.now())
    }


def _end_offer(store: Store, offer: Offer, given_up: Collection[UUID], world: World) -> None:
    """The volunteer is free of all of it; a way that is still wanted goes back to planning."""
    about = {row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])}
    withdraw_offer(store, offer, world)
    for leg in store.legs_of([offer.request_id])[offer.request_id]:
        if leg.id in about - set(given_up) and leg.state in ("offered", "confirmed"):
            store.move(leg, "pending", world)


def close_if_over(store: Store, request: TripRequest, world: World) -> None:
    """A request each of whose ways has come to an end is closed. What was asked for in vain before may be solved by it."""
    legs = store.legs_of([request.id])[request.id]
    if request.state != "accepted" or any(leg.state not in OVER_LEG for leg in legs):
        return
    store.move(request, "closed", world)
    if any(leg.state == "completed" for leg in legs):
        for need in store.unsolved_needs(request.beneficiary_id):
            if need.destination == area(request.destination):
                need.solved_by = request.id
        store.flush()


def area(place: LonLat) -> LonLat:
    """About where: to a kilometre."""
    return round(place[0], 2), round(place[1], 2)


def show_trips(store: Store, requests: Sequence[TripRequest]) -> list[TripView]:
    """Requests with what became of their ways."""
    legs = store.legs_of([request.id for request in requests])
    ids = [leg.id for ways in legs.values() for leg in ways]
    standby = [leg.id for ways in legs.values() for leg in ways if leg.state == "standby"]
    driven, unserved = store.active_assignments(ids), store.last_unserved(standby)
    views = {request: tuple(LegView(leg, driven.get(leg.id), unserved.get(leg.id)) for leg in ways) for request, ways in legs.items()}
    places = store.places_of(requests)
    return [TripView(request, views.get(request.id, ()), places[request.id]) for request in requests]
