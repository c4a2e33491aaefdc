"""What the database knows about one service day of one territory, as the planner wants it.

In: a store, a date, the present. Out: a `Snapshot`: the `Day`, and which version of which leg stands behind it. Called by rounds.
Ids in the day are row ids: no name, no phone number leaves the database.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from dispatch.model.clock import day_start
from dispatch.model.day import Day, Driver, OverLeg, Promise, Request
from dispatch.model.lifecycle import OVER_LEG, UNDER_WAY, WAITING_LEG
from dispatch.rules.fitness import met_needs, too_far, too_few_seats
from dispatch.service.availability import free_spans
from dispatch.service.people import policy_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Round, TripRequest, Volunteer

FAIRNESS = timedelta(days=28)
USUAL_RIDES = 8  # in that time, of volunteers who wish for no number: who wishes for twice as many has driven half as much


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


def day_of(store: Store, service_date: date, now: datetime) -> Day:
    """A day as it would be planned now, for whoever plans it elsewhere."""
    unheld = Round(id=store.territory_id, service_date=service_date, seconds=1.0, seed=1)  # in no session: nothing is kept
    return make_snapshot(store, unheld, 0, now).day


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
    asked = [leg.id for ways in legs.values() for leg in ways if leg.state == "offered" and leg.id not in late]
    told = agreed | store.active_assignments(asked)
    planned = [r for r in requests if any(leg.state in (*WAITING_LEG, "confirmed") and leg.id not in late | over for leg in legs[r.id])]
    busy = {assignment.volunteer_id for assignment in agreed.values()}
    volunteers = store.active_volunteers()
    back = {run.volunteer_id: run.ends_at for run in out.values()}
    drivers = _drivers(store, volunteers, service_date, territory.timezone, now, busy, back)
    known = {driver.id for driver in drivers}
    refused = _refused(store, planned)
    _add_far(refused, planned, [row for row in volunteers if str(row.id) in known], agreed, legs)
    people = store.beneficiaries({request.beneficiary_id for request in planned})
    day = Day(
        date=service_date,
        timezone=territory.timezone,
        policy=policy_of(territory),
        drivers=tuple(drivers),
        requests=tuple(_request(r, people[r.beneficiary_id], legs[r.id], late, refused.get(r.id, ())) for r in planned),
        promises=tuple(p for r in planned for p in _promises(legs[r.id], told, agreed) if p.driver in known),
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


def add_wish(store: Store, snapshot: Snapshot, request: TripRequest, legs: Sequence[Leg]) -> Snapshot:
    """The day as if a request, which need not be in the database, were accepted."""
    day, person = snapshot.day, store.beneficiaries({request.beneficiary_id})[request.beneficiary_id]
    here = {driver.id for driver in day.drivers}
    refused: dict[UUID, list[UUID]] = {}
    _add_far(refused, [request], [row for row in store.active_volunteers() if str(row.id) in here], {}, {request.id: list(legs)})
    wish = _request(request, person, legs, set(), refused[request.id])
    return replace(snapshot, day=day.model_copy(update={"requests": (*day.requests, wish)}), requests=(*snapshot.requests, request.id))


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


def _drivers(
    store: Store,
    volunteers: Iterable[Volunteer],
    service_date: date,
    zone: str,
    now: datetime,
    busy: set[UUID],
    out: Mapping[UUID, datetime],
) -> list[Driver]:
    """Volunteers with a span on this day. Spans start now at the earliest, except for those who have something agreed on.

    `out`: until when volunteers are on a run that has started, which no plan changes: they are free again after it.
    """
    start, spans = day_start(service_date, zone), free_spans(store, service_date)
    load = _week_load(store, service_date)
    refuses: dict[UUID, list[str]] = {}
    for pair in store.refusals():
        refuses.setdefault(pair.volunteer_id, []).append(str(pair.beneficiary_id))
    knows: dict[UUID, set[str]] = {}
    preferred_by: dict[UUID, list[str]] = {}
    for tie in store.ties():
        if tie.known:
            knows.setdefault(tie.volunteer_id, set()).add(str(tie.beneficiary_id))
        if tie.preferred:
            preferred_by.setdefault(tie.volunteer_id, []).append(str(tie.beneficiary_id))
    rides: dict[UUID, int] = {}
    for volunteer_id, beneficiary_id in store.past_rides(start - FAIRNESS, start):
        knows.setdefault(volunteer_id, set()).add(str(beneficiary_id))
        rides[volunteer_id] = rides.get(volunteer_id, 0) + 1
    drivers = []
    for row in volunteers:
        first = max(out[row.id], now) if row.id in out else None if row.id in busy else now
        shifts = [(max(begins, first) if first else begins, ends) for begins, ends in spans.get(row.id, [])]
        shifts = [(begins, ends) for begins, ends in shifts if begins < ends]
        if shifts:
            pairs = _Pairs(refuses.get(row.id, []), sorted(knows.get(row.id, ())), preferred_by.get(row.id, []))
            drivers.append(_driver(row, shifts, pairs, rides.get(row.id, 0), load.get(row.id, _NOTHING)))
    return drivers


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Of a volunteer: people by id."""

    refuses: list[str]
    knows: list[str]
    preferred_by: list[str]


@dataclass(frozen=True, slots=True)
class _Load:
    """Of a volunteer's week: on the other days of it, and on this day already."""

    rides: int = 0
    metres: int = 0
    rides_here: int = 0
    metres_here: int = 0


_NOTHING = _Load()


def _week_load(store: Store, day: date) -> dict[UUID, _Load]:
    """What is planned and driven in the week of a day, from Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    found: dict[UUID, _Load] = {}
    for run, rides in store.driven_between(monday, monday + timedelta(days=6)):
        had, here = found.get(run.volunteer_id, _NOTHING), run.service_date == day
        found[run.volunteer_id] = (
            replace(had, rides_here=had.rides_here + rides, metres_here=had.metres_here + run.metres)
            if here
            else replace(had, rides=had.rides + rides, metres=had.metres + run.metres)
        )
    return found


def _driver(row: Volunteer, shifts: Iterable[tuple[datetime, datetime]], pairs: _Pairs, rides: int, load: _Load) -> Driver:
    return Driver(
        id=str(row.id),
        home=row.home,
        shifts=tuple((begins.isoformat(), ends.isoformat()) for begins, ends in shifts),
        seats=row.seats,
        wheelchair_places=row.wheelchair_places,
        boot=row.boot,
        max_km=_left(row.max_km, row.max_km_week, load.metres / 1000, load.metres_here / 1000),
        max_rides=None if (left := _left(row.max_rides, row.max_rides_week, load.rides, load.rides_here)) is None else int(left),
        max_duty_minutes=row.max_duty_minutes,
        accepts_needs=met_needs(row),
        refuses=tuple(pairs.refuses),
        knows=tuple(pairs.knows),
        preferred_by=tuple(pairs.preferred_by),
        recent_rides=min(rides if row.wished_rides is None else round(rides * USUAL_RIDES / row.wished_rides), 1000),
    )


def _left(of_day: float | None, of_week: float | None, elsewhere: float, here: float) -> float | None:
    """What a day may take: its own limit, and what the other days leave of the week's; never less than it holds already."""
    rest = None if of_week is None else max(of_week - elsewhere, here, 0)
    return of_day if rest is None else rest if of_day is None else min(of_day, rest)


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
        load_minutes=person.load_minutes if row.load_minutes is None else row.load_minutes,
        unload_minutes=person.unload_minutes if row.unload_minutes is None else row.unload_minutes,
        max_ride_minutes=person.max_ride_minutes,
        priority=row.priority,
        refuses=tuple(str(volunteer) for volunteer in refused),
        # once somebody has agreed to one way, that promise stands whether or not the other way finds a volunteer
        one_way_ok=row.one_way_ok or any(leg.state in ("confirmed", *UNDER_WAY, "completed") for leg in legs),
        same_driver="require" if row.same_driver == "require" else "prefer",
        wait=row.wait_at_destination and not row.return_open,  # nobody waits for as long as nobody knows
    )


def _refused(store: Store, requests: Sequence[TripRequest]) -> dict[UUID, list[UUID]]:
    """Who said no to a request, or said nothing."""
    refused: dict[UUID, list[UUID]] = {}
    for offer in store.offers_of([request.id for request in requests], "declined", "expired"):
        if offer.volunteer_id not in refused.setdefault(offer.request_id, []):
            refused[offer.request_id].append(offer.volunteer_id)
    return refused


def _add_far(
    refused: dict[UUID, list[UUID]],
    requests: Sequence[TripRequest],
    volunteers: Sequence[Volunteer],
    agreed: Mapping[UUID, Assignment],
    legs: Mapping[UUID, list[Leg]],
) -> None:
    """Whoever lives too far from a ride, or has too few seats for children, is not asked; what was agreed on is not looked at again."""
    narrow = [row for row in volunteers if row.radius_km is not None or row.child_seats]
    for request in requests:
        unfit = [row.id for row in narrow if too_far(row, request) or too_few_seats(row, request)]
        drives = {agreed[leg.id].volunteer_id for leg in legs[request.id] if leg.id in agreed}
        there = refused.setdefault(request.id, [])
        there += [volunteer for volunteer in unfit if volunteer not in drives and volunteer not in there]


def _promises(legs: Sequence[Leg], told: Mapping[UUID, Assignment], agreed: Container[UUID]) -> list[Promise]:
    """What was agreed on stands: this volunteer, this time. Who is being asked is asked no more only where that serves somebody else."""
    return [
        Promise(
            request=str(leg.request_id),
            leg="outbound" if leg.direction == "outbound" else "return",
            driver=str(told[leg.id].volunteer_id),
            pickup_at=told[leg.id].told_pickup_at.isoformat(),
            lock="both" if leg.id in agreed else "none",
        )
        for leg in legs
        if leg.id in told
    ]
