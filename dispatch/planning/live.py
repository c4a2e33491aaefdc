"""Today's plan, changed as little as it can be: somebody is new, somebody is out, a run is late or gone.

In: a problem whose promises are what people were told, and the routes as they were. Out: candidate routes: the lost and the new put into
the cheapest places that move nobody (several volunteers), and a bounded repair that may move others. Called by `dispatch.engine.react`,
which ranks them. Ranking all volunteers for one leg is one insertion search each, O(stops^2) with most places refused early.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dispatch.model.plans import Run
from dispatch.planning.choice import mended, without_halves
from dispatch.planning.insertion import GOODWILL_PRICE, MAX_STOPS, NO_PLACE, best_insertion, goodwill_added, keep, undo
from dispatch.planning.insertion import insert as put_in
from dispatch.planning.problem import SAME_DRIVER_BONUS, Arrays, IntArray, Leg, Problem, drivable
from dispatch.planning.recreate import serve
from dispatch.planning.schedule import figures, fits_car, kernel, schedule
from dispatch.planning.search import improve
from dispatch.planning.solve import AGAIN, load_search
from dispatch.planning.state import Search, best_routes, is_better, make_search, remember_best

Routes = list[list[int]]
How = Literal["insert", "repair", "leave"]
MOST_INSERTIONS = 3  # volunteers proposed for one wish
REPAIR_S = 0.05
AT_ONCE = 5  # iterations of it between two looks at the clock: on a large day one takes a millisecond at first
NEIGHBOURS = 40  # related legs looked at by the repair


@dataclass(frozen=True, slots=True)
class Candidate:
    """Routes by shift, and what was done to get there."""

    how: How
    routes: Routes


def routes_of(problem: Problem, runs: Iterable[Run]) -> Routes:
    """The routes of runs in a problem that may be younger: legs and shifts that are no more are left out, those aboard come first."""
    p = problem.arrays
    leg_at = {leg: k for k, leg in enumerate(problem.legs)}
    shift_at = {(problem.drivers[int(d)], n): s for s, (d, n) in enumerate(zip(p.shift_driver, problem.shift_numbers, strict=True))}
    routes: Routes = [[] for _ in p.shift_driver]
    for run in runs:
        shift = shift_at.get((run.driver, run.shift))
        if shift is None:
            continue
        stops = [(leg_at.get(Leg(s.request, s.leg)), s.kind) for s in run.stops if s.request is not None and s.leg is not None]
        route = [2 * leg + (kind == "dropoff") for leg, kind in stops if leg is not None]
        aboard = [stop for stop in route if stop % 2 == 0 and stop // 2 in problem.aboard]
        routes[shift] = aboard + [stop for stop in route if stop not in aboard]
    return routes


def candidates(problem: Problem, before: Sequence[Sequence[int]], seconds: float = REPAIR_S, seed: int = 1) -> list[Candidate]:
    """Ways to go on from the routes as they were.

    Parameters
    ----------
    problem : Problem
        As it is now.
    before : sequence of routes
        Stops per shift; what is no longer legal is taken out, one leg at a time.
    seconds : float
        Wall clock for the repair.

    Returns
    -------
    list of Candidate
        "leave": what is still legal. "insert": the lost and the new in places that move nobody else's volunteer. "repair": the best found
        by ruin and recreate from there. Equal ones once.
    """
    p = problem.arrays
    kept = still_legal(p, before)
    search = make_search(p, seed, NEIGHBOURS, by_price=False)
    load_search(p, search, kept)
    found = [Candidate("leave", kept)]
    lost = [leg for leg in range(len(problem.legs)) if search.routes.shift_of[leg] < 0]
    found += [Candidate("insert", routes) for routes in _insertions(p, search, lost)]
    found.append(Candidate("repair", _repaired(problem, search, [c.routes for c in found], seconds)))
    unique: dict[tuple[tuple[int, ...], ...], Candidate] = {}
    for candidate in found:
        unique.setdefault(tuple(map(tuple, candidate.routes)), candidate)
    return list(unique.values())


def still_legal(p: Arrays, routes: Iterable[Sequence[int]]) -> Routes:
    """Take out of each route as few legs as make it legal, one at a time: the one without which it is, else the last that may go."""
    kept = [_without_the_impossible(p, shift, list(route)) for shift, route in enumerate(routes)]
    return mended(p, kept)


def _without_the_impossible(p: Arrays, shift: int, route: list[int]) -> list[int]:
    route = [stop for stop in route if drivable(p, stop // 2, shift)][:MAX_STOPS]
    while route and not is_legal(p, shift, route):
        loose = [stop // 2 for stop in route if stop % 2 == 0 and p.run_of[stop // 2] != shift]
        loose = loose or [stop // 2 for stop in route if stop % 2 == 0]
        by_weight = sorted(loose, key=lambda leg: (int(p.priority[leg]), -route.index(2 * leg)))
        trials = ([stop for stop in route if stop // 2 != leg] for leg in by_weight)
        route = next((trial for trial in trials if is_legal(p, shift, trial)), [s for s in route if s // 2 != by_weight[0]])
    return route


def is_legal(p: Arrays, shift: int, route: Sequence[int]) -> bool:
    """One route on its own: times, loads, kilometres and rides."""
    driver, stops = int(p.shift_driver[shift]), np.array(route or [0], np.int64)
    if schedule(p, shift, list(route)) is None or not fits_car(p, driver, stops, len(route)) or len(route) // 2 > p.max_rides[driver]:
        return False
    return figures(p, shift, list(route), frugal=True)[0] <= int(p.max_metres[driver])


@kernel
def rank_shifts(p: Arrays, s: Search, leg: int, price: IntArray) -> int:
    """Fill price[shift] with what the leg would add there, goodwill included, or NO_PLACE; returns the number of shifts that can."""
    able = 0
    for shift in range(len(price)):
        price[shift] = best_insertion(p, s.routes, leg, shift)[0]
        if price[shift] < NO_PLACE:
            able += 1
            price[shift] += GOODWILL_PRICE * goodwill_added(p, s.routes, leg, p.shift_driver[shift], SAME_DRIVER_BONUS)
    return able


@kernel
def put_back(p: Arrays, s: Search, order: IntArray) -> None:
    """Serve legs one after the other, each with its other way, where it costs least."""
    for k in range(len(order)):
        serve(p, s, order[k], 0.0)


def _insertions(p: Arrays, search: Search, lost: Sequence[int]) -> Iterable[Routes]:
    """Everybody put back greedily; where it is about one wish only, with each of the cheapest few volunteers for its first way."""
    if not lost:
        return
    wish = lost[0]
    single = all(leg in (wish, int(p.partner[wish])) for leg in lost)
    price = np.zeros(len(p.shift_driver), np.int64)
    rank_shifts(p, search, wish, price)
    cheapest = np.argsort(price, kind="stable")[: MOST_INSERTIONS if single else 0].tolist()
    for shift in [s for s in cheapest if price[s] < NO_PLACE] or [-1]:
        keep(search.routes)
        if shift >= 0:
            _, i, j = best_insertion(p, search.routes, wish, shift)
            put_in(p, search.routes, wish, shift, i, j)
        order = sorted(lost, key=lambda leg: (-int(p.locked[leg]), -int(p.priority[leg]), int(p.early[2 * leg])))
        put_back(p, search, np.array(order, np.int64))
        r = search.routes
        yield without_halves(p, [r.stops[s, : r.length[s]].tolist() for s in range(len(r.length))])
        undo(p, r)


def _repaired(problem: Problem, search: Search, starts: Sequence[Routes], seconds: float) -> Routes:
    """The best of the starts by level, and ruin and recreate from it, cold."""
    p = problem.arrays
    deadline = time.monotonic() + seconds
    best, levels = list(starts[0]), None
    for routes in starts:
        load_search(p, search, routes)
        if levels is None or is_better(search.levels, levels):
            best, levels = routes, search.levels.copy()
    load_search(p, search, best)
    remember_best(search)
    while len(problem.legs) and len(p.shift_driver) and time.monotonic() < deadline:
        improve(p, search, AT_ONCE, *AGAIN)
    return best_routes(search)
