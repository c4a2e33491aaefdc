"""One day as whoever coordinates looks at it: every way with its state, volunteers with their runs as pieces of time, and the counts.

In: a store, a date, and what of it has changed where only that is looked at. Out: a `DayView`. Called by the API and by the pages.
Cost: about twenty queries, whatever the number of rows, and one deciphering for each person that is shown.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from dispatch.rules.availability import Span
from dispatch.service.availability import free_spans
from dispatch.service.trips import moment_of
from dispatch.storage.driving import RunStop
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Beneficiary, Leg, Offer, Run, TripRequest, UnservedLeg
from dispatch.storage.vault import Identity

#: What a state means to whoever has to act.
Group = Literal["unsolved", "searching", "proposed", "asked", "confirmed", "driving", "done", "failed", "cancelled"]
GROUPS: Mapping[str, Group] = {
    "pending": "searching",
    "on_call": "searching",
    "standby": "unsolved",
    "unmet": "unsolved",
    "proposed": "proposed",
    "offered": "asked",
    "confirmed": "confirmed",
    "en_route": "driving",
    "at_pickup": "driving",
    "on_board": "driving",
    "completed": "done",
    "no_show": "failed",
    "missed": "failed",
    "cancelled": "cancelled",
    "late_cancelled": "cancelled",
}
Kind = Literal["loaded", "empty", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of a request, who rides, who drives, and how things stand."""

    leg: Leg
    request: TripRequest
    beneficiary: Beneficiary
    identity: Identity
    held: Assignment | None  # who is to drive it, and when
    offer: Offer | None  # that waits for an answer
    unserved: UnservedLeg | None  # why nobody was found

    @property
    def group(self) -> Group:
        """What it means."""
        return GROUPS[self.leg.state]

    @property
    def order(self) -> str:
        """Where it stands among the ways of its day."""
        return _order(self.at, self.leg.id)

    @property
    def moment(self) -> datetime:
        """When it was asked for; for a way back of unknown time, the time of the way there."""
        back = self.request.return_after if self.leg.direction == "return" else None
        return back or moment_of(self.request)

    @property
    def at(self) -> datetime:
        """When it is to be driven, or was asked for."""
        return self.held.told_pickup_at if self.held else self.moment


@dataclass(frozen=True, slots=True)
class Piece:
    """Some time of a run: with people in the car, empty, or standing somewhere."""

    kind: Kind
    starts_at: datetime
    ends_at: datetime
    leg_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run on the line of its volunteer."""

    run: Run
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A volunteer's day."""

    volunteer_id: UUID
    identity: Identity
    free: tuple[Span, ...]
    runs: tuple[RunLine, ...]

    @property
    def order(self) -> str:
        """Where it stands among the lanes of its day: those who drive first, in order of time."""
        begins = self.runs[0].run.starts_at if self.runs else min(begins for begins, _ in self.free)
        return f"{int(not self.runs)} {_order(begins, self.volunteer_id)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """All of it; of a part, only its ways and lanes, with the figures of the whole day."""

    date: date
    ways: tuple[Way, ...]  # in order of time
    lanes: tuple[Lane, ...]  # those who drive first, in order of time
    counts: Mapping[Group, int]
    hours: Sequence[datetime]  # first and last moment
    metres: int
    empty_metres: int


@dataclass(frozen=True, slots=True)
class Touched:
    """What changes are about: these ways and the lanes of these volunteers may be others than before."""

    legs: frozenset[UUID]
    volunteers: frozenset[UUID]


def view_day(store: Store, day: date) -> DayView:
    """The day as it stands."""
    ways = view_ways(store, store.ways_of_day(day))
    return _view(store, day, ways, store.runs_of_day(day), free_spans(store, day))


def view_part(store: Store, day: date, touched: Touched) -> DayView:
    """Of the same day only what is touched, and the other ways on the lanes that are."""
    runs, free = store.runs_of_day(day, touched.volunteers), free_spans(store, day, touched.volunteers)
    riders = {leg.id for rides in store.rides_of([run.id for run in runs]).values() for _, leg in rides}
    ways = view_ways(store, store.ways_of_day(day, touched.legs | riders))
    return _view(store, day, ways, runs, free)


def touched_by(store: Store, changed: Collection[tuple[str, UUID]]) -> Touched:
    """What steps of the log, by kind and id, are about. A volunteer who was to drive a way loses it on his or her lane."""
    ids: dict[str, list[UUID]] = {}
    for kind, subject in changed:
        ids.setdefault(kind, []).append(subject)
    legs = {*ids.get("leg", ()), *(way.id for way in store.way_names(ids.get("request", ())))}
    legs |= {row.leg_id for rows in store.offer_legs(ids.get("offer", ())).values() for row in rows}
    return Touched(frozenset(legs), frozenset(store.drivers_ever(legs) | store.drivers_of_runs(ids.get("run", ()))))


def _view(store: Store, day: date, ways: Sequence[Way], runs: Sequence[Run], free: Mapping[UUID, Sequence[Span]]) -> DayView:
    rides: dict[UUID, set[UUID]] = {}
    for held in (way.held for way in ways if way.held is not None):
        rides.setdefault(held.run_id, set()).add(held.leg_id)
    drivers = {run.volunteer_id for run in runs} | free.keys() | {way.held.volunteer_id for way in ways if way.held is not None}
    stops = store.stops_of([run.id for run in runs])
    lines = [RunLine(run, tuple(pieces_of(run, stops.get(run.id, ()), rides.get(run.id, set())))) for run in runs]
    counts: Counter[Group] = Counter()
    for state, number in store.states_of_day(day).items():
        counts[GROUPS[state]] += number
    metres, empty = store.metres_of_day(day)
    return DayView(
        date=day,
        ways=tuple(sorted(ways, key=lambda way: way.order)),
        lanes=tuple(_lanes(drivers, store.identities(drivers), free, lines)),
        counts=counts,
        hours=store.hours_of_day(day),
        metres=metres,
        empty_metres=empty,
    )


def view_ways(store: Store, found: Sequence[tuple[Leg, TripRequest]]) -> list[Way]:
    """Some ways, in the same order; six queries, whatever their number."""
    held = store.active_assignments([leg.id for leg, _ in found])
    people = store.beneficiaries({request.beneficiary_id for _, request in found})
    who = store.identities(people)
    open_offers = _by_leg(store, store.offers_of({request.id for _, request in found}, "sent"))
    unserved = store.last_unserved([leg.id for leg, _ in found if leg.state in ("standby", "unmet")])
    return [
        Way(
            leg=leg,
            request=request,
            beneficiary=people[request.beneficiary_id],
            identity=who[request.beneficiary_id],
            held=held.get(leg.id),
            offer=open_offers.get(leg.id),
            unserved=unserved.get(leg.id),
        )
        for leg, request in found
    ]


def _by_leg(store: Store, offers: Sequence[Offer]) -> dict[UUID, Offer]:
    about = store.offer_legs([offer.id for offer in offers])
    return {row.leg_id: offer for offer in offers for row in about.get(offer.id, [])}


def _lanes(drivers: Iterable[UUID], who: Mapping[UUID, Identity], free: Mapping[UUID, Sequence[Span]], lines: list[RunLine]) -> list[Lane]:
    mine: dict[UUID, list[RunLine]] = {}
    for line in lines:
        mine.setdefault(line.run.volunteer_id, []).append(line)
    lanes = [Lane(person, who[person], tuple(free.get(person, ())), tuple(mine.get(person, ()))) for person in drivers]
    return sorted(lanes, key=lambda lane: lane.order)


def _order(moment: datetime, row: UUID) -> str:
    """A moment as a text that stands where it does in time, wherever texts are compared; of two at once, one is always the first."""
    return f"{int(moment.timestamp()):010d} {row.hex[-6:]}"


def pieces_of(run: Run, stops: Sequence[RunStop], riders: set[UUID]) -> Iterator[Piece]:
    """A run's time from home to home. Of a run whose stops are not known, one piece."""
    if not stops:
        yield Piece("loaded", run.starts_at, run.ends_at, tuple(sorted(riders)))
        return
    aboard: set[UUID] = set()
    together: list[UUID] = []
    begun = left = stops[0].depart_at
    for stop in stops[1:]:
        if not aboard:
            if stop.arrive_at > left:
                yield Piece("empty", left, stop.arrive_at)
            begun = stop.arrive_at
        if stop.leg_id is not None and stop.kind in ("pickup", "aboard"):
            aboard.add(stop.leg_id)
            together.append(stop.leg_id)
        elif stop.leg_id is not None and stop.kind == "dropoff":
            aboard.discard(stop.leg_id)
            if not aboard:
                yield Piece("loaded", begun, stop.depart_at, tuple(leg for leg in together if leg in riders))
                together = []
        elif not aboard and stop.depart_at > stop.arrive_at and stop is not stops[-1]:
            yield Piece("wait", stop.arrive_at, stop.depart_at)
        left = stop.depart_at
