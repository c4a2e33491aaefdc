"""The conductor of planning: a problem and a budget in, the best legal routes found out.

Reads as: insert everybody, ruin and recreate, let OR-Tools have its try from there, keep the best. Called in a child process by
`dispatch.engine.pool`, which may kill it: every better plan is handed to `report` as soon as it is there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dispatch.planning.baseline import solve_baseline
from dispatch.planning.insertion import MAX_STOPS, refresh
from dispatch.planning.problem import Problem
from dispatch.planning.search import construct, improve
from dispatch.planning.state import Search, best_routes, is_better, make_search, measure, remember_best

CHUNK = 50  # iterations between two looks at the clock, and the grain of an iteration budget
#: Budgets from this on give their last tenth to OR-Tools; shorter ones would spend it on building its model.
SECOND_OPINION_S = 5.0
SEARCH_SHARE = 0.9
#: Kept for handing the plan over, so that the deadline holds: a share of the seconds, and at least this.
MARGIN, LEAST_MARGIN_S = 0.02, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveParams:
    """The budget. With `iterations` the result depends on problem and seed only; otherwise `seconds` of wall clock count."""

    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Routes as stops per shift, their five levels, and what was spent."""

    routes: list[list[int]]
    levels: tuple[int, ...]
    iterations: int
    seconds: float


Report = Callable[[Solution], None]


def solve(problem: Problem, params: SolveParams, report: Report = lambda _: None) -> Solution:
    """Find good legal routes.

    Parameters
    ----------
    problem : Problem
    params : SolveParams
    report : callable
        Receives every plan that is better than the last one reported, at most about ten a second.

    Returns
    -------
    Solution
        The best by the five levels; never worse than cheapest insertion.
    """
    began = time.monotonic()
    search = make_search(problem.arrays, params.seed)
    iterations = 0

    def solution() -> Solution:
        levels = tuple(int(x) for x in search.best_levels)
        return Solution(routes=best_routes(search), levels=levels, iterations=iterations, seconds=time.monotonic() - began)

    construct(problem.arrays, search)
    report(solution())
    told, told_at = search.best_levels.copy(), time.monotonic()
    while len(problem.legs):
        progress, ahead = _progress(params, iterations, time.monotonic() - began)
        if progress >= 1 or (iterations and params.iterations is None and ahead > 1):
            break
        improve(problem.arrays, search, CHUNK, progress, min(1.0, ahead))
        iterations += CHUNK
        if is_better(search.best_levels, told) and time.monotonic() - told_at > 0.1:
            report(solution())
            told, told_at = search.best_levels.copy(), time.monotonic()
    report(solution())
    if params.iterations is not None or params.seconds >= SECOND_OPINION_S:
        left = None if params.iterations is not None else _usable_s(params) - (time.monotonic() - began)
        second_opinion = solve_baseline(problem, left, best_routes(search))
        if second_opinion is not None:
            take_if_better(problem, search, second_opinion)
    return solution()


def _usable_s(params: SolveParams) -> float:
    return max(1e-3, params.seconds - max(MARGIN * params.seconds, LEAST_MARGIN_S))


def _progress(params: SolveParams, iterations: int, elapsed_s: float) -> tuple[float, float]:
    """Share of the search's budget that is used, now and after the next chunk."""
    if params.iterations is not None:
        total = max(1, params.iterations)
        return iterations / total, (iterations + CHUNK) / total
    budget = _usable_s(params) * (SEARCH_SHARE if params.seconds >= SECOND_OPINION_S else 1.0)
    pace = elapsed_s / iterations if iterations else 0.0
    return elapsed_s / budget, (elapsed_s + pace * CHUNK) / budget


def take_if_better(problem: Problem, search: Search, routes: list[list[int]]) -> bool:
    """Load routes from elsewhere into the search; they become the best only when they are better level by level."""
    p, r = problem.arrays, search.routes
    if any(len(route) > min(MAX_STOPS, r.stops.shape[1]) for route in routes):
        return False
    r.length[:] = 0
    r.shift_of[:] = -1
    r.metres[:] = 0
    r.rides[:] = 0
    r.figures[:] = 0
    r.touched[:] = False
    for shift, route in enumerate(routes):
        r.length[shift] = len(route)
        r.stops[shift, : len(route)] = route
        for stop in route[:]:
            if stop % 2 == 0:
                r.shift_of[stop // 2] = shift
                r.rides[p.shift_driver[shift]] += 1
        refresh(p, r, shift)
    r.counter[0] += 1
    r.version[:] = r.counter[0] + np.arange(len(r.version))
    r.counter[0] += len(r.version)
    measure(p, r, search.levels)
    better = bool(is_better(search.levels, search.best_levels))
    if better:
        remember_best(search)
    return better
