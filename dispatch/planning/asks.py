"""What a coordinator may ask somebody for, so that a leg finds room: one change of the day each, as cells of the arrays.

In: a day, its problem, the room of a plan. Out: candidates of unknown amount. Called by `smallest_change`. What a kind of change means in
the day is said in `dispatch.model.changes`.
"""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dispatch.model.clock import to_instant
from dispatch.model.day import Day
from dispatch.model.plans import ChangeKind
from dispatch.planning.kinship import near_shifts
from dispatch.planning.problem import BoolArray, Problem
from dispatch.planning.room import Cell, Room, Wish

#: Volunteers are looked for in so many of the nearest shifts that would be in time if windows and shifts were this much longer.
MOST_SHIFTS, SLACK_S = 40, 3 * 3600
#: What a `Day` may hold: kilometres, minutes of a window, and by column of `capacity` the places of a car.
_MOST_KM, _MOST_WINDOW = 2000, 1440
_PLACES = ((ChangeKind.ONE_MORE_SEAT, 8), (ChangeKind.ONE_MORE_WHEELCHAIR_PLACE, 4), (ChangeKind.ONE_MORE_BOOT_UNIT, 20))
_WHEELCHAIRS = 1


class Candidate(NamedTuple):
    """A change of unknown amount."""

    kind: ChangeKind
    leg: int  # whose window moves, which is served alone, or whose request it is about
    most: int = 1  # that the day format allows
    cells: Sequence[Cell] = ()
    driver: int | None = None
    shift: int | None = None


class Asks:
    """Candidates for one plan."""

    def __init__(self, day: Day, problem: Problem, room: Room) -> None:
        self.day, self.problem, self.room, self.p = day, problem, room, room.p
        self.requests = {request.id: request for request in day.requests}
        locks = {(promise.request, promise.leg): promise for promise in day.promises if promise.lock != "none"}
        found = [(leg, locks[name]) for leg, name in enumerate(problem.legs) if name in locks]
        self.timed = {leg for leg, promise in found if promise.lock != "driver"}
        self.tied = {leg: promise.driver for leg, promise in found if promise.lock != "time"}
        noon = to_instant(day.date, "12:00", day.timezone)
        self.first, self.last = noon - dt.timedelta(hours=36), noon + dt.timedelta(hours=36)  # of the clocks of a day
        self.now = self.first if day.now is None else self._instant(day.now)  # nothing is asked for in the past

    def make_wish(self, leg: int) -> Wish:
        """The leg, and its other way where both or none are served, asked of the volunteers near who may drive it."""
        partner = int(self.p.partner[leg])
        legs = (min(leg, partner), max(leg, partner)) if self.p.both_or_none[leg] else (leg,)
        return self.room.make_wish(legs, self._near(legs, np.any(self.p.allowed[list(legs)], axis=0)))

    def of(self, leg: int, wish: Wish) -> Iterator[Candidate]:
        """Everything to ask for, the least demanding kinds first and the nearest volunteers first."""
        for each in wish.legs:
            if each not in self.timed and self.p.run_of[each] < 0:  # what was agreed about the time stands
                yield from self._windows(each)
        for driver in wish.drivers:
            yield from self._longer_shifts(leg, driver)
        for driver in wish.drivers:
            limit = self.day.drivers[driver].max_km
            if limit is not None and round(limit * 1000) == self.p.max_metres[driver]:  # it has not given way to a run under way
                yield Candidate(ChangeKind.MORE_KM, leg, _MOST_KM - math.ceil(limit), [(self.p.max_metres, driver, 1000)], driver)
        yield from self._places(leg, wish)
        if len(wish.legs) == 2:
            yield Candidate(ChangeKind.ONE_WAY, leg)
        refused = self.problem.refused[list(wish.legs)].any(axis=0) & ~self.problem.unmet_needs[leg]
        for driver in self._near(wish.legs, refused & self._untied(wish)):
            yield Candidate(ChangeKind.REFUSAL_LIFTED, leg, cells=self._allow(wish, driver), driver=driver)

    def _windows(self, leg: int) -> Iterator[Candidate]:
        """One end moves out. The clock that a window hangs on stays between its neighbours: the return is not before the way there."""
        request, direction = self.requests[self.problem.legs[leg].request], self.problem.legs[leg].direction
        out = self._instant(request.arrive_by or request.depart_after or "")
        back = None if request.return_after is None else self._instant(request.return_after)
        wider = _MOST_WINDOW - request.window_minutes
        later, earlier = wider, wider
        if direction == "return" and back is not None:
            if request.return_window_minutes is not None:
                wider = _MOST_WINDOW - request.return_window_minutes
            later, earlier = wider, min(wider, _minutes(back - out))
        elif request.arrive_by is not None:
            later = min(wider, _minutes((back or self.last) - out))
        else:
            earlier = min(wider, _minutes(out - self.first))
        stops = (2 * leg, 2 * leg + 1)
        yield Candidate(ChangeKind.WINDOW_LATER, leg, later, [(self.p.late, stop, 60) for stop in stops])
        yield Candidate(ChangeKind.WINDOW_EARLIER, leg, earlier, [(self.p.early, stop, -60) for stop in stops])

    def _longer_shifts(self, leg: int, driver: int) -> Iterator[Candidate]:
        """Not into another shift of the same volunteer."""
        shifts = [(shift, self._clocks(shift)) for shift in self.room.shifts_of((driver,)).tolist()]
        for shift, (begins, ends) in shifts:
            if shift in self.problem.started or self.p.closed[shift]:
                continue  # under way, or agreed as a whole
            last = min([other for _, (other, _) in shifts if other >= ends], default=self.last)
            first = max([other for _, (_, other) in shifts if other <= begins], default=self.first)
            if ends > self.now:
                yield Candidate(ChangeKind.SHIFT_UNTIL, leg, _minutes(last - ends), [(self.p.shift_to, shift, 60)], driver, shift)
            most = _minutes(begins - max(first, self.now))
            yield Candidate(ChangeKind.SHIFT_FROM, leg, most, [(self.p.shift_from, shift, -60)], driver, shift)

    def _clocks(self, shift: int) -> tuple[dt.datetime, dt.datetime]:
        """Of the day, before the present has eaten into the shift."""
        begins, ends = self.day.drivers[int(self.p.shift_driver[shift])].shifts[self.problem.shift_numbers[shift]]
        return self._instant(begins), self._instant(ends)

    def _places(self, leg: int, wish: Wish) -> Iterator[Candidate]:
        """A car without any wheelchair place does not meet the person's needs, so that more volunteers come into question."""
        for column, (kind, most) in enumerate(_PLACES):
            if not self.p.demand[list(wish.legs), column].any():
                continue
            drivers, cells = wish.drivers, []
            if column == _WHEELCHAIRS:
                needs = set(self.requests[self.problem.legs[leg].request].needs)
                meets = np.array([needs.issubset(driver.accepts_needs) for driver in self.day.drivers], np.bool_)
                drivers = self._near(wish.legs, meets & ~self.problem.refused[list(wish.legs)].any(axis=0) & self._untied(wish))
            for driver in drivers:
                if self.p.capacity[driver, column] < most:
                    cells = [(self.p.capacity, (driver, column), 1), *(self._allow(wish, driver) if column == _WHEELCHAIRS else ())]
                    yield Candidate(kind, leg, cells=cells, driver=driver)

    def _allow(self, wish: Wish, driver: int) -> list[Cell]:
        return [(self.p.allowed, (leg, driver), 1) for leg in wish.legs]

    def _untied(self, wish: Wish) -> BoolArray:
        """Drivers whom no lock rules out."""
        ties = {self.tied[leg] for leg in wish.legs if leg in self.tied}
        return np.array([ties <= {driver} for driver in self.problem.drivers], np.bool_)

    def _near(self, legs: tuple[int, ...], drivers: BoolArray) -> tuple[int, ...]:
        """Those of the drivers who come near these legs; only the other way's driver where it must be the same one."""
        p, partner = self.p, int(self.p.partner[legs[0]])
        served_in = int(self.room.routes.shift_of[partner])
        if p.same_driver[legs[0]] and served_in >= 0:
            drivers = drivers & (np.arange(len(drivers)) == p.shift_driver[served_in])
        shifts = np.concatenate([near_shifts(p, leg, drivers, MOST_SHIFTS, SLACK_S) for leg in legs])
        return tuple(dict.fromkeys(p.shift_driver[shifts].tolist()))

    def _instant(self, clock: str) -> dt.datetime:
        return to_instant(self.day.date, clock, self.day.timezone)


def _minutes(span: dt.timedelta) -> int:
    return int(span.total_seconds() // 60)
