"""Trip requests: asked for, looked at, cancelled.

In: a `NewTrip`. Out: a request with one leg per way, waiting for the next round. Called by the API and the demo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Conflict, Fault
from dispatch.model.intake import NewTrip
from dispatch.model.lifecycle import INITIAL
from dispatch.service.offers import withdraw_offer
from dispatch.service.people import policy_of
from dispatch.service.places import check_on_roads
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, TripRequest, UnservedLeg
from dispatch.world import World
from routing.network import RoadNetwork

HORIZON = timedelta(days=400)


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


def request_trip(store: Store, new: NewTrip, network: RoadNetwork, world: World, entered_by: UUID | None = None) -> TripRequest:
    """Note a wish for a ride; the next round of its day plans it.

    BadInput for an unknown person, a point far from roads, a moment that is past or too far ahead; Conflict when it was asked for before.
    """
    now = world.now()
    territory = store.territory()
    name = "arrive_by" if new.arrive_by else "depart_after"
    faults = []
    if store.person_as_is(new.beneficiary_id) is None:  # and stays so until this is kept: nobody is erased around a new request
        faults.append(Fault("beneficiary_id", "unknown", "is not a person of this territory"))
    if new.moment <= now:
        faults.append(Fault(name, "past", "is in the past"))
    if new.moment > now + HORIZON:
        faults.append(Fault(name, "too_far_ahead", f"is more than {HORIZON.days} days ahead"))
    if new.origin == new.destination:
        faults.append(Fault("destination", "same_place", "must not be the same as origin"))
    if faults:
        raise BadInput(faults)
    points = {"origin": new.origin, "destination": new.destination}
    check_on_roads(network, policy_of(territory).snap_limit_metres, points)
    row = TripRequest(
        id=world.new_id(),
        service_date=new.moment.astimezone(ZoneInfo(territory.timezone)).date(),
        **new.model_dump(exclude={"needs"}),
        needs=list(new.needs),
        state=INITIAL["request"],
        entered_by=entered_by,
        created_at=now,
    )
    if store.similar_request(row):
        raise Conflict("This person already has a request for this moment.")
    store.add(row)
    for direction in ("outbound", "return") if new.return_after else ("outbound",):
        store.add(Leg(id=world.new_id(), request_id=row.id, direction=direction, state=INITIAL["leg"]))
    store.move(row, "accepted", world)
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return row


def cancel_trip(store: Store, request: TripRequest, world: World) -> TripRequest:
    """Nobody drives any more; volunteers who were asked or had agreed are free again. IllegalMove when it was cancelled before."""
    legs = store.legs_of([request.id], lock=True)[request.id]
    store.move(request, "cancelled", world)
    for offer in store.offers_of([request.id], "sent", "accepted"):
        withdraw_offer(store, offer, world)
    for leg in legs:
        store.move(leg, "cancelled", world)
    store.note_access("changed", "beneficiary", request.beneficiary_id, 1, world)
    return request


def show_trips(store: Store, requests: Sequence[TripRequest]) -> list[TripView]:
    """Requests with what became of their ways."""
    legs = store.legs_of([request.id for request in requests])
    ids = [leg.id for ways in legs.values() for leg in ways]
    standby = [leg.id for ways in legs.values() for leg in ways if leg.state == "standby"]
    driven, unserved = store.active_assignments(ids), store.last_unserved(standby)
    views = {request: tuple(LegView(leg, driven.get(leg.id), unserved.get(leg.id)) for leg in ways) for request, ways in legs.items()}
    return [TripView(request, views.get(request.id, ())) for request in requests]
