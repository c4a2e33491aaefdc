"""Whole solves: legal on every random day, as good as brute force on tiny ones, the same bytes for the same seed."""

import itertools

import numpy as np
import pytest

from dispatch.model.plans import Levels, Plan
from dispatch.planning.baseline import solve_baseline
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Problem
from dispatch.planning.schedule import figures, fits_car, schedule
from dispatch.planning.search import construct
from dispatch.planning.solve import Solution, SolveParams, _Solve, solve
from dispatch.planning.state import best_routes, make_search
from dispatch.planning.timetable import make_plan
from tests.dispatch.planning.days import make_day, plane_problem, random_day


def plan_of(problem: Problem, routes: list[list[int]]) -> Plan:
    """The whole plan with reasons."""
    return make_plan(problem, routes, explain_unserved(problem, routes), [], None)


@pytest.mark.parametrize("seed", range(25))
def test_every_random_day_gets_a_legal_and_truthful_plan(seed: int) -> None:
    problem = plane_problem(random_day(seed, requests=14, drivers=5))
    solution = solve(problem, SolveParams(iterations=150, seed=seed))
    plan = plan_of(problem, solution.routes)
    assert check_plan(problem, plan) == []
    locked = {leg for leg in range(len(problem.legs)) if problem.arrays.locked[leg]}
    if not locked & {k for k, leg in enumerate(problem.legs) if leg.id in {u.id for u in plan.unserved}}:
        assert solution.levels == plan.summary.levels.as_tuple()


@pytest.mark.parametrize("seed", range(15))
def test_ortools_alone_makes_legal_plans_too(seed: int) -> None:
    problem = plane_problem(random_day(seed, requests=8, drivers=4))
    routes = solve_baseline(problem, None)
    assert routes is not None
    assert check_plan(problem, plan_of(problem, routes)) == []


def test_ortools_is_never_worse_than_where_it_starts() -> None:
    problem = plane_problem(random_day(3, requests=12, drivers=4))
    search = make_search(problem.arrays, 1)
    construct(problem.arrays, search)
    routes = solve_baseline(problem, None, best_routes(search))
    assert routes is not None
    assert sum(map(len, routes)) >= int(search.best_length.sum())


@pytest.mark.parametrize("seed", range(12))
def test_tiny_days_are_solved_as_well_as_brute_force(seed: int) -> None:
    problem = plane_problem(random_day(1000 + seed, requests=3, drivers=2, side_km=12))
    found = plan_of(problem, solve(problem, SolveParams(iterations=600, seed=1)).routes).summary.levels
    best = brute_force(problem)
    assert found.as_tuple()[:3] == best.as_tuple()[:3]


def brute_force(problem: Problem) -> Levels:
    """The best levels over every way to deal legs to shifts and order the stops of each."""
    p = problem.arrays
    legs, shifts = range(len(problem.legs)), range(len(p.shift_driver))
    cheapest = {
        (s, chosen): found
        for s in shifts
        for n in range(5)
        for chosen in itertools.combinations(legs, n)
        if all(p.allowed[leg, p.shift_driver[s]] for leg in chosen) and (found := orders(problem, s, chosen)) is not None
    }
    best: Levels | None = None
    for dealt in itertools.product([-1, *shifts], repeat=len(legs)):
        keys = [(s, tuple(leg for leg in legs if dealt[leg] == s)) for s in shifts]
        if all(key in cheapest for key in keys):
            for routes in itertools.product(*(cheapest[key] for key in keys)):
                plan = make_plan(problem, [list(r) for r in routes], explain_unserved(problem, [list(r) for r in routes]), [], None)
                levels = plan.summary.levels
                if (best is None or levels.as_tuple() < best.as_tuple()) and not check_plan(problem, plan):
                    best = levels
    assert best is not None
    return best


def orders(problem: Problem, shift: int, chosen: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """The legal orders of these legs' stops that may matter: cheapest, and shortest."""
    p = problem.arrays
    legal = []
    for order in itertools.permutations([stop for leg in chosen for stop in (2 * leg, 2 * leg + 1)]):
        if any(order.index(2 * leg) > order.index(2 * leg + 1) for leg in chosen):
            continue
        start = schedule(p, shift, list(order))
        if start is not None and fits_car(p, p.shift_driver[shift], np.array(order or [0]), len(order)):
            found = figures(p, shift, list(order), frugal=False)
            legal.append((found[3], found[1], found[0], order))
    if not legal:
        return None
    return list({min(legal)[3], min(legal, key=lambda x: (x[2], x))[3]})


def test_the_same_seed_and_iterations_give_the_same_bytes() -> None:
    problem = plane_problem(random_day(5, requests=20, drivers=6))
    plans = [plan_of(problem, solve(problem, SolveParams(iterations=200, seed=7)).routes).model_dump_json() for _ in range(2)]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_search_that_ends_cold_serves_as_many_as_the_best_it_has_seen(seed: int) -> None:
    """Warm, it may pass a plan that serves more by chance: it goes back there, else that one would keep its kilometres."""
    problem = plane_problem(random_day(70 + seed, requests=40, drivers=6))
    going = _Solve(problem, SolveParams(iterations=600, seed=seed), lambda _: None)
    going.run()
    assert tuple(going.search.levels[:2]) == tuple(going.search.best_levels[:2])


def test_reported_plans_only_get_better() -> None:
    problem = plane_problem(random_day(6, requests=20, drivers=5))
    reported: list[Solution] = []
    final = solve(problem, SolveParams(iterations=300, seed=1), reported.append)
    levels = [s.levels for s in [*reported, final]]
    assert levels == sorted(levels, reverse=True)


def test_a_day_without_requests_or_without_volunteers_is_planned() -> None:
    full = random_day(2, requests=4, drivers=2)
    for day in (make_day(), make_day(drivers=full.drivers), make_day(requests=full.requests)):
        days = day.model_copy(update={"requests": tuple(r.model_copy(update={"prefers_driver": None}) for r in day.requests)})
        problem = plane_problem(days)
        plan = plan_of(problem, solve(problem, SolveParams(seconds=0.3)).routes)
        assert check_plan(problem, plan) == []
        assert plan.summary.served == 0
