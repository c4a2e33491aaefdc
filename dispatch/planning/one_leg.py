"""One way and every volunteer: what it would add to the day of each, or the rule that is in the way. The rest stays as it is.

In: a problem and legal routes without the leg. Out: one `Place` per volunteer, or the route with the leg in it. Called by `engine.entrust`.
Cost: one insertion search per shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.model.plans import Reason
from dispatch.planning.explain import rule_for
from dispatch.planning.insertion import NO_PLACE, Routes, best_insertion, insert, keep, load_routes, make_routes, undo
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import figures, schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a leg fits into a volunteer's day, and what that costs; or why it does not."""

    driver: int
    reason: Reason | None = None  # none: it fits
    shift: int = -1
    metres: int = 0  # driven more
    cost: int = 0  # level 3 of the objective, more
    comfort: int = 0
    bond: int = 0  # known, wished for
    leaves_s: int = 0  # from home, with the leg
    back_s: int = 0

    @property
    def rank(self) -> tuple[int, ...]:
        """The order of the objective; those who cannot come last."""
        return (self.reason is not None, self.cost, self.comfort, -self.bond, self.driver)


def places_of(problem: Problem, routes: Sequence[Sequence[int]], leg: int) -> list[Place]:
    """Every volunteer, the best first."""
    p = problem.arrays
    present = make_routes(p)
    load_routes(p, present, routes)
    shifts: dict[int, list[int]] = {driver: [] for driver in range(len(problem.drivers))}
    for shift, driver in enumerate(p.shift_driver):
        shifts[int(driver)].append(shift)
    return sorted((_place(problem, present, leg, driver, own) for driver, own in shifts.items()), key=lambda place: place.rank)


def put_in(problem: Problem, routes: Sequence[Sequence[int]], leg: int, driver: int) -> list[list[int]] | None:
    """Routes with the leg in this volunteer's day, in the cheapest place; None where there is none."""
    p = problem.arrays
    present = make_routes(p)
    load_routes(p, present, routes)
    found = [(best_insertion(p, present, leg, shift), shift) for shift, d in enumerate(p.shift_driver) if d == driver]
    (price, i, j), shift = min(found, default=((NO_PLACE, -1, -1), -1))
    if price >= NO_PLACE:
        return None
    insert(p, present, leg, shift, i, j)
    return [present.stops[s, : present.length[s]].tolist() for s in range(len(present.length))]


def _place(problem: Problem, present: Routes, leg: int, driver: int, shifts: list[int]) -> Place:
    p = problem.arrays
    found = [(best_insertion(p, present, leg, shift), shift) for shift in shifts]
    (price, i, j), shift = min(found, default=((NO_PLACE, -1, -1), -1))
    if price >= NO_PLACE:
        return Place(driver=driver, reason=rule_for(problem, present, leg, driver, shifts))
    before = figures(p, shift, present.stops[shift, : present.length[shift]].tolist(), frugal=False)
    keep(present)
    insert(p, present, leg, shift, i, j)
    route = present.stops[shift, : present.length[shift]].tolist()
    undo(p, present)
    after, starts = figures(p, shift, route, frugal=False), schedule(p, shift, route)
    if starts is None:
        raise AssertionError("an insertion is legal")
    home = int(p.home[driver])
    last = int(starts[-1] + p.service[route[-1]] + p.times[p.place[route[-1]], home])
    return Place(
        driver=driver,
        shift=shift,
        metres=after[0] - before[0],
        cost=after[1] - before[1],
        comfort=after[2] - before[2],
        bond=int(p.bond[leg, driver]),
        leaves_s=int(starts[0] - p.times[p.begin[shift], p.place[route[0]]]),
        back_s=last,
    )
