"""Blocks against schedules, bounds against brute force, certificates that are refused when they would not be one."""

import time

import numpy as np
import pytest

from dispatch.engine.write_plan import shadow_prices
from dispatch.model.day import Policy
from dispatch.planning import master as master_module
from dispatch.planning.blocks import make_blocks
from dispatch.planning.certificate import certify, most_together
from dispatch.planning.check import check_plan
from dispatch.planning.choice import choose_runs, make_run, mended
from dispatch.planning.dive import dive
from dispatch.planning.master import Master, quickest, triangle_excess
from dispatch.planning.problem import NO_LIMIT, Arrays, Problem
from dispatch.planning.schedule import schedule
from dispatch.planning.search import construct, improve
from dispatch.planning.solve import Bound, SolveParams, far_routes, solve, take_if_better
from dispatch.planning.state import best_routes, make_search
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_solve import brute_force, plan_of


def arriving(p: Arrays, shift: int, moment: int, first: int) -> Arrays:
    """The same problem with a shift that reaches the first stop at a given moment, and ends late enough for anything."""
    start, end = p.shift_from.copy(), p.shift_to.copy()
    start[shift] = moment - int(p.times[p.home[p.shift_driver[shift]], p.place[first]])
    end[shift] = 10**7
    return p._replace(shift_from=start, shift_to=end, max_duty=np.full_like(p.max_duty, NO_LIMIT))


@pytest.mark.parametrize("seed", range(6))
def test_a_block_ends_when_its_schedule_does(seed: int) -> None:
    problem = plane_problem(random_day(seed, requests=10, drivers=3, side_km=12))
    p = problem.arrays
    blocks = make_blocks(p, 3)
    assert blocks.complete
    assert (blocks.size >= 4).any()
    rng = np.random.default_rng(seed)
    for f in rng.choice(len(blocks.size), min(60, len(blocks.size)), replace=False).tolist():
        route = blocks.stops[f, : blocks.size[f]].tolist()
        for moment in (int(blocks.begins[f]) - 500, int(blocks.begins[f]) + 60, int(blocks.latest[f]), int(blocks.latest[f]) + 1):
            start = schedule(arriving(p, 0, moment, route[0]), 0, route)
            if moment > blocks.latest[f]:
                assert start is None
                continue
            assert start is not None
            assert start[0] == max(blocks.begins[f], moment)
            assert start[-1] + p.service[route[-1]] == max(blocks.ready[f], moment + blocks.lasts[f])


def bound_of(problem: Problem, seconds: float = 20.0) -> tuple[Master, Bound]:
    """Of a small day, to the end."""
    master = Master(problem, time.monotonic() + seconds)
    assert master.generate(time.monotonic() + seconds)
    return master, Bound(value=master.bound, unserved_weight=master.weight, legs_together=master.legs_together)


@pytest.mark.parametrize("seed", range(20))
def test_no_bound_is_above_the_optimum(seed: int) -> None:
    problem = plane_problem(random_day(1000 + seed, requests=3, drivers=2, side_km=12))
    master, bound = bound_of(problem)
    best = brute_force(problem)
    assert bound.legs_together is None
    assert bound.value <= best.unserved_priority * master.weight + best.cost + 1


@pytest.mark.parametrize("seed", range(10))
def test_no_bound_is_above_any_plan(seed: int) -> None:
    problem = plane_problem(random_day(2000 + seed, requests=10, drivers=4, side_km=15))
    _, bound = bound_of(problem)
    search = make_search(problem.arrays, seed)
    construct(problem.arrays, search)
    improve(problem.arrays, search, 500, 0.0, 1.0)
    plan = plan_of(problem, best_routes(search))
    found = certify(best_routes(search), plan.summary.levels.as_tuple(), bound)
    assert found.no_proof is None
    assert found.plan_together == most_together(best_routes(search))


def test_a_bound_without_all_blocks_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people at the same doors: together they cost one drive. Prices of single rides alone prove what is not so."""
    day = make_day(drivers=(driver("d"),), requests=(ask("a", arrive_by="10:00"), ask("b", arrive_by="10:00")))
    problem = plane_problem(day)
    master, bound = bound_of(problem)
    together = [[0, 2, 1, 3]]
    levels = plan_of(problem, together).summary.levels.as_tuple()
    assert certify(together, levels, bound).gap is not None
    monkeypatch.setattr(master_module, "affordable_blocks", lambda p, most, deadline: (make_blocks(p, 1, most), 1))
    blind = Master(problem, time.monotonic() + 20)
    assert blind.generate(time.monotonic() + 20)
    wrong = Bound(value=blind.bound, unserved_weight=blind.weight, legs_together=None)
    assert wrong.value > bound.value * 1.05
    assert certify(together, levels, wrong).no_proof == "CONTRADICTION"
    honest = Bound(value=blind.bound, unserved_weight=blind.weight, legs_together=1)
    found = certify(together, levels, honest)
    assert (found.no_proof, found.gap, found.legs_together, found.plan_together) == (None, 0, 1, 2)  # better than all that ride alone
    assert certify(together, levels, None).no_proof == "NOT_COMPUTED"
    assert master.legs_together is None


def test_detours_that_are_quicker_than_direct_ways_are_counted_as_the_way() -> None:
    times = np.array([[0, 100, 30], [100, 0, 30], [30, 30, 0]], np.int32)
    assert triangle_excess(times) == 40
    assert quickest(times).tolist() == [[0, 60, 30], [60, 0, 30], [30, 30, 0]]
    assert triangle_excess(quickest(times)) == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_best_choice_among_known_runs_is_legal_and_no_worse(seed: int) -> None:
    problem = plane_problem(random_day(3000 + seed, requests=8, drivers=4, side_km=15))
    p = problem.arrays
    search = make_search(p, seed)
    construct(p, search)
    improve(p, search, 200, 0.0, 1.0)
    master, _ = bound_of(problem)
    master.add_routes(enumerate(best_routes(search)))
    runs = [run for run in master.known.values() if run.price is not None]
    choice = choose_runs(p, runs, master.kind, 5.0, best_routes(search))
    assert choice is not None
    before = tuple(search.best_levels)
    for found in (choice.routes, dive(master, time.monotonic() + 5)):
        take_if_better(problem, search, mended(p, found))
        assert check_plan(problem, plan_of(problem, best_routes(search))) == []
    assert tuple(search.best_levels) <= before


@pytest.mark.parametrize("leg", [0, 7, 15])
def test_a_dive_around_one_leg_leaves_the_far_runs_as_they_were(leg: int) -> None:
    problem = plane_problem(random_day(3300 + leg, requests=12, drivers=8, side_km=25))
    search = make_search(problem.arrays, leg)
    construct(problem.arrays, search)
    driven = {shift: route for shift, route in enumerate(best_routes(search)) if route}
    keep = far_routes(search, leg)
    assert len(keep) == len(driven) // 2
    assert keep.items() <= driven.items()
    master, _ = bound_of(problem)
    found = dive(master, time.monotonic() + 5, keep=keep)
    assert {shift: found[shift] for shift in keep} == keep
    served = [stop // 2 for route in found for stop in route if stop % 2 == 0]
    assert len(set(served)) == len(served)
    assert len(served) > sum(len(route) // 2 for route in keep.values())


def test_a_run_that_breaks_a_rule_has_no_price() -> None:
    day = make_day(drivers=(driver("d", seats=1), driver("e")), requests=(ask("a"), ask("b")))
    p = plane_problem(day).arrays
    assert make_run(p, 0, 0, [0, 2, 1, 3]).price is None  # one seat
    assert make_run(p, 1, 1, [0, 2, 1, 3]).price is not None
    assert make_run(p, 1, 1, [0, 1, 0, 1]).price is None  # the same person twice


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_plans_with_the_master_are_legal(seed: int) -> None:
    problem = plane_problem(random_day(seed, requests=30, drivers=10, side_km=25))
    solution = solve(problem, SolveParams(seconds=3.5, seed=seed))
    plan = plan_of(problem, solution.routes)
    assert check_plan(problem, plan) == []
    assert certify(solution.routes, plan.summary.levels.as_tuple(), solution.bound).no_proof in {None, "NOT_COMPUTED"}


@pytest.mark.parametrize("seed", range(6))
def test_one_more_volunteer_lowers_the_bound_by_no_more_than_the_shadow_price(seed: int) -> None:
    free_waiting = Policy(wait_cents_per_minute=0)  # else the bound is below its linear program
    day = random_day(2100 + seed, requests=8, drivers=2, side_km=15).model_copy(update={"promises": (), "policy": free_waiting})
    problem = plane_problem(day)
    solution = solve(problem, SolveParams(seconds=3))
    assert solution.bound is not None
    assert solution.bound.worth
    before = bound_of(problem)[0].plain_bound  # of the linear program alone, without cuts
    prices = shadow_prices(problem, solution.bound)
    assert [price.legs for price in prices] == sorted((price.legs for price in prices), reverse=True)
    for shift, worth in enumerate(solution.bound.worth):
        d = int(problem.arrays.shift_driver[shift])
        span = day.drivers[d].shifts[problem.shift_numbers[shift]]
        twin = day.drivers[d].model_copy(update={"id": "twin", "shifts": (span,)})
        asks = tuple(r.model_copy(update={"refuses": (*r.refuses, "twin")}) if day.drivers[d].id in r.refuses else r for r in day.requests)
        _, more = bound_of(plane_problem(day.model_copy(update={"drivers": (*day.drivers, twin), "requests": asks})))
        assert more.value >= before - worth * solution.bound.unserved_weight - 2e-6 * abs(before) - 1
