"""Where the cars are that are on the way, how late they will be, and telling people who wait for them.

In: what volunteers tap, and where their phones say they are, if they share it. Out: for each ride that is still to come when the car
is there, and how late that is. People are told when it is later than the territory's rule allows, and again for each so much more. A
position is kept only as long as its run goes on, only the last one, and no log has it. Called by `service.status` and the API.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from dispatch.errors import BadInput, Fault, IllegalMove
from dispatch.model.driving import NewPosition
from dispatch.model.lifecycle import OVER_LEG
from dispatch.notices.outbox import drop_notices, queue_notice
from dispatch.rules.lateness import StopSoFar, expected_arrivals
from dispatch.service.people import policy_of, rules_of
from dispatch.service.places import check_on_roads
from dispatch.service.trips import moment_of
from dispatch.storage.driving import RunPosition, RunStop, Tap
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Run, TripRequest
from dispatch.world import World
from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.snap import snap
from routing.units import UNREACHABLE

SKEW = timedelta(minutes=2)  # of a phone's clock
OLD = timedelta(minutes=30)  # where a car was before that says nothing
VAGUE_M = 1000  # a position that may be so far off says nothing either
_STEPS = 24  # of lateness that are told one by one
_GONE = ("on_board", *OVER_LEG)  # states in which nobody waits at the pickup


@dataclass(frozen=True, slots=True)
class Ride:
    """What is known of somebody's ride; `service.run_sheet` has it with names."""

    leg: Leg
    assignment: Assignment
    request: TripRequest
    beneficiary: Beneficiary
    taps: Sequence[Tap]


@dataclass(frozen=True, slots=True)
class Expected:
    """When the car is where somebody waits, or waits to arrive; minutes after what was told, or after the appointment; 0 in time."""

    leg: Leg
    at: datetime
    late_minutes: int


def note_position(store: Store, run: Run, new: NewPosition, network: RoadNetwork, world: World) -> RunPosition:
    """Keep where a volunteer is, in place of where he or she was; older than that changes nothing. Tells people who will wait longer.

    IllegalMove unless the run goes on; BadInput for a time that cannot be and for a place off the roads.
    """
    run = store.lock_run(run.id)
    if run.state != "started":
        raise IllegalMove("Only a run that has begun, and is not over, has a position.")
    if new.at > world.now() + SKEW:
        raise BadInput([Fault("at", "future", "is in the future: check the clock of the phone")])
    if new.at < world.now() - OLD:
        raise BadInput([Fault("at", "too_old", "is too long ago to say anything")])
    check_on_roads(network, policy_of(store.territory()).snap_limit_metres, {"point": new.point})
    kept = store.positions_of([run.id]).get(run.id)
    if kept is not None and kept.at >= new.at:
        return kept
    stops = store.stops_of([run.id]).get(run.id, [])
    number, reaches_at = _on_the_way_to(stops, _riders(store, [run])[run.id], new, network)
    values = {"place": new.point, "accuracy_m": new.accuracy_m, "at": new.at, "number": number, "reaches_at": reaches_at}
    if kept is None:
        kept = RunPosition(id=world.new_id(), run_id=run.id, **values)
        store.add(kept)
    else:
        for name, value in values.items():
            setattr(kept, name, value)
        store.flush()
    tell_late(store, run, world)
    return kept


def tell_late(store: Store, run: Run, world: World) -> int:
    """Tell people who wait for a car that it comes later than it should; how many. The same lateness is told once."""
    step = rules_of(store.territory()).driving.tell_late_minutes
    riders, told = _riders(store, [run])[run.id], 0
    for leg_id, expected in progress(store, [run]).get(run.id, {}).items():
        rider = riders[leg_id]
        steps = expected.late_minutes // step
        if not steps or rider.leg.state in (*_GONE, "at_pickup"):
            continue
        keys = [f"late {leg_id} {number}" for number in range(min(steps, _STEPS), _STEPS + 1)]
        if any(store.notice_keyed(key) is not None for key in keys):  # so late, or later, was told
            continue
        drop_notices(store, leg_id, "ride_late")
        facts = {"at": expected.at, "minutes": expected.late_minutes, "volunteer_id": run.volunteer_id}
        queue_notice(store, "ride_late", rider.request.beneficiary_id, leg_id, world, facts=facts, key=keys[0])
        told += 1
    return told


def progress(store: Store, runs: Sequence[Run]) -> dict[UUID, dict[UUID, Expected]]:
    """By run and leg, of runs that have begun: rides that are not over, as far as anything is known of the car."""
    begun = [run for run in runs if run.state == "started"]
    ids = [run.id for run in begun]
    stops, positions, riders = store.stops_of(ids), store.positions_of(ids), _riders(store, begun)
    return {run.id: expect(stops.get(run.id, []), riders[run.id], positions.get(run.id)) for run in begun}


def expect(stops: Sequence[RunStop], riders: Mapping[UUID, Ride], position: RunPosition | None) -> dict[UUID, Expected]:
    """By leg: the pickup of whoever waits, the end of the ride of whoever is on board."""
    known = [stop for stop in stops if stop.leg_id is None or stop.leg_id in riders]
    facts = _so_far(known, riders)
    reaches = None
    if position is not None and position.reaches_at is not None:
        heading = next((k for k, stop in enumerate(known) if stop.number == position.number), None)
        newest = max((tap.at for rider in riders.values() for tap in rider.taps), default=None)
        if heading is not None and facts[heading].arrived is None and (newest is None or newest <= position.at):
            reaches = heading, position.reaches_at
    found: dict[UUID, Expected] = {}
    for stop, arrives in zip(known, expected_arrivals(facts, reaches), strict=True):
        rider = riders.get(stop.leg_id) if stop.leg_id else None
        if rider is None or arrives is None or rider.leg.state in OVER_LEG:
            continue
        if stop.kind == "pickup" and rider.leg.state not in _GONE:
            found[rider.leg.id] = Expected(rider.leg, arrives, _minutes(arrives - rider.assignment.told_pickup_at))
        elif stop.kind == "dropoff" and rider.leg.state == "on_board":
            due = moment_of(rider.request) if rider.leg.direction == "outbound" and rider.request.arrive_by else stop.arrive_at
            found[rider.leg.id] = Expected(rider.leg, arrives, _minutes(arrives - due))
    return found


def _minutes(late: timedelta) -> int:
    return max(0, round(late / timedelta(minutes=1)))


def _riders(store: Store, runs: Sequence[Run]) -> dict[UUID, dict[UUID, Ride]]:
    rides = store.rides_of([run.id for run in runs])
    legs = [leg for found in rides.values() for _, leg in found]
    requests, taps = store.requests({leg.request_id for leg in legs}), store.taps_of([leg.id for leg in legs])
    people = store.beneficiaries({request.beneficiary_id for request in requests.values()})

    def rider(assignment: Assignment, leg: Leg) -> Ride:
        request = requests[leg.request_id]
        return Ride(leg, assignment, request, people[request.beneficiary_id], taps.get(leg.id, ()))

    return {run.id: {leg.id: rider(assignment, leg) for assignment, leg in rides.get(run.id, [])} for run in runs}


def _so_far(stops: Sequence[RunStop], riders: Mapping[UUID, Ride]) -> list[StopSoFar]:
    """Stops with what taps say of them. Setting out for somebody is leaving the stop before, if that is home, or was reached."""
    found: list[StopSoFar] = []
    for number, stop in enumerate(stops):
        planned = StopSoFar(arrive_at=stop.arrive_at, depart_at=stop.depart_at)
        ride = riders.get(stop.leg_id) if stop.leg_id else None
        if ride is None:
            found.append(planned)
            continue
        said = _said(ride.taps)
        if stop.kind == "dropoff":
            handling, over = timedelta(minutes=ride.beneficiary.unload_minutes), ride.leg.state in OVER_LEG
            found.append(replace(planned, handling=handling, arrived=said.get("completed"), skipped=over and ride.leg.state != "completed"))
            continue
        left = said.get("on_board") or said.get("no_show") or said.get("missed")
        handling = timedelta(minutes=ride.beneficiary.load_minutes)
        if number and (set_out := said.get("en_route")) is not None and found[-1].left is None:
            before = found[-1]
            if stops[number - 1].leg_id is None or before.arrived is not None:
                found[-1] = replace(before, left=max(set_out, before.arrived or set_out))
        found.append(replace(planned, handling=handling, arrived=said.get("at_pickup") or left, left=left))
    return found


def _said(taps: Iterable[Tap]) -> dict[str, datetime]:
    """The first time that each was said for."""
    found: dict[str, datetime] = {}
    for tap in taps:
        found[tap.state] = min(tap.at, found.get(tap.state, tap.at))
    return found


def _on_the_way_to(
    stops: Sequence[RunStop], riders: Mapping[UUID, Ride], new: NewPosition, network: RoadNetwork
) -> tuple[int | None, datetime | None]:
    """The stop that comes next, and when the car is there from where it was; nothing for a position that says nothing."""
    known = [stop for stop in stops if stop.leg_id is None or stop.leg_id in riders]
    facts = _so_far(known, riders)
    done = [k for k, fact in enumerate(facts) if fact.arrived is not None or fact.left is not None]
    ahead = [stop for k, stop in enumerate(known) if k > max(done, default=0) and not facts[k].skipped and stop.leg_id is not None]
    if not ahead or new.accuracy_m > VAGUE_M:
        return None, None
    here, there = (snap(network, np.array([place], np.float64), limit_m=float("inf")) for place in (new.point, ahead[0].place))
    ms = int(travel_times(network, here, there).ms[0, 0])
    return (ahead[0].number, new.at + timedelta(milliseconds=ms)) if ms < UNREACHABLE else (None, None)
