"""What must hold on every small day: the search finds what brute force finds, and the optimum itself moves the right way.

Ten thousand days against brute force (`brute.py`, which shares nothing with the planner but the arrays); the same bytes in another process;
fewer possibilities never make the optimum better; a re-plan touches nobody whom it need not touch.

Not all of it holds today: the xfails say what is wrong with kilometre limits over two shifts. They are strict, so that they fail the day
that is mended, to be taken out.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dispatch.model.day import Day, Policy, Promise
from dispatch.planning.check import check_plan
from dispatch.planning.problem import NO_LIMIT, Arrays, Problem
from dispatch.planning.schedule import schedule
from dispatch.planning.search import construct, improve
from dispatch.planning.solve import SolveParams, solve
from dispatch.planning.state import best_routes, make_search
from tests.dispatch.planning.brute import Best, brute_force, levels_of
from tests.dispatch.planning.days import ask, clock, driver, make_day, plane_problem, random_day, small_day
from tests.dispatch.planning.test_solve import plan_of

ROOT = Path(__file__).parents[3]
CHUNKS, DAYS = 20, 10_000
QUICK = 8  # chunks that everybody waits for; the slow tests look at the others
FEW, MANY = 200, 4000  # iterations; the second for the days that the first does not settle


def searched(p: Arrays, iterations: int, seed: int = 1) -> tuple[tuple[int, int, int], list[list[int]]]:
    """First three levels and routes of ruin and recreate alone: no master, no OR-Tools."""
    search = make_search(p, seed)
    construct(p, search)
    improve(p, search, iterations, 0.0, 1.0)
    a, b, c = (int(x) for x in search.best_levels[:3])
    return (a, b, c), best_routes(search)


def settled(p: Arrays, best: Best) -> tuple[tuple[int, int, int], list[list[int]]]:
    """What the search finds, with more iterations where few are not enough."""
    found = searched(p, FEW)
    return found if found[0] == best.levels else searched(p, MANY)


def without_lock_weight(p: Arrays, best: Best) -> tuple[int, int, int]:
    """As plans count: a locked leg like any other."""
    served = {stop // 2 for route in best.routes for stop in route}
    return sum(int(p.priority[leg]) for leg in range(len(p.priority)) if leg not in served), best.broken, best.cost


# --- ten thousand days


def days_of(chunk: int) -> list[int]:
    """Every twentieth day."""
    return list(range(chunk, DAYS, CHUNKS))


@pytest.mark.parametrize("chunk", [pytest.param(k, marks=pytest.mark.slow) if k >= QUICK else k for k in range(CHUNKS)])
def test_small_days_are_planned_as_well_as_brute_force(chunk: int) -> None:
    wrong, different = {}, set()
    for seed in days_of(chunk):
        day = small_day(seed)
        different.add(day.model_dump_json())
        p = plane_problem(day).arrays
        best = brute_force(p)
        found, routes = settled(p, best)
        if not found == levels_of(p, routes) == best.levels:
            wrong[seed] = (found, levels_of(p, routes), best)
    assert wrong == {}
    assert len(different) == len(days_of(chunk))


@pytest.mark.parametrize("chunk", range(5))
def test_whole_solves_of_small_days_are_legal_truthful_and_optimal(chunk: int) -> None:
    for seed in days_of(chunk)[::5]:
        problem = plane_problem(small_day(seed))
        best = brute_force(problem.arrays)
        solution = solve(problem, SolveParams(iterations=FEW))
        if solution.levels[:3] != best.levels:
            solution = solve(problem, SolveParams(iterations=MANY))
        plan = plan_of(problem, solution.routes)
        assert check_plan(problem, plan) == [], seed
        assert (solution.levels[:3], plan.summary.levels.as_tuple()[:3]) == (best.levels, without_lock_weight(problem.arrays, best)), seed


def test_brute_force_makes_plans_that_the_checker_finds_legal_and_counts_alike() -> None:
    for seed in range(0, DAYS, 25):
        problem = plane_problem(small_day(seed))
        best = brute_force(problem.arrays)
        plan = plan_of(problem, best.routes)
        assert check_plan(problem, plan) == [], seed
        assert plan.summary.levels.as_tuple()[:3] == without_lock_weight(problem.arrays, best), seed


def test_small_days_have_something_to_decide() -> None:
    """Were most days trivial, ten thousand of them would prove little."""
    seen: Counter[str] = Counter()
    for seed in range(500):
        p = plane_problem(small_day(seed)).arrays
        best = brute_force(p)
        served = [leg for leg in range(len(p.priority)) if any(2 * leg in route for route in best.routes)]
        # two stops of one kind in a row: somebody gets in before the last one is out
        together = any(a % 2 == b % 2 for route in best.routes for a, b in pairwise(route))
        free = brute_force(p._replace(max_metres=np.full_like(p.max_metres, NO_LIMIT), max_duty=np.full_like(p.max_duty, NO_LIMIT)))
        seen["somebody unserved"] += 0 < len(served) < len(p.priority)
        seen["nobody served"] += not served
        seen["together"] += together
        seen["several people in a run"] += any(len(route) > 2 for route in best.routes)
        seen["several runs"] += sum(map(bool, best.routes)) > 1
        seen["promise broken"] += best.broken > 0
        seen["locked"] += bool(p.locked.any())
        seen["kilometres or duty"] += free.levels < best.levels
        seen["same volunteer"] += bool(p.same_driver.any())
    assert seen["nobody served"] < 75, seen
    floor = {"somebody unserved": 100, "together": 50, "several people in a run": 250, "several runs": 100}
    floor |= {"promise broken": 80, "locked": 80, "kilometres or duty": 50, "same volunteer": 100}
    assert {name: n for name, n in floor.items() if seen[name] < n} == {}, seen


# --- what once went wrong


def test_somebody_is_served_even_where_that_breaks_a_promise_by_an_hour() -> None:
    """Level 1 comes before level 2: d0 alone may drive b, at the time promised to a; d1 can drive a, an hour later."""
    drivers = (driver("d0", seats=1, shifts=(("08:00", "10:15"),)), driver("d1", seats=1, shifts=(("10:30", "14:00"),), refuses=("b-b",)))
    asks = tuple(ask(name, arrive_by=None, depart_after="09:30", window_minutes=window) for name, window in (("a", 150), ("b", 10)))
    promise = Promise(request="a", leg="outbound", driver="d0", pickup_at="09:30")
    p = plane_problem(make_day(drivers=drivers, requests=asks, promises=(promise,))).arrays
    best = brute_force(p)
    assert best.levels[:2] == (0, 59)
    assert {searched(p, MANY, seed)[0] for seed in range(1, 7)} == {best.levels}


def test_one_promise_that_cannot_be_kept_does_not_heat_the_search() -> None:
    day = random_day(0, requests=60, drivers=15).model_copy(update={"promises": ()})
    promise = Promise(request=day.requests[0].id, leg="outbound", driver="d0", pickup_at="03:00")
    cool, hot = (float(make_search(plane_problem(x).arrays, 1).scale[0]) for x in (day, day.model_copy(update={"promises": (promise,)})))
    assert hot < 10 * cool


def test_a_territory_that_pays_nothing_is_planned_as_well() -> None:
    for seed in (293, 408, 502, 1256, 1401):
        day = small_day(seed)
        free = day.policy.model_copy(update={"cents_per_km": 0, "cents_per_run": 0, "wait_cents_per_minute": 0})
        problem = plane_problem(day.model_copy(update={"policy": free}))
        assert solve(problem, SolveParams(iterations=1000)).levels[:3] == brute_force(problem.arrays).levels, seed


def test_a_person_with_an_empty_window_is_in_no_schedule() -> None:
    """A time locked before the person's window leaves no moment; behind another stop the schedule lets it pass, and the master plans it."""
    promise = Promise(request="b", leg="outbound", driver="d", pickup_at="11:00", lock="time")
    asks = (ask("a", arrive_by=None, depart_after="09:00"), ask("b", arrive_by=None, depart_after="12:00", window_minutes=10))
    p = plane_problem(make_day(drivers=(driver(),), requests=asks, promises=(promise,))).arrays
    assert p.late[2] < p.early[2]
    assert schedule(p, 0, [2, 3]) is None
    assert schedule(p, 0, [0, 1, 2, 3]) is None


def two_waits(max_km: float) -> Problem:
    """One volunteer, two shifts, in each somebody there and back hours later: going home between saves waiting and costs kilometres.

    76.8 km a shift with the way home in between, 38.4 km without.
    """
    asks = (
        ask("a", arrive_by="08:00", return_after="11:00", window_minutes=5),
        ask("b", arrive_by="15:00", return_after="18:00", window_minutes=5),
    )
    policy = Policy(wait_cents_per_minute=30, free_wait_minutes=0)
    return plane_problem(
        make_day(policy=policy, drivers=(driver(max_km=max_km, shifts=(("06:00", "13:00"), ("13:00", "22:00"))),), requests=asks)
    )


@pytest.mark.xfail(raises=AssertionError, reason="the first shift keeps its longer gaps when the second needs the kilometres")
def test_near_the_limit_of_kilometres_both_shifts_take_the_shorter_gaps() -> None:
    problem = two_waits(80)
    best = brute_force(problem.arrays)
    assert best.unserved == 0
    assert solve(problem, SolveParams(iterations=500)).levels[:3] == best.levels


@pytest.mark.xfail(
    raises=AssertionError, reason="the search prices each shift's gaps on its own, the plan takes the shorter way in every gap of the day"
)
def test_near_the_limit_of_kilometres_search_and_plan_count_the_same_cost() -> None:
    problem = two_waits(120)
    solution = solve(problem, SolveParams(iterations=500))
    assert solution.levels == plan_of(problem, solution.routes).summary.levels.as_tuple()


# --- the same bytes

PRINT_PLAN = """
import sys
from dispatch.planning.solve import SolveParams, solve
from tests.dispatch.planning.days import plane_problem, random_day
from tests.dispatch.planning.test_solve import plan_of
problem = plane_problem(random_day(11, requests=20, drivers=6))
sys.stdout.write(plan_of(problem, solve(problem, SolveParams(iterations=150, seed=3)).routes).model_dump_json())
"""


def test_another_process_with_other_hashes_makes_the_same_bytes() -> None:
    """Sets and dictionaries of strings have another order under another PYTHONHASHSEED."""
    problem = plane_problem(random_day(11, requests=20, drivers=6))
    here = plan_of(problem, solve(problem, SolveParams(iterations=150, seed=3)).routes).model_dump_json()
    for hashes in ("0", "4711"):
        there = subprocess.run(
            [sys.executable, "-c", PRINT_PLAN],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
            text=True,
        )
        assert there.stdout == here


# --- fewer possibilities

Change = Callable[[np.random.Generator, Arrays], Arrays]


def lowered(name: str, by: tuple[int, int], least: int = 0) -> Change:
    """One entry of a column, lowered by something between `by`."""

    def change(rng: np.random.Generator, p: Arrays) -> Arrays:
        column = getattr(p, name).copy()
        at = tuple(int(rng.integers(n)) for n in column.shape)
        column[at] = max(least, int(min(column[at], 10**6)) - int(rng.integers(*by)))
        return p._replace(**{name: column})

    return change


def raised(name: str, by: tuple[int, int]) -> Change:
    def change(rng: np.random.Generator, p: Arrays) -> Arrays:
        column = getattr(p, name).copy()
        column[int(rng.integers(len(column)))] += int(rng.integers(*by))
        return p._replace(**{name: column})

    return change


def alone(rng: np.random.Generator, p: Arrays) -> Arrays:
    column = p.alone.copy()
    column[int(rng.integers(len(column)))] = True
    return p._replace(alone=column)


def forbidden(rng: np.random.Generator, p: Arrays) -> Arrays:
    column = p.allowed.copy()
    column[int(rng.integers(column.shape[0])), int(rng.integers(column.shape[1]))] = False
    return p._replace(allowed=column)


def without_volunteer(rng: np.random.Generator, p: Arrays) -> Arrays:
    """Ill today: no shift is left."""
    stay = p.shift_driver != int(rng.integers(len(p.home)))
    return p._replace(**{name: getattr(p, name)[stay] for name in ("shift_driver", "shift_from", "shift_to", "max_duty")})


FEWER: dict[str, Change] = {
    "a window ends earlier": lowered("late", (60, 3600), -(10**6)),
    "a shift ends earlier": lowered("shift_to", (600, 7200)),
    "a car is smaller": lowered("capacity", (1, 3)),
    "less kilometres are wanted": lowered("max_metres", (950_000, 990_000)),
    "less rides are wanted": lowered("max_rides", (10**6 - 3, 10**6)),
    "somebody rides alone": alone,
    "a pair is refused": forbidden,
    "a volunteer is ill": without_volunteer,
}
#: The least schedule of an order is not its cheapest one: whatever starts later may wait less, or keep a promise that it broke before.
#: Such changes are held to all levels only where waiting is free and nothing is promised.
LATER: dict[str, Change] = {
    "a window begins later": raised("early", (60, 3600)),
    "a shift begins later": raised("shift_from", (600, 7200)),
    "a ride must be shorter": lowered("ride_limit", (60, 1800)),
    "a duty must be shorter": lowered("max_duty", (10**6 - 14_400, 10**6 - 1800)),
}


@pytest.mark.parametrize("name", [*FEWER, *LATER])
def test_fewer_possibilities_never_make_the_optimum_better(name: str) -> None:
    worse = 0
    for seed in range(300):
        p = plane_problem(small_day(20_000 + seed)).arrays
        changed = (FEWER | LATER)[name](np.random.default_rng(seed), p)
        before, after = brute_force(p).levels, brute_force(changed).levels
        if name in LATER:
            assert after[0] >= before[0], seed
            rates = p.rates * np.array([1, 0, 1, 1, 1, 1])
            nothing = {"told_driver": np.full_like(p.told_driver, -1), "rates": rates}
            before, after = (brute_force(x._replace(**nothing)).levels for x in (p, changed))
        assert after >= before, seed
        worse += after > before
    assert worse >= 10  # the change is not one that never matters


def test_one_volunteer_more_never_makes_the_optimum_worse() -> None:
    better = 0
    for seed in range(300):
        day = small_day(30_000 + seed)
        model = small_day(40_000 + seed).drivers[0].model_copy(update={"id": "more"})
        before, after = (
            brute_force(plane_problem(x).arrays).levels for x in (day, day.model_copy(update={"drivers": (*day.drivers, model)}))
        )
        assert after <= before, seed
        better += after < before
    assert better >= 50


# --- least change


def promised(day: Day) -> tuple[Day, list[list[int]]]:
    """The day after everybody has been told the best plan; and that plan."""
    problem = plane_problem(day)
    best = brute_force(problem.arrays)
    plan = plan_of(problem, best.routes)
    told = [
        Promise(request=leg.request, leg=leg.leg, driver=run.driver, pickup_at=clock(leg.told_pickup.hour * 60 + leg.told_pickup.minute))
        for run in plan.runs
        for leg in run.legs
    ]
    return day.model_copy(update={"promises": tuple(told)}), best.routes


def touched(problem: Problem, routes: list[list[int]]) -> set[int]:
    """Promised legs that are not driven as they were told."""
    rides = {
        (leg.request, leg.leg): (run.driver, int((leg.pickup - problem.start).total_seconds()))
        for run in plan_of(problem, routes).runs
        for leg in run.legs
    }
    p = problem.arrays
    out = set()
    for k, leg in enumerate(problem.legs):
        if p.told_driver[k] >= 0:
            name, pickup = rides.get((leg.request, leg.direction), ("", 0))
            early, late = p.told_pickup[k] - p.rates[4], p.told_pickup[k] + p.rates[3] + p.rates[4]
            if name != problem.drivers[p.told_driver[k]] or not early <= pickup <= late:
                out.add(k)
    return out


@pytest.mark.parametrize("chunk", range(4))
def test_when_a_volunteer_is_ill_nobody_is_touched_who_need_not_be(chunk: int) -> None:
    only_theirs = others_too = 0
    for seed in range(chunk, 600, 4):
        day, routes = promised(small_day(50_000 + seed).model_copy(update={"promises": ()}))
        before = plane_problem(day)
        assert brute_force(before.arrays).broken == 0, seed  # nothing has changed: nothing is broken
        busy = [int(before.arrays.shift_driver[s]) for s, route in enumerate(routes) if route]
        if not busy:
            continue
        ill = busy[seed % len(busy)]
        theirs = {stop // 2 for s, route in enumerate(routes) for stop in route if before.arrays.shift_driver[s] == ill}
        drivers = tuple(d.model_copy(update={"shifts": ()}) if k == ill else d for k, d in enumerate(day.drivers))
        problem = plane_problem(day.model_copy(update={"drivers": drivers}))
        best = brute_force(problem.arrays)
        found, plan = settled(problem.arrays, best)
        assert found[:2] == best.levels[:2], seed
        changed = touched(problem, plan)
        assert theirs <= changed
        if best.broken == len(theirs):  # one for each of those who lost their volunteer: nobody else pays
            assert changed == theirs, seed
            only_theirs += 1
        else:
            others_too += 1
    assert only_theirs >= 40
    assert others_too >= 5


def test_when_one_person_cancels_nobody_else_is_moved() -> None:
    """b rides after a and is told 09:30. Without a there is no reason to come at 09:00, half an hour before."""
    asks = (
        ask("a", arrive_by=None, depart_after="09:00", window_minutes=10),
        ask("b", arrive_by=None, depart_after="09:00", window_minutes=90, alone=True),
    )
    day, _ = promised(make_day(drivers=(driver(),), requests=asks))
    assert day.promises[1].pickup_at == "09:30"
    without_a = day.model_copy(update={"requests": day.requests[1:], "promises": day.promises[1:]})
    assert solve(plane_problem(without_a), SolveParams(iterations=FEW)).levels[1] == 0
