"""What the database knows about one service day of one territory, as the planner wants it.

In: a store, a date, the present. Out: a `Snapshot`: the `Day`, and which version of which leg stands behind it. Called by rounds.
Ids in the day are row ids: no name, no phone number leaves the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from dispatch.model.clock import day_length_s, day_start
from dispatch.model.day import Day, Driver, OverLeg, Promise, Request
from dispatch.model.lifecycle import OVER_LEG, UNDER_WAY, WAITING_LEG
from dispatch.service.people import policy_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Availability, Beneficiary, Leg, Round, TripRequest, Volunteer

FAIRNESS = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A day as it was at one moment."""

    territory_id: UUID
    round_id: UUID
    token: int  # with which the result is taken
    day: Day
    requests: tuple[UUID, ...]  # those that are still wanted, in the day or too late for it
    versions: Mapping[UUID, int]  # of all their legs
    late: frozenset[UUID]  # legs whose time has passed: they are not in the day
    seconds: float
    seed: int


def make_snapshot(store: Store, of: Round, token: int, now: datetime) -> Snapshot:
    """Collect the day of a round that is held with a token. Cost: a dozen queries, whatever the number of rows."""
    territory, service_date = store.territory(), of.service_date
    requests = store.requests_of_day(service_date)
    legs = store.legs_of([request.id for request in requests])
    held = store.active_assignments([leg.id for ways in legs.values() for leg in ways if leg.state in ("confirmed", *UNDER_WAY)])
    out = {run.id: run for runs in store.active_runs(service_date).values() for run in runs if run.state == "started"}
    agreed = {leg_id: assignment for leg_id, assignment in held.items() if assignment.run_id not in out}
    over = {leg.id for ways in legs.values() for leg in ways if leg.state in OVER_LEG} | (held.keys() - agreed.keys())
    late = _late(requests, legs, now)
    planned = [r for r in requests if any(leg.state in (*WAITING_LEG, "confirmed") and leg.id not in late | over for leg in legs[r.id])]
    busy = {assignment.volunteer_id for assignment in agreed.values()}
    drivers = _drivers(store, service_date, territory.timezone, now, busy, {run.volunteer_id: run.ends_at for run in out.values()})
    known = {driver.id for driver in drivers}
    refused = _refused(store, planned)
    people = store.beneficiaries({request.beneficiary_id for request in planned})
    day = Day(
        date=service_date,
        timezone=territory.timezone,
        policy=policy_of(territory),
        drivers=tuple(drivers),
        requests=tuple(_request(r, people[r.beneficiary_id], legs[r.id], late, refused.get(r.id, ())) for r in planned),
        promises=tuple(p for r in planned for p in _promises(legs[r.id], agreed) if p.driver in known),
        over=tuple(_over(r, leg) for r in planned for leg in legs[r.id] if leg.id in over and _is_asked_for(r, leg, late)),
    )
    return Snapshot(
        territory_id=store.territory_id,
        round_id=of.id,
        token=token,
        day=day,
        requests=tuple(legs),
        versions={leg.id: leg.version for ways in legs.values() for leg in ways},
        late=frozenset(late),
        seconds=of.seconds,
        seed=of.seed,
    )


def _late(requests: Sequence[TripRequest], legs: Mapping[UUID, list[Leg]], now: datetime) -> set[UUID]:
    """Waiting legs whose moment is past. A way back that cannot be had without the way there is late with it."""
    late: set[UUID] = set()
    for request in requests:
        there = request.arrive_by or request.depart_after
        gone = {"outbound": there is not None and there <= now, "return": request.return_after is not None and request.return_after <= now}
        gone["return"] |= gone["outbound"] and all(leg.state not in ("confirmed", *UNDER_WAY, "completed") for leg in legs[request.id])
        late |= {leg.id for leg in legs[request.id] if leg.state in WAITING_LEG and gone[leg.direction]}
    return late


def _over(request: TripRequest, leg: Leg) -> OverLeg:
    return OverLeg(request=str(request.id), leg="outbound" if leg.direction == "outbound" else "return")


def _is_asked_for(request: TripRequest, leg: Leg, late: set[UUID]) -> bool:
    """Whether the day knows of this way at all."""
    return leg.direction == "outbound" or (request.return_after is not None and leg.id not in late)


def _drivers(store: Store, service_date: date, zone: str, now: datetime, busy: set[UUID], out: Mapping[UUID, datetime]) -> list[Driver]:
    """Volunteers with a span on this day. Spans start now at the earliest, except for those who have something agreed on.

    `out`: until when volunteers are on a run that has started, which no plan changes: they are free again after it.
    """
    start = day_start(service_date, zone)
    spans: dict[UUID, list[Availability]] = {}
    for span in store.availabilities(start, start + timedelta(seconds=day_length_s(service_date, zone))):
        spans.setdefault(span.volunteer_id, []).append(span)
    refuses: dict[UUID, list[str]] = {}
    for pair in store.refusals():
        refuses.setdefault(pair.volunteer_id, []).append(str(pair.beneficiary_id))
    knows: dict[UUID, set[str]] = {}
    rides: dict[UUID, int] = {}
    for volunteer_id, beneficiary_id in store.past_rides(start - FAIRNESS, start):
        knows.setdefault(volunteer_id, set()).add(str(beneficiary_id))
        rides[volunteer_id] = rides.get(volunteer_id, 0) + 1
    drivers = []
    for row in store.active_volunteers():
        first = max(out[row.id], now) if row.id in out else None if row.id in busy else now
        shifts = [(max(span.starts_at, first) if first else span.starts_at, span.ends_at) for span in spans.get(row.id, [])]
        shifts = _joined([(begins, ends) for begins, ends in shifts if begins < ends])
        if shifts:
            drivers.append(_driver(row, shifts, refuses.get(row.id, []), sorted(knows.get(row.id, ())), rides.get(row.id, 0)))
    return drivers


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that overlap become one: two people may have noted the same morning at once."""
    joined: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(spans):
        if joined and begins < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((begins, ends))
    return joined


def _driver(row: Volunteer, shifts: Iterable[tuple[datetime, datetime]], refuses: list[str], knows: list[str], rides: int) -> Driver:
    return Driver(
        id=str(row.id),
        home=row.home,
        shifts=tuple((begins.isoformat(), ends.isoformat()) for begins, ends in shifts),
        seats=row.seats,
        wheelchair_places=row.wheelchair_places,
        boot=row.boot,
        max_km=row.max_km,
        max_rides=row.max_rides,
        accepts_needs=tuple(row.accepts_needs),
        refuses=tuple(refuses),
        knows=tuple(knows),
        recent_rides=min(rides, 1000),
    )


def _request(row: TripRequest, person: Beneficiary, legs: Sequence[Leg], late: set[UUID], refused: Iterable[UUID]) -> Request:
    ways = {leg.direction: leg for leg in legs}
    back = row.return_after if "return" in ways and ways["return"].id not in late else None
    return Request(
        id=str(row.id),
        beneficiary=str(row.beneficiary_id),
        origin=row.origin,
        destination=row.destination,
        arrive_by=row.arrive_by.isoformat() if row.arrive_by else None,
        depart_after=row.depart_after.isoformat() if row.depart_after else None,
        window_minutes=row.window_minutes,
        return_after=back.isoformat() if back else None,
        return_window_minutes=row.return_window_minutes,
        seats=row.seats,
        wheelchair=person.wheelchair,
        boot=person.boot,
        needs=tuple(dict.fromkeys([*person.needs, *row.needs])),
        alone=person.alone,
        load_minutes=person.load_minutes,
        unload_minutes=person.unload_minutes,
        max_ride_minutes=person.max_ride_minutes,
        priority=row.priority,
        refuses=tuple(str(volunteer) for volunteer in refused),
        # once somebody has agreed to one way, that promise stands whether or not the other way finds a volunteer
        one_way_ok=row.one_way_ok or any(leg.state in ("confirmed", *UNDER_WAY, "completed") for leg in legs),
        same_driver="require" if row.same_driver == "require" else "prefer",
    )


def _refused(store: Store, requests: Sequence[TripRequest]) -> dict[UUID, list[UUID]]:
    """Who said no to a request, or said nothing."""
    refused: dict[UUID, list[UUID]] = {}
    for offer in store.offers_of([request.id for request in requests], "declined", "expired"):
        if offer.volunteer_id not in refused.setdefault(offer.request_id, []):
            refused[offer.request_id].append(offer.volunteer_id)
    return refused


def _promises(legs: Sequence[Leg], agreed: Mapping[UUID, Assignment]) -> list[Promise]:
    """What was agreed on stands: this volunteer, this time."""
    return [
        Promise(
            request=str(leg.request_id),
            leg="outbound" if leg.direction == "outbound" else "return",
            driver=str(agreed[leg.id].volunteer_id),
            pickup_at=agreed[leg.id].told_pickup_at.isoformat(),
            lock="both",
        )
        for leg in legs
        if leg.id in agreed
    ]
