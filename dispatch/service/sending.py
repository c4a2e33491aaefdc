"""Sending a day by hand: what rounds have planned is looked at by somebody first, who asks all volunteers, or some.

In: a day, ways that are planned (`proposed`). Out: offers. Called by the API, which commits. What is not sent stays planned: the next round
of its day confirms it or finds something better.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from dispatch.errors import Conflict
from dispatch.service.asking import Held, ask
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, TripRequest
from dispatch.world import World


@dataclass(frozen=True, slots=True)
class Sent:
    """What was asked."""

    offers: tuple[Offer, ...]
    volunteers: int
    legs: int
    late: int  # ways whose pickup has passed: not asked


def send_day(store: Store, day: date, chosen: Collection[UUID] | None, minutes: int, world: World) -> Sent:
    """Ask volunteers about the ways that are planned for them on a day: one question for each, with its link and its deadline.

    `chosen`: assignments, which say who would drive a way and when; all of the day's when None. Conflict when one of them is not what is
    planned any more, or needs its other way with it; then nobody is asked.
    """
    about = {request.id: request for leg, request in store.ways_of_day(day) if leg.state == "proposed"}
    legs = {leg.id: leg for ways in store.legs_of(about, lock=True).values() for leg in ways if leg.state == "proposed"}
    planned = [ride for ride in store.active_assignments(legs).values() if chosen is None or ride.id in chosen]
    if chosen is not None and len(planned) < len(set(chosen)):
        raise Conflict("Some of these rides have changed meanwhile: look at the proposal again.")
    held = [(legs[ride.leg_id], ride) for ride in planned if ride.told_pickup_at > world.now()]
    _check_together(store, held, about)
    by_volunteer: dict[UUID, list[Held]] = {}
    for leg, ride in held:
        by_volunteer.setdefault(ride.volunteer_id, []).append((leg, ride))
    offers = [offer for ways in by_volunteer.values() for offer in ask(store, ways, minutes, world)]
    store.flush()
    return Sent(tuple(offers), len(by_volunteer), len(held), len(planned) - len(held))


def _check_together(store: Store, held: Sequence[Held], about: dict[UUID, TripRequest]) -> None:
    """Both ways of a request that needs the same volunteer are asked in one question."""
    asked = {leg.id for leg, _ in held}
    need_both = [request_id for request_id in {leg.request_id for leg, _ in held} if about[request_id].same_driver == "require"]
    for ways in store.legs_of(need_both).values():
        if any(leg.state == "proposed" and leg.id not in asked for leg in ways):
            raise Conflict("The same volunteer is needed there and back: choose both ways together.")
