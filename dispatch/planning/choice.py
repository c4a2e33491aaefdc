"""Choosing among known runs: what a run is worth, and the set of runs that serves most and costs least.

In: the arrays of a problem, routes of single shifts. Out: `Run`s with cost and price; routes by shift. Called by `master` and `solve`.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from ortools.linear_solver import pywraplp

from dispatch.planning.insertion import BROKEN_PRICE, COMFORT_PRICE, COST_PRICE, GOODWILL_PRICE
from dispatch.planning.kinship import shifts_by_kind
from dispatch.planning.problem import NO_LIMIT, SAME_DRIVER_BONUS, Arrays
from dispatch.planning.schedule import CENT, appraise, figures
from dispatch.planning.state import LOCKED_WEIGHT

#: One unserved leg of priority 1 weighs as much as this many kilometres where the levels are folded into one number.
UNSERVED_KM = 1000


class Run(NamedTuple):
    """A column: one shift's route."""

    kind: int
    route: tuple[int, ...]
    cost: int  # level 3, or less where the run is relaxed
    price: int | None  # all levels folded, as the search does; None for a run that is not legal

    def legs(self) -> list[int]:
        """In the order of their pickups."""
        return [stop // 2 for stop in self.route if stop % 2 == 0]


def unserved_weight(p: Arrays) -> int:
    """Of one unserved leg of priority 1 in the folded objective: more than any single leg can cost."""
    far = p.metres[p.metres < 2**29]
    longest = 4 * int(far.max(initial=1)) * int(p.rates[0]) + int(p.rates[5]) * CENT
    return max(UNSERVED_KM * 1000 * max(1, int(p.rates[0])), 2 * longest)


def unserved_groups(p: Arrays) -> list[list[int]]:
    """Legs that are unserved together."""
    return [
        [leg] if not p.both_or_none[leg] else [leg, int(p.partner[leg])]
        for leg in range(len(p.priority))
        if not (p.both_or_none[leg] and p.partner[leg] < leg)
    ]


def make_run(p: Arrays, kind: int, shift: int, route: list[int]) -> Run:
    """A route with its cost, and its price when it is legal on its own."""
    driver = int(p.shift_driver[shift])
    start, picked = np.zeros(len(route) + 1, np.int64), np.zeros(len(p.priority) + 1, np.int64)
    metres, cost, comfort, broken = appraise(p, shift, np.array(route or [0], np.int64), len(route), start, picked)
    if metres >= 0:
        legs = [stop // 2 for stop in route if stop % 2 == 0]
        goodwill = len(legs) * (2 * int(p.recent_rides[driver]) + len(legs)) - int(p.bond[legs, driver].sum())
        goodwill -= SAME_DRIVER_BONUS * sum(1 for leg in legs if p.partner[leg] > leg and int(p.partner[leg]) in legs)
        price = COST_PRICE * cost + COMFORT_PRICE * comfort + BROKEN_PRICE * broken + GOODWILL_PRICE * goodwill
        return Run(kind, tuple(route), int(cost), int(price))
    return Run(kind, tuple(route), _least_cost(p, shift, route), None)


def _least_cost(p: Arrays, shift: int, route: list[int]) -> int:
    """Of a run that breaks a rule: its kilometres, by home where that is shorter."""
    home = int(p.home[p.shift_driver[shift]])
    places = [int(p.begin[shift]), *(int(p.place[stop]) for stop in route), home]
    aboard = metres = 0
    for k, (a, b) in enumerate(pairwise(places)):
        direct = int(p.metres[a, b])
        around = int(p.metres[a, home]) + int(p.metres[home, b])
        metres += min(direct, around) if aboard == 0 and 0 < k < len(route) else direct
        if k < len(route):
            aboard += -1 if route[k] % 2 else 1
    return metres * int(p.rates[0]) + int(p.rates[5]) * CENT


class Choice(NamedTuple):
    """A set of runs."""

    routes: list[list[int]]  # by shift
    runs: list[Run]
    bound: float  # no set of the runs that were given is worth less


def choose_runs(
    p: Arrays, runs: Sequence[Run], kind: Any, seconds: float, known: Sequence[Sequence[int]], *, relaxed: bool = False
) -> Choice | None:
    """The best set of legal runs by SCIP, all levels folded; None when it finds nothing in time.

    `known` is a plan to start from; its routes must be among the runs. `relaxed`: any runs, at their cost; only levels 1 and 3 count, and
    what hangs together over the shifts of a volunteer does not.
    """
    began = time.monotonic()
    solver = pywraplp.Solver.CreateSolver("SCIP")
    worth = 1 if relaxed else COST_PRICE  # of level 3
    infinite, unit = solver.infinity(), max(1, int(p.rates[0])) * 1000 * worth
    kinds = shifts_by_kind(kind)
    weight = unserved_weight(p)
    goal = solver.Objective()
    goal.SetMinimization()
    chosen = [solver.BoolVar("") for _ in runs]
    leg_row = [solver.Constraint(1, 1) for _ in p.priority]
    kind_row = {k: solver.Constraint(-infinite, len(shifts)) for k, shifts in kinds.items()}
    unserved: list[tuple[list[int], Any]] = []
    for legs in unserved_groups(p):
        column = solver.BoolVar("")
        cost = sum(int(p.priority[leg]) * (LOCKED_WEIGHT if p.locked[leg] and not relaxed else 1) * weight * worth for leg in legs)
        cost += 0 if relaxed else sum(BROKEN_PRICE for leg in legs if p.told_driver[leg] >= 0)
        goal.SetCoefficient(column, cost / unit)
        for leg in legs:
            leg_row[leg].SetCoefficient(column, 1)
        unserved.append((legs, column))
    for run, column in zip(runs, chosen, strict=True):
        goal.SetCoefficient(column, float(run.cost if relaxed else run.price or 0) / unit)
        kind_row[run.kind].SetCoefficient(column, 1)
        for stop in run.route:
            if stop % 2 == 0:
                leg_row[stop // 2].SetCoefficient(column, 1)
    if not relaxed:
        _add_driver_rows(p, solver, runs, chosen, kinds)
    _set_hint(solver, runs, chosen, unserved, kind, known)
    solver.SetTimeLimit(max(20, int(1000 * (began + seconds - time.monotonic()))))
    params = pywraplp.MPSolverParameters()
    params.SetDoubleParam(params.RELATIVE_MIP_GAP, 1e-7)
    if solver.Solve(params) not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return None
    routes: list[list[int]] = [[] for _ in kind]
    free = {k: list(shifts) for k, shifts in kinds.items()}
    taken = [run for run, column in zip(runs, chosen, strict=True) if column.solution_value() > 0.5]
    for run in taken:
        routes[free[run.kind].pop(0)] = list(run.route)
    return Choice(routes, taken, goal.BestBound() * unit)


def _add_driver_rows(p: Arrays, solver: Any, runs: Sequence[Run], chosen: list[Any], kinds: dict[int, list[int]]) -> None:
    """What hangs together over the shifts of one volunteer: kilometres, rides, and the same volunteer for both ways."""
    driver_of = {kind: int(p.shift_driver[shifts[0]]) for kind, shifts in kinds.items()}
    for driver in range(len(p.home)):
        mine = [k for k, run in enumerate(runs) if driver_of[run.kind] == driver]
        if (p.shift_driver == driver).sum() < 2 or not mine:
            continue
        for limit, amount in ((p.max_metres[driver], _metres_of), (p.max_rides[driver], _rides_of)):
            if limit < NO_LIMIT:
                row = solver.Constraint(-solver.infinity(), float(limit))
                for k in mine:
                    row.SetCoefficient(chosen[k], float(amount(p, kinds[runs[k].kind][0], runs[k])))
    for leg in np.nonzero(p.same_driver & (p.partner > np.arange(len(p.partner))))[0].tolist():
        there = {k for k, run in enumerate(runs) if 2 * leg in run.route}
        back = {k for k, run in enumerate(runs) if 2 * int(p.partner[leg]) in run.route}
        for driver in {driver_of[runs[k].kind] for k in there}:
            row = solver.Constraint(-solver.infinity(), 1)
            for k in there | back:
                if (driver_of[runs[k].kind] == driver) == (k in there) and not (k in there and k in back):
                    row.SetCoefficient(chosen[k], 1)


def _metres_of(p: Arrays, shift: int, run: Run) -> int:
    return figures(p, shift, list(run.route), frugal=True)[0]


def _rides_of(_p: Arrays, _shift: int, run: Run) -> int:
    return len(run.route) // 2


def _set_hint(
    solver: Any, runs: Sequence[Run], chosen: list[Any], unserved: list[tuple[list[int], Any]], kind: Any, known: Sequence[Sequence[int]]
) -> None:
    """Start from the known plan."""
    planned = {(int(kind[shift]), _people(route)) for shift, route in enumerate(known) if route}
    used: set[tuple[int, frozenset[int]]] = set()
    values = []
    for run in runs:
        name = (run.kind, _people(run.route))
        values.append(float(name in planned and name not in used))
        used |= {name} & planned
    served = {stop // 2 for route in known for stop in route}
    variables = [*chosen, *(column for _, column in unserved)]
    values += [float(legs[0] not in served) for legs, _ in unserved]
    solver.SetHint(variables, values)


def _people(route: Sequence[int]) -> frozenset[int]:
    return frozenset(stop // 2 for stop in route)


def mended(p: Arrays, routes: list[list[int]]) -> list[list[int]]:
    """Runs that are each legal, put together: what breaks a rule over several runs is taken out, for the search to put back."""
    kept: list[list[int]] = []
    rides, metres = np.zeros(len(p.home), np.int64), np.zeros(len(p.home), np.int64)
    for shift, route in enumerate(routes):
        driver = int(p.shift_driver[shift])
        more = figures(p, shift, route, frugal=True)[0]
        fits = rides[driver] + len(route) // 2 <= p.max_rides[driver] and metres[driver] + more <= p.max_metres[driver]
        kept.append(route if fits else [])
        if fits:
            rides[driver] += len(route) // 2
            metres[driver] += more
    return without_halves(p, kept)


def without_halves(p: Arrays, routes: list[list[int]]) -> list[list[int]]:
    """Take out what breaks "both ways or none" or "same volunteer": nothing, when the model was coupled."""
    driver = {stop // 2: int(p.shift_driver[s]) for s, route in enumerate(routes) for stop in route}
    out: set[int] = set()
    for leg, partner in enumerate(p.partner):
        if partner >= 0 and leg in driver:
            half = p.both_or_none[leg] and int(partner) not in driver
            torn = p.same_driver[leg] and driver.get(int(partner), driver[leg]) != driver[leg]
            if half or (torn and (p.both_or_none[leg] or partner < leg)):
                out.add(leg)
    return [[stop for stop in route if stop // 2 not in out] for route in routes]
