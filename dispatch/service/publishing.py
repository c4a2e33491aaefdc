"""What volunteers are told of their day, and people of their ride: once, and again only when it changes.

In: a day. Out: publications with versions, and notices to those whom a change touches. Called by the planner's turn, and by the API.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.model.lifecycle import ACTIVE_RUN
from dispatch.model.slots import slot_instant
from dispatch.notices.outbox import drop_notices, queue_notice
from dispatch.service.people import policy_of, rules_of
from dispatch.storage.driving import Publication, ToldRide
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, TripRequest
from dispatch.world import World

_DRIVEN = ("confirmed", "en_route", "at_pickup", "on_board")
NOBODY = ""


def publish_due(store: Store, world: World) -> int:
    """Publish today, and tomorrow from the territory's hour on; how many volunteers were told something new."""
    territory, now = store.territory(), world.now()
    today = now.astimezone(ZoneInfo(territory.timezone)).date()
    last = today + timedelta(days=1)
    if now < slot_instant(today, rules_of(territory).driving.publish_at, territory.timezone):
        last = today
    return sum(publish_day(store, day, world) for day in sorted(store.days_with_runs(today, last)))


def publish_day(store: Store, day: date, world: World) -> int:
    """Tell every volunteer whose rides of a day are not what he or she was told last; how many. Said twice is said once."""
    before, agreed, told = store.publications(day), _agreed(store, day), 0
    for volunteer_id in sorted({*before, *agreed}):
        rides, last = agreed.get(volunteer_id, []), before.get(volunteer_id)
        digest = _digest(rides)
        if digest == (last.digest if last else NOBODY):
            continue
        told += 1
        kind = _kind(last.digest if last else NOBODY, digest)
        if last is None:
            last = Publication(
                id=world.new_id(), volunteer_id=volunteer_id, service_date=day, version=0, digest=NOBODY, published_at=world.now()
            )
            store.add(last)
        last.version, last.digest, last.published_at = last.version + 1, digest, world.now()
        _tell_volunteer(store, last, kind, _moment(rides, day, store), len(rides), world)
    for run in store.runs_of_day(day):
        if run.state == "planned" and any(assignment.run_id == run.id for assignment, _ in agreed.get(run.volunteer_id, [])):
            store.move(run, "published", world)
    return told


def _agreed(store: Store, day: date) -> dict[UUID, list[tuple[Assignment, Leg]]]:
    """What volunteers have said yes to, by volunteer, in the order of driving."""
    runs = [run for run in store.runs_of_day(day) if run.state in ACTIVE_RUN]
    found: dict[UUID, list[tuple[Assignment, Leg]]] = {}
    for rides in store.rides_of([run.id for run in runs]).values():
        for assignment, leg in rides:
            if leg.state in _DRIVEN:
                found.setdefault(assignment.volunteer_id, []).append((assignment, leg))
    return {volunteer: sorted(rides, key=lambda ride: ride[0].pickup_at) for volunteer, rides in found.items()}


def _digest(rides: Sequence[tuple[Assignment, Leg]]) -> str:
    """Of whom to fetch, and when they were told: what moves within that is no news."""
    if not rides:
        return NOBODY
    text = "|".join(f"{assignment.leg_id} {assignment.told_pickup_at.isoformat()}" for assignment, _ in rides)
    return hashlib.sha256(text.encode()).hexdigest()


def _kind(before: str, after: str) -> str:
    return "run_cancelled" if after == NOBODY else "run_published" if before == NOBODY else "run_changed"


def _moment(rides: Sequence[tuple[Assignment, Leg]], day: date, store: Store) -> datetime:
    return rides[0][0].told_pickup_at if rides else slot_instant(day, "08:00", store.territory().timezone)


def _tell_volunteer(store: Store, told: Publication, kind: str, moment: datetime, rides: int, world: World) -> None:
    facts = {"at": moment} if kind == "run_cancelled" else {"at": moment, "rides": rides}
    drop_notices(store, told.id)  # what was to be said before is no news any more
    key = f"publication {told.id} {told.version}"
    queue_notice(store, kind, told.volunteer_id, told.id, world, facts=facts, key=key)  # type: ignore[arg-type] # of `_kind`


def tell_person(store: Store, request: TripRequest, world: World) -> None:
    """Tell somebody who comes and when, once every way that can be is agreed on; and again when somebody else comes, or at another time."""
    legs = [
        leg for leg in store.legs_of([request.id])[request.id] if leg.state in ("confirmed", "pending", "standby", "offered", "proposed")
    ]
    if not legs or any(leg.state != "confirmed" for leg in legs):
        return
    policy = policy_of(store.territory())
    held, told = store.active_assignments([leg.id for leg in legs]), store.told_rides([leg.id for leg in legs])
    for leg in legs:
        ride, last = held[leg.id], told.get(leg.id)
        window = timedelta(minutes=policy.told_rounding_minutes + policy.promise_tolerance_minutes)
        if last is None:
            kind, version = "ride_confirmed", 1
            values = {"leg_id": leg.id, "volunteer_id": ride.volunteer_id, "told_pickup_at": ride.told_pickup_at, "version": 1}
            store.add(ToldRide(id=world.new_id(), **values))
        elif (last.volunteer_id, last.told_pickup_at) != (ride.volunteer_id, ride.told_pickup_at):
            kind, version = "ride_changed", last.version + 1
            last.volunteer_id, last.told_pickup_at, last.version = ride.volunteer_id, ride.told_pickup_at, version
            store.flush()
        else:
            continue
        facts = {"pickup_from": ride.told_pickup_at, "pickup_to": ride.told_pickup_at + window, "volunteer_id": ride.volunteer_id}
        queue_notice(store, kind, request.beneficiary_id, leg.id, world, facts=facts, key=f"ride {leg.id} {version}")  # type: ignore[arg-type]
