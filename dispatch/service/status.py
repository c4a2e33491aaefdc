"""How far a ride is: taps of volunteers and of staff, in whatever order and however late they come in.

In: a tap with its own id and its own time. Out: the way where it is now. Called by the API. Every tap is kept; a way only goes forward, so
that what comes late, twice or out of order does no harm. What cannot be at all is refused and changes nothing.
"""

from datetime import datetime, timedelta

from dispatch.errors import BadInput, Conflict, Fault, IllegalMove
from dispatch.model.driving import FORWARD, NewTap
from dispatch.model.lifecycle import OVER_LEG, UNDER_WAY, move
from dispatch.service.lateness import SKEW, tell_late
from dispatch.service.offers import withdraw_offer
from dispatch.service.people import rules_of
from dispatch.service.runs import finish_run
from dispatch.service.trips import close_if_over
from dispatch.storage.driving import Tap
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Run, TripRequest
from dispatch.world import World

EARLY = timedelta(hours=2)  # before the time told nobody is fetched
LATE = timedelta(hours=36)  # after it nobody is on the way any more


def note_tap(store: Store, leg: Leg, new: NewTap, world: World, *, staff: bool) -> Leg:
    """Keep a tap and move the way forward.

    BadInput for a time that cannot be; Conflict for a no-show before the wait is over; IllegalMove for a step that a way in this state
    cannot take.
    """
    request = store.get(TripRequest, leg.request_id)
    legs = {row.id: row for row in store.legs_of([request.id], lock=True)[request.id]}
    leg = legs[leg.id]
    known = store.tap(new.id)
    if known is not None:
        if (known.leg_id, known.state) != (leg.id, new.state):
            raise Conflict("This id was used for another tap.")
        return leg
    assignment = store.active_assignments([leg.id]).get(leg.id)
    if assignment is None:
        raise IllegalMove("Nobody drives this ride.")
    _check_moment(new, assignment, world.now())
    if new.state == "missed" and not staff:
        raise IllegalMove("Only the coordination says that a ride was missed.")
    passed = leg.state in FORWARD and new.state in FORWARD and FORWARD.index(new.state) <= FORWARD.index(leg.state)
    if not passed:
        move("leg", leg.state, new.state)
    if new.state == "no_show":
        _check_wait(store, leg, new, assignment)
    store.add(Tap(id=new.id, leg_id=leg.id, state=new.state, at=new.at, noted_at=world.now()))
    if passed:
        return leg
    store.move(leg, new.state, world)
    run = store.get(Run, assignment.run_id)
    _start(store, run, world)
    if new.state == "no_show" and leg.direction == "outbound":
        _give_up_return(store, request, list(legs.values()), world)
    if new.state in OVER_LEG:
        finish_run(store, run, world)
        close_if_over(store, request, world)
    if run.state == "started":
        tell_late(store, run, world)
    return leg


def _check_moment(new: NewTap, assignment: Assignment, now: datetime) -> None:
    if new.at > now + SKEW:
        raise BadInput([Fault("at", "future", "is in the future: check the clock of the phone")])
    if new.at < assignment.told_pickup_at - EARLY:
        raise BadInput([Fault("at", "too_early", "is long before this ride")])
    if new.at > assignment.told_pickup_at + LATE:
        raise BadInput([Fault("at", "too_late", "is long after this ride: tell the coordination")])
    if new.state == "completed" and new.at < assignment.told_pickup_at - EARLY / 2:
        raise Conflict("This ride cannot be over before it begins.")


def _check_wait(store: Store, leg: Leg, new: NewTap, assignment: Assignment) -> None:
    """Somebody has to be there, at the time told, and wait a little: then it is proved, and fair."""
    arrived = [tap.at for tap in store.taps_of([leg.id]).get(leg.id, []) if tap.state == "at_pickup"]
    if not arrived:
        raise Conflict("A no-show is noted by whoever has arrived: tap that first.")
    wait = timedelta(minutes=rules_of(store.territory()).driving.wait_minutes)
    if new.at < max(min(arrived), assignment.told_pickup_at) + wait:
        raise Conflict(f"Please wait {wait // timedelta(minutes=1)} minutes after the time that was told, and call.")


def _start(store: Store, run: Run, world: World) -> None:
    for state in ("published", "started"):
        if run.state in ("planned", "published") and run.state != state:
            store.move(run, state, world)


def _give_up_return(store: Store, request: TripRequest, legs: list[Leg], world: World) -> None:
    """Who was not taken there is not brought back: the way back is free for others at once."""
    for back in (leg for leg in legs if leg.direction == "return" and leg.state not in (*OVER_LEG, *UNDER_WAY)):
        for offer in store.offers_of([request.id], "sent", "accepted"):
            about = {row.leg_id for row in store.offer_legs([offer.id]).get(offer.id, [])}
            if about == {back.id}:
                withdraw_offer(store, offer, world)
        held = store.active_assignments([back.id]).get(back.id)
        if held is not None:
            held.active = held.locked = False
            store.flush()
            for run in store.empty_runs({held.run_id}):
                store.move(run, "cancelled", world)
        store.move(back, "no_show" if back.state in ("confirmed", "on_call") else "cancelled", world)
