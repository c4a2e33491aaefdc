"""The smallest change of a day that would give an unserved leg a volunteer, the rest of the plan staying as it is.

In: a day, its problem, the routes of the final plan. Out: a `SmallestChange` for every unserved leg that has one. Called by
`dispatch.engine.plan_day`. Every change told was tried: with it the leg, and its other way where both are needed, was put into the
plan; with one step less it was not. Cost: a few hundred insertions per leg, for `MOST_LEGS` legs.
"""

import datetime as dt
import math
from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dispatch.model.day import Day
from dispatch.model.plans import ChangeKind, SmallestChange
from dispatch.planning.asks import Asks, Candidate
from dispatch.planning.problem import UNREACHABLE, Problem
from dispatch.planning.room import Room, Wish
from dispatch.planning.sentences import change_sentence

#: Only so many legs are looked at, the highest priorities first: a number and not a time, so that a plan does not depend on the clock.
MOST_LEGS = 200


class Scale(NamedTuple):
    """How a kind of change is measured: tried in steps up to a most, and what one unit weighs against other kinds."""

    step: int
    most: int
    weight: float


#: In minutes of one person's window. A volunteer gives the time of a longer shift: half as much again. A kilometre is two minutes of
#: driving. For one more place another car is to be found. Giving up a whole way weighs more than an hour; a refusal was made for a
#: reason, and is the last thing to be asked about.
SCALES = {
    ChangeKind.WINDOW_LATER: Scale(5, 120, 1.0),
    ChangeKind.WINDOW_EARLIER: Scale(5, 120, 1.0),
    ChangeKind.SHIFT_UNTIL: Scale(5, 180, 1.5),
    ChangeKind.SHIFT_FROM: Scale(5, 180, 1.5),
    ChangeKind.MORE_KM: Scale(5, 100, 2.0),
    ChangeKind.ONE_MORE_SEAT: Scale(1, 1, 60.0),
    ChangeKind.ONE_MORE_WHEELCHAIR_PLACE: Scale(1, 1, 60.0),
    ChangeKind.ONE_MORE_BOOT_UNIT: Scale(1, 1, 60.0),
    ChangeKind.ONE_WAY: Scale(1, 1, 75.0),
    ChangeKind.REFUSAL_LIFTED: Scale(1, 1, 90.0),
}


def smallest_changes(
    day: Day, problem: Problem, routes: Sequence[Sequence[int]], kinds: Collection[ChangeKind] = tuple(ChangeKind)
) -> dict[int, SmallestChange]:
    """Find what is least to ask for, for each unserved leg.

    Parameters
    ----------
    day : Day
    problem : Problem
        Of this day.
    routes : sequence of routes
        Stops per shift of the final plan.
    kinds : collection of ChangeKind
        What may be asked for.

    Returns
    -------
    dict
        By leg; without those that no single change helps, those that have room as it is, and the less urgent beyond `MOST_LEGS`.
    """
    p = problem.arrays
    served = {stop // 2 for route in routes for stop in route}
    absent = [leg for leg in range(len(problem.legs)) if leg not in served and p.direct[leg] < UNREACHABLE]
    if not absent or len(p.shift_driver) == 0:
        return {}
    absent.sort(key=lambda leg: (-int(p.priority[leg]), leg))
    finder = _Finder(day, problem, routes, kinds)
    found = {leg: finder.smallest(leg) for leg in absent[:MOST_LEGS]}
    return {leg: change for leg, change in found.items() if change is not None}


class _Finder:
    def __init__(self, day: Day, problem: Problem, routes: Sequence[Sequence[int]], kinds: Collection[ChangeKind]) -> None:
        self.day, self.problem, self.room, self.kinds = day, problem, Room(problem.arrays, routes), kinds
        self.asks = Asks(day, problem, self.room)

    def smallest(self, leg: int) -> SmallestChange | None:
        """Each candidate in turn, the first as far as it goes, every other only as far as it would be smaller than the best before."""
        wish = self.asks.make_wish(leg)
        if self.room.holds(wish, wish.drivers):
            return None
        best, weight = None, math.inf
        for candidate in self.asks.of(leg, wish):
            amount = self.least(candidate, wish, weight) if candidate.kind in self.kinds else None
            if amount is not None:
                best, weight = (candidate, amount), amount * SCALES[candidate.kind].weight
        return None if best is None else self.told(*best)

    def least(self, candidate: Candidate, wish: Wish, below: float) -> int | None:
        """The least amount that is enough and weighs less than `below`. What is enough stays so with more: the rest of the plan stays."""
        step, most, weight = SCALES[candidate.kind]
        most = min(most, candidate.most)
        if below < math.inf:
            most = min(most, step * (math.ceil(below / (weight * step)) - 1))
        amounts = range(step, most + 1, step)
        if not amounts or not self.enough(candidate, wish, amounts[-1]):
            return None
        return amounts[bisect_left(amounts[:-1], True, key=lambda amount: self.enough(candidate, wish, amount))]

    def enough(self, candidate: Candidate, wish: Wish, amount: int) -> bool:
        """Whether the wish finds room with this change."""
        if candidate.kind == ChangeKind.ONE_WAY:
            return bool(wish.able[wish.legs.index(candidate.leg)])
        with self.room.changed(candidate.cells, amount, candidate.shift) as legal:
            return legal and self.room.holds(wish, wish.drivers if candidate.driver is None else (candidate.driver,))

    def told(self, candidate: Candidate, amount: int) -> SmallestChange:
        """With ids and in words."""
        kind, leg, driver, shift = candidate.kind, candidate.leg, candidate.driver, candidate.shift
        name = self.problem.legs[leg]
        change = SmallestChange(
            kind=kind,
            request=name.request,
            leg=name.direction,
            driver=None if driver is None else self.problem.drivers[driver],
            shift=None if shift is None else self.problem.shift_numbers[shift],
            amount=amount,
            sentence="",
            sentence_en="",
        )
        limit = ""
        if kind in (ChangeKind.WINDOW_LATER, ChangeKind.WINDOW_EARLIER, ChangeKind.SHIFT_UNTIL, ChangeKind.SHIFT_FROM):
            by_arrival = name.direction == "outbound" and self.asks.requests[name.request].arrive_by is not None
            at = shift if shift is not None else 2 * leg + by_arrival
            array, _, unit = candidate.cells[0]
            moment = self.problem.start + dt.timedelta(seconds=int(array[at]) + unit * amount)
            limit = f"{moment.astimezone(ZoneInfo(self.problem.timezone)):%H:%M}"
        fr, en = change_sentence(change, self.asks.requests[name.request], limit)
        return change.model_copy(update={"sentence": fr, "sentence_en": en})
