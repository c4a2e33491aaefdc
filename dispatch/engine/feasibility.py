"""« Est-ce possible ? »: a wish that is not kept anywhere, looked at as if it were asked for now; and what would work instead.

In: a `NewTrip`, a store that is only read, roads. Out: `Answer`. Called by the API. What people were told stays as it is, others who wait
for somebody are counted and not looked at; whoever is named was put into the day, and the plan was proved by the checker. The nearest
alternatives are looked for: times of the same day, then days around it until enough are found or `MOST_S` is over.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from dispatch.engine.entrust import Held, Routes, hold, way_of
from dispatch.errors import Fault
from dispatch.model.asking import Direction
from dispatch.model.changes import apply_change
from dispatch.model.day import Day
from dispatch.model.feasibility import Alternative, AlternativeKind, Helper, Why
from dispatch.model.intake import NewTrip
from dispatch.model.plans import ChangeKind, Plan, SmallestChange
from dispatch.planning.asked import Asked, Option
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Matrices, Problem, build_problem, ties_of
from dispatch.planning.room import Room
from dispatch.planning.sentences import candidate_sentence
from dispatch.planning.smallest_change import smallest_changes
from dispatch.planning.timetable import make_plan
from dispatch.rules.booking import Obstacle
from dispatch.service.day import Snapshot, add_wish, make_snapshot
from dispatch.service.trips import Asker, check_wish, make_legs, make_request, obstacles_to, overlapping
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Round, Territory, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork

MOST_HELPERS = 5
STEP, FARTHEST = timedelta(minutes=15), timedelta(hours=3)  # other times of the day
DAYS = 7  # looked at before and after
MOST_OTHER_DAYS = 2
MOST_S = 0.6  # no other day is begun after so long: an answer in time is worth more than one more day
_MORE = (ChangeKind.SHIFT_FROM, ChangeKind.SHIFT_UNTIL, ChangeKind.MORE_KM)
_LOOKED_FOR = ("pending", "standby")  # ways nobody drives and nobody is asked about
_TWICE = Obstacle(
    field="beneficiary_id",
    code="another_ride",
    sentence="Cette personne a déjà un trajet à ce moment.",
    sentence_en="has another ride at that moment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether, with whom, why not, and what instead."""

    obstacles: tuple[Obstacle, ...]
    helpers: tuple[Helper, ...]
    together: bool  # with these volunteers the wish as a whole is possible
    why: tuple[Why, ...]
    alternatives: tuple[Alternative, ...]
    others_waiting: int  # rides of that day that nobody drives yet

    @property
    def feasible(self) -> bool:
        """The rules allow it and somebody can."""
        return self.together and not self.obstacles

    @property
    def volunteers(self) -> set[UUID]:
        """Everybody who is named."""
        helpers = (*self.helpers, *(helper for other in self.alternatives for helper in other.helpers))
        asked = {other.volunteer_id for other in self.alternatives if other.volunteer_id is not None}
        return asked | {helper.volunteer_id for helper in helpers}


@dataclass(frozen=True, slots=True)
class _Wish:
    """A wish on a day, beside everything people were told."""

    new: NewTrip
    held: Held
    legs: tuple[int, ...]  # of the problem; none where their time has passed

    @property
    def request_id(self) -> str:
        """In the day."""
        return self.held.snapshot.day.requests[-1].id if not self.legs else self.held.problem.legs[self.legs[0]].request


def look(store: Store, new: NewTrip, network: RoadNetwork, world: World, asker: Asker) -> Answer:
    """Answer about one wish. BadInput for what no other time would mend: unknown people, points far from roads."""
    began, territory, new = time.monotonic(), store.territory(), new.whole
    faults = [] if store.beneficiaries({new.beneficiary_id}) else [Fault("beneficiary_id", "unknown", "is not a person of this territory")]
    check_wish(new, territory, network, asker, faults)
    obstacles = _obstacles(store, territory, new, world, asker)
    wish = _put(store, territory, new, network, world, asker)
    found = _try(wish.held.problem, wish)
    unserved = explain_unserved(wish.held.problem, wish.held.routes, wish.legs) if found.routes is None else []
    why = tuple(Why(direction=u.leg, reason=u.reason, sentence=u.sentence, sentence_en=u.sentence_en) for u in unserved)
    alternatives: tuple[Alternative, ...] = ()
    if obstacles or found.routes is None:
        other = _Others(store, territory, new, network, world, asker, wish, began + MOST_S)
        alternatives = tuple(other.all(nobody=found.routes is None, allowed=not obstacles))
    waiting = store.legs_of(wish.held.snapshot.requests)
    return Answer(
        obstacles=tuple(obstacles),
        helpers=found.helpers,
        together=found.routes is not None,
        why=why,
        alternatives=alternatives,
        others_waiting=sum(leg.state in _LOOKED_FOR for ways in waiting.values() for leg in ways),
    )


def is_possible(store: Store, new: NewTrip, network: RoadNetwork, world: World, asker: Asker) -> bool:
    """Whether it is, and nothing else: no alternatives are looked for."""
    territory = store.territory()
    faults = [] if store.beneficiaries({new.beneficiary_id}) else [Fault("beneficiary_id", "unknown", "is not a person of this territory")]
    check_wish(new, territory, network, asker, faults)
    if _obstacles(store, territory, new, world, asker):
        return False
    wish = _put(store, territory, new, network, world, asker)
    return _try(wish.held.problem, wish).routes is not None


def _obstacles(store: Store, territory: Territory, new: NewTrip, world: World, asker: Asker) -> list[Obstacle]:
    found = obstacles_to(store, territory, new, world.now())
    if not new.override and overlapping(store, make_request(new, territory, world, asker)):
        found.append(_TWICE)
    return found


def _put(store: Store, territory: Territory, new: NewTrip, network: RoadNetwork, world: World, asker: Asker) -> _Wish:
    """The day of a wish, with the wish in it."""
    request = make_request(new, territory, world, asker)
    row = Round(id=store.territory_id, service_date=request.service_date, seconds=0.0, seed=1)  # in no session: nothing is kept
    return _in_day(store, make_snapshot(store, row, 0, world.now()), new, request, make_legs(request, world), network)


def _in_day(store: Store, snapshot: Snapshot, new: NewTrip, request: TripRequest, legs: Sequence[Leg], network: RoadNetwork) -> _Wish:
    held = hold(store, add_wish(store, snapshot, request, legs), legs[0], (), network, unkept=legs)
    numbers = (way_of(held.problem, leg) for leg in legs)
    return _Wish(new, held, tuple(number for number in numbers if number is not None))


@dataclass(frozen=True, slots=True)
class _Found:
    helpers: tuple[Helper, ...]
    routes: Routes | None  # in which the wish is driven


def _try(problem: Problem, wish: _Wish) -> _Found:
    """Who could drive, each proved."""
    asked = Asked(problem, wish.held.routes, wish.held.unsound)
    options = asked.options(wish.legs)
    both = asked.with_wish(options, wish.legs)
    first = [] if both is None else list(both[1])
    proved = [option for option in _unique([*first, *options]) if _is_sound(problem, asked.taken(option), option.legs)]
    routes = both[0] if both is not None and _is_sound(problem, both[0], wish.legs) else None
    return _Found(tuple(_helper(problem, option) for option in proved[:MOST_HELPERS]), routes)


def _unique(options: Sequence[Option]) -> list[Option]:
    return list({option.driver: option for option in options}.values())[: 2 * MOST_HELPERS]


def _is_sound(problem: Problem, routes: Routes, legs: Sequence[int]) -> bool:
    """The checker has nothing to say, and these legs are in the plan."""
    plan: Plan = make_plan(problem, routes, explain_unserved(problem, routes), [], None)
    served = {(leg.request, leg.leg) for run in plan.runs for leg in run.legs}
    return {(problem.legs[leg].request, problem.legs[leg].direction) for leg in legs} <= served and not check_plan(problem, plan)


def _helper(problem: Problem, option: Option) -> Helper:
    recent = int(problem.arrays.recent_rides[option.driver])
    known, preferred = ties_of(option.bond)
    fr, en = candidate_sentence(option.metres / 1000, known=known, preferred=preferred, recent=recent)
    return Helper(
        volunteer_id=UUID(problem.drivers[option.driver]),
        ways=tuple(problem.legs[leg].direction for leg in option.legs),
        km=round(option.metres / 1000, 1),
        minutes=round(option.away_s / 60),
        known=known,
        preferred=preferred,
        leaves_home=problem.start + timedelta(seconds=option.leaves_s),
        back_home=problem.start + timedelta(seconds=option.back_s),
        sentence=fr,
        sentence_en=en,
    )


class _Others:
    """What would work instead of a wish, the nearest first in each kind."""

    def __init__(
        self,
        store: Store,
        territory: Territory,
        new: NewTrip,
        network: RoadNetwork,
        world: World,
        asker: Asker,
        wish: _Wish,
        deadline: float,
    ) -> None:
        self._store, self._territory, self._new = store, territory, new
        self._network, self._world, self._asker = network, world, asker
        self._wish, self._deadline = wish, deadline
        self._zone = ZoneInfo(territory.timezone)

    def all(self, *, nobody: bool, allowed: bool) -> Iterator[Alternative]:
        """`nobody`: as it is asked for nobody can; `allowed`: the rules have nothing against it."""
        if nobody and allowed and self._wish.legs:
            yield from self._one_way()
            yield from self._more()
        yield from self._other_times()
        yield from self._other_days()

    def _one_way(self) -> Iterator[Alternative]:
        held, legs = self._wish.held, self._wish.legs
        for leg in legs if len(legs) > 1 else ():
            alone = _Wish(self._new, held, (leg,))
            if (found := _try(held.problem, alone)).routes is not None:
                way = held.problem.legs[leg].direction
                said = ("L'aller seul est possible.", "The way there alone is possible.")
                said = ("Le retour seul est possible.", "The way back alone is possible.") if way == "return" else said
                yield self._alternative("one_way", self._new, said, found.helpers, direction=way)

    def _more(self) -> Iterator[Alternative]:
        """One volunteer's day a little longer."""
        day = self._changed_day(self._wish, one_way_ok=self._new.one_way_ok)
        problem = _rebuilt(self._wish, day)
        changes = smallest_changes(day, problem, self._wish.held.routes, _MORE)
        for change in {(change.driver, change.kind): change for change in changes.values()}.values():
            longer = _rebuilt(self._wish, apply_change(day, change))
            if change.driver is not None and (found := _try(longer, self._wish)).routes is not None:
                said = (change.sentence, change.sentence_en)
                yield self._alternative("volunteer_more", self._new, said, found.helpers, more=change)
                return

    def _other_times(self) -> Iterator[Alternative]:
        """The nearest earlier and the nearest later one of the day; times without any room are passed over before plans are made."""
        if not self._wish.legs:
            return
        roomy = self._times_with_room()
        for way in (-1, 1):
            found = (self._possible(_later(self._new, by)) for by in sorted(roomy, key=abs) if (by > timedelta()) == (way > 0))
            yield from islice((alternative for alternative in found if alternative is not None), 1)

    def _times_with_room(self) -> list[timedelta]:
        """How much earlier or later somebody could drive."""
        held, legs = self._wish.held, self._wish.legs
        room = Room(held.problem.arrays, held.routes)
        drivers = tuple(k for k, driver in enumerate(held.problem.drivers) if driver not in held.unsound)
        wish = room.make_wish(legs, drivers)
        cells = [(array, stop, 60) for leg in legs for stop in (2 * leg, 2 * leg + 1) for array in (room.p.early, room.p.late)]
        found = []
        for k in range(1, FARTHEST // STEP + 1):
            for by in (k * STEP, -k * STEP):
                with room.changed(cells, int(by.total_seconds()) // 60):
                    if room.holds(wish, drivers):
                        found.append(by)
        return found

    def _possible(self, moved: NewTrip) -> Alternative | None:
        if self._day_of(moved) != self._day_of(self._new) or self._obstacles(moved):
            return None
        clocks = {
            name: at.isoformat() for name in ("arrive_by", "depart_after", "return_after") if (at := getattr(moved, name)) is not None
        }
        problem = _rebuilt(self._wish, self._changed_day(self._wish, **clocks))
        found = _try(problem, self._wish)
        if found.routes is None:
            return None
        clock = moved.moment.astimezone(self._zone)
        verb = ("Possible en arrivant à", "Possible arriving at") if moved.arrive_by else ("Possible en partant à", "Possible leaving at")
        return self._alternative("other_time", moved, (f"{verb[0]} {clock:%H:%M}.", f"{verb[1]} {clock:%H:%M}."), found.helpers)

    def _other_days(self) -> Iterator[Alternative]:
        """At the same time on the wall, on the nearest days."""
        left = MOST_OTHER_DAYS
        for days in sorted((*range(-DAYS, 0), *range(1, DAYS + 1)), key=lambda days: (abs(days), -days)):
            if left == 0 or time.monotonic() > self._deadline:
                return
            moved = _on_another_day(self._new, days, self._zone)
            if self._obstacles(moved):
                continue
            wish = _put(self._store, self._territory, moved, self._network, self._world, self._asker)
            if not wish.legs or (found := _try(wish.held.problem, wish)).routes is None:
                continue
            left -= 1
            clock = moved.moment.astimezone(self._zone)
            fr, en = f"Possible le {clock:%d/%m} à la même heure.", f"Possible on {clock:%Y-%m-%d} at the same time."
            yield self._alternative("other_day", moved, (fr, en), found.helpers)

    def _alternative(
        self,
        kind: AlternativeKind,
        at: NewTrip,
        said: tuple[str, str],
        helpers: tuple[Helper, ...],
        direction: Direction | None = None,
        more: SmallestChange | None = None,
    ) -> Alternative:
        return Alternative(
            kind=kind,
            sentence=said[0],
            sentence_en=said[1],
            arrive_by=at.arrive_by,
            depart_after=at.depart_after,
            return_after=at.return_after,
            direction=direction,
            volunteer_id=UUID(more.driver) if more is not None and more.driver is not None else None,
            minutes=more.amount if more is not None and more.kind != ChangeKind.MORE_KM else None,
            helpers=helpers,
        )

    def _obstacles(self, moved: NewTrip) -> list[Obstacle]:
        return _obstacles(self._store, self._territory, moved, self._world, self._asker)

    def _day_of(self, new: NewTrip) -> date:
        return new.moment.astimezone(self._zone).date()

    def _changed_day(self, wish: _Wish, **parts: object) -> Day:
        day = wish.held.snapshot.day
        requests = tuple(r.model_copy(update=parts) if r.id == wish.request_id else r for r in day.requests)
        return day.model_copy(update={"requests": requests})


def _rebuilt(wish: _Wish, day: Day) -> Problem:
    """The same places and roads, other times."""
    p = wish.held.problem.arrays
    return build_problem(day, Matrices(p.times.astype(np.int64), p.metres.astype(np.int64)))


def _later(new: NewTrip, by: timedelta) -> NewTrip:
    return new.model_copy(update={name: at + by for name, at in _times(new)})


def _on_another_day(new: NewTrip, days: int, zone: ZoneInfo) -> NewTrip:
    """The same clocks on the wall."""
    return new.model_copy(update={name: at.astimezone(zone) + timedelta(days=days) for name, at in _times(new)})


def _times(new: NewTrip) -> Iterator[tuple[str, datetime]]:
    for name in ("arrive_by", "depart_after", "return_after"):
        if (at := getattr(new, name)) is not None:
            yield name, at
