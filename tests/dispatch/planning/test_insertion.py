"""Best insertion against every place tried by hand; undo against a copy."""

import numpy as np
import pytest

from dispatch.planning.insertion import (
    BROKEN_PRICE,
    COMFORT_PRICE,
    COST_PRICE,
    NO_PLACE,
    Routes,
    best_insertion,
    insert,
    keep,
    make_routes,
    remove,
    undo,
)
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import figures, fits_car, schedule
from tests.dispatch.planning.days import plane_problem, random_day


def price(problem: Problem, shift: int, route: list[int], room: int) -> int | None:
    """Price of a whole route, or None when it is not legal."""
    p = problem.arrays
    array = np.array(route or [0], np.int64)
    start = schedule(p, shift, route)
    if start is None or not fits_car(p, p.shift_driver[shift], array, len(route)):
        return None
    for frugal in (False, True):
        metres, cost, comfort, broken = figures(p, shift, route, frugal=frugal)
        if metres <= room:
            return int(COST_PRICE * cost + COMFORT_PRICE * comfort + BROKEN_PRICE * broken)
    return None


def every_place(problem: Problem, routes: Routes, leg: int, shift: int) -> int:
    """The cheapest legal insertion by trying all."""
    p = problem.arrays
    driver = p.shift_driver[shift]
    if not p.allowed[leg, driver] or routes.rides[driver] >= p.max_rides[driver]:
        return NO_PLACE
    route = routes.stops[shift, : routes.length[shift]].tolist()
    room = int(p.max_metres[driver] - routes.metres[driver] + routes.figures[shift, 0])
    now = routes.figures[shift]
    before = int(COST_PRICE * now[1] + COMFORT_PRICE * now[2] + BROKEN_PRICE * now[3])
    best = NO_PLACE
    for i in range(len(route) + 1):
        for j in range(i, len(route) + 1):
            found = price(problem, shift, [*route[:i], 2 * leg, *route[i:j], 2 * leg + 1, *route[j:]], room)
            if found is not None:
                best = min(best, found - before)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_best_insertion_is_the_cheapest_of_all_places(seed: int) -> None:
    problem = plane_problem(random_day(seed, requests=9, drivers=3, side_km=15))
    routes = make_routes(problem.arrays)
    for leg in range(len(problem.legs)):
        found = [best_insertion(problem.arrays, routes, leg, shift) for shift in range(len(routes.length))]
        assert [f[0] for f in found] == [every_place(problem, routes, leg, shift) for shift in range(len(routes.length))]
        (best, i, j), shift = min((f, s) for s, f in enumerate(found))
        if best < NO_PLACE:
            insert(problem.arrays, routes, leg, shift, i, j)


@pytest.mark.parametrize("seed", range(8))
def test_undo_restores_everything_but_the_counter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = plane_problem(random_day(seed, requests=10, drivers=4))
    p, routes = problem.arrays, make_routes(problem.arrays)

    def shake(times: int) -> None:
        for _ in range(times):
            leg = int(rng.integers(len(problem.legs)))
            if routes.shift_of[leg] >= 0:
                remove(p, routes, leg)
                continue
            (best, i, j), shift = min((best_insertion(p, routes, leg, s), s) for s in range(len(routes.length)))
            if best < NO_PLACE:
                insert(p, routes, leg, shift, i, j)

    def picture() -> list[object]:
        rows = [routes.stops[s, : routes.length[s]].tolist() for s in range(len(routes.length))]
        times = [routes.start[s, : routes.length[s]].tolist() for s in range(len(routes.length))]
        return [rows, times, *(a.tolist() for a in (routes.figures, routes.version, routes.shift_of, routes.metres, routes.rides))]

    shake(30)
    keep(routes)
    before = picture()
    shake(40)
    undo(p, routes)
    assert picture() == before
