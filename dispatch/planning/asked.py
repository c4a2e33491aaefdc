"""A wish that is not in the plan yet, and every volunteer: who could take it into the day, all of it or one way, and what that adds.

In: a problem, legal routes without the wish's legs. Out: one `Option` per volunteer who can, and the routes with the wish in them. Called
by `engine.feasibility`. The rest stays as it is. Cost: four insertion searches per shift.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import permutations

from dispatch.planning.insertion import NO_PLACE, Routes, best_insertion, insert, keep, load_routes, make_routes, undo
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import figures, schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A volunteer who could drive these legs, and what that adds to the day."""

    driver: int
    legs: tuple[int, ...]
    metres: int
    away_s: int  # longer away from home
    cost: int  # level 3 of the objective
    comfort: int
    bond: int  # known, wished for
    leaves_s: int
    back_s: int

    @property
    def rank(self) -> tuple[int, ...]:
        """Who takes all of it comes first, then the order of the objective."""
        return (-len(self.legs), self.cost, self.comfort, -self.bond, self.driver)


class Asked:
    """A plan into which wishes are put for a moment, one at a time. `apart`: drivers who are not asked."""

    def __init__(self, problem: Problem, routes: Sequence[Sequence[int]], apart: Collection[str] = ()) -> None:
        self.problem, self._p, self._routes = problem, problem.arrays, make_routes(problem.arrays)
        load_routes(self._p, self._routes, routes)
        self._shifts: dict[int, list[int]] = {}
        for shift, driver in enumerate(self._p.shift_driver.tolist()):
            if problem.drivers[driver] not in apart:
                self._shifts.setdefault(driver, []).append(shift)

    def options(self, legs: tuple[int, ...]) -> list[Option]:
        """Every volunteer who can drive all of it, or else one way; the best first."""
        found = [option for driver in self._shifts if (option := self._option(driver, legs)) is not None]
        return sorted(found, key=lambda option: option.rank)

    def with_wish(self, options: Sequence[Option], legs: tuple[int, ...]) -> tuple[list[list[int]], tuple[Option, ...]] | None:
        """Routes in which all legs are driven, and by whom: one volunteer, or where that may be two of them. None where nobody can."""
        if options and len(options[0].legs) == len(legs):
            return self._taken(((options[0].driver, legs),)), (options[0],)
        if len(legs) < 2 or self._p.same_driver[legs[0]]:
            return None
        by_leg = [next((option for option in options if option.legs == (leg,)), None) for leg in legs]
        pair = tuple(option for option in by_leg if option is not None)
        if len(pair) < len(legs):
            return None
        return self._taken(tuple((option.driver, option.legs) for option in pair)), pair

    def taken(self, option: Option) -> list[list[int]]:
        """Routes with the legs of an option."""
        return self._taken(((option.driver, option.legs),))

    def _taken(self, parts: Sequence[tuple[int, tuple[int, ...]]]) -> list[list[int]]:
        keep(self._routes)
        for driver, legs in parts:
            if not self._put(driver, legs):
                raise AssertionError("an option finds its place")
        r = self._routes
        found = [r.stops[s, : r.length[s]].tolist() for s in range(len(r.length))]
        undo(self._p, r)
        return found

    def _option(self, driver: int, legs: tuple[int, ...]) -> Option | None:
        for part in (legs, *((leg,) for leg in legs if len(legs) > 1)):
            before = self._sums(driver)
            keep(self._routes)
            found = self._told(driver, part, before) if self._put(driver, part) else None
            undo(self._p, self._routes)
            if found is not None:
                return found
        return None

    def _put(self, driver: int, legs: tuple[int, ...]) -> bool:
        """Each leg in the cheapest place, in the first order of them in which all find one; the routes as before where none does."""
        for order in permutations(legs):
            if all(self._insert(driver, leg) for leg in order):
                return True
            undo(self._p, self._routes)
        return False

    def _insert(self, driver: int, leg: int) -> bool:
        found = [(best_insertion(self._p, self._routes, leg, shift), shift) for shift in self._shifts[driver]]
        (price, i, j), shift = min(found)
        if price >= NO_PLACE:
            return False
        insert(self._p, self._routes, leg, shift, i, j)
        return True

    def _told(self, driver: int, legs: tuple[int, ...], before: tuple[int, int, int, int]) -> Option:
        spans = [self._span(shift) for shift in self._used(driver, legs)]
        after = self._sums(driver)
        return Option(
            driver=driver,
            legs=legs,
            metres=after[0] - before[0],
            cost=after[1] - before[1],
            comfort=after[2] - before[2],
            away_s=after[3] - before[3],
            bond=max(int(self._p.bond[leg, driver]) for leg in legs),
            leaves_s=min(begins for begins, _ in spans),
            back_s=max(ends for _, ends in spans),
        )

    def _used(self, driver: int, legs: tuple[int, ...]) -> set[int]:
        return {int(self._routes.shift_of[leg]) for leg in legs}

    def _sums(self, driver: int) -> tuple[int, int, int, int]:
        """Metres, cost, comfort and seconds away of all shifts of a driver."""
        total = [0, 0, 0, 0]
        for shift in self._shifts[driver]:
            if route := self._route(shift):
                begins, ends = self._span(shift)
                more = (*figures(self._p, shift, route, frugal=False)[:3], ends - begins)
                total = [had + here for had, here in zip(total, more, strict=True)]
        return total[0], total[1], total[2], total[3]

    def _span(self, shift: int) -> tuple[int, int]:
        """From leaving home to being back for good."""
        p, route = self._p, self._route(shift)
        starts = schedule(p, shift, route)
        if starts is None:
            raise AssertionError("routes are legal")
        home = int(p.home[p.shift_driver[shift]])
        back = int(starts[-1] + p.service[route[-1]] + p.times[p.place[route[-1]], home])
        return int(starts[0] - p.times[p.begin[shift], p.place[route[0]]]), back

    def _route(self, shift: int) -> list[int]:
        r: Routes = self._routes
        found: list[int] = r.stops[shift, : r.length[shift]].tolist()
        return found
