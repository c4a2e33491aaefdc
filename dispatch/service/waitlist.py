"""Rides that nobody was found for: every round of their day tries again, until it is too late; then they are unmet needs with a cause.

In: the present, again and again. Out: legs that came to nothing, people who are told. Called by the planner's turn.
Nobody is left where they were taken: a way back of somebody who was driven there is given up by a human only.
"""

from datetime import timedelta

from dispatch.model.plans import Reason
from dispatch.notices.outbox import queue_notice
from dispatch.service.asking import release
from dispatch.service.people import rules_of
from dispatch.service.trips import area, close_if_over, moment_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest, UnmetNeed
from dispatch.world import World

ALL_DECLINED = "ALL_DECLINED"
_AWAY = ("confirmed", "en_route", "at_pickup", "on_board", "completed")  # whoever is, or will be, at the destination
_WANTING = ("pending", "standby", "proposed")


def give_up_late(store: Store, world: World) -> int:
    """Note the needs that nobody will meet any more; how many ways."""
    limit = timedelta(minutes=rules_of(store.territory()).booking.give_up_minutes)
    given_up = 0
    found: dict[TripRequest, list[Leg]] = {}
    for leg, request in store.legs_in_want(world.now() + limit):
        found.setdefault(request, []).append(leg)
    for request, wanting in found.items():
        legs = store.legs_of([request.id], lock=True)[request.id]  # fresh: somebody may have been found at this very moment
        there = next(leg for leg in legs if leg.direction == "outbound")
        due = {leg.id for leg in wanting if leg.state in _WANTING}
        stranded = there.state in _AWAY and not request.one_way_ok
        lost = [leg for leg in legs if leg.id in due and not (leg.direction == "return" and stranded)]
        if there in lost and not request.one_way_ok:  # nobody is brought back who was not taken there
            lost = [leg for leg in legs if leg.state in (*_WANTING, "on_call")]
        for leg in lost:
            note_unmet(store, request, leg, world)
        given_up += len(lost)
        if lost:
            close_if_over(store, request, world)
    return given_up


def note_unmet(store: Store, request: TripRequest, leg: Leg, world: World, cause: str | None = None) -> None:
    """A way that nobody drives: kept with place and cause, and the person is told. IllegalMove for a way that somebody drives."""
    why = cause or _cause(store, request, leg)
    if leg.state == "proposed":
        release(store, [leg.id], world)
    store.move(leg, "unmet", world, why.lower()[:30])
    ends = (area(request.origin), area(request.destination))
    origin, destination = ends if leg.direction == "outbound" else ends[::-1]
    store.add(
        UnmetNeed(
            id=world.new_id(),
            leg_id=leg.id,
            service_date=request.service_date,
            direction=leg.direction,
            origin=origin,
            destination=destination,
            purpose=request.purpose,
            cause=why,
            noted_at=world.now(),
        )
    )
    moment = request.return_after if leg.direction == "return" and request.return_after else moment_of(request)
    facts = {"at": moment, "reason": why}
    queue_notice(store, "ride_unmet", request.beneficiary_id, request.id, world, facts=facts, key=f"unmet {request.id}")


def _cause(store: Store, request: TripRequest, leg: Leg) -> str:
    """What the last round said; when everybody who could drive was asked, that."""
    asked = {row.leg_id for offer in store.offers_of([request.id], "declined", "expired") for row in store.offer_legs([offer.id])[offer.id]}
    last = store.last_unserved([leg.id]).get(leg.id)
    reason = last.reason if last else Reason.NO_DRIVER_WINDOW.value
    return ALL_DECLINED if leg.id in asked and reason in (Reason.NO_DRIVER_WINDOW.value, Reason.REFUSED_PAIR.value) else reason
