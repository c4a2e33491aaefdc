"""The plain OR-Tools routing model of a problem: second opinion, fallback, and the baseline that benchmarks compare with.

In: a problem, seconds, optionally routes to start from. Out: routes (stops per shift), or None when OR-Tools finds nothing.
Called by `solve` and by benchmarks. One shift is one vehicle. Exact on what is legal (windows, ride limits, capacities,
riding alone, kilometre and ride limits over several shifts, both ways or none, same volunteer, locks), but for volunteers
who are to wait: a way back that would break that is taken out at the end. Its cost is kilometres only, so `solve` compares
its result level by level before it takes it.

Notes on OR-Tools 9.15: `SetAllowedVehiclesForIndex` raises TypeError in Python, hence `SetValues`; a pair's penalty sits on both
nodes, hence halves; the time limit leaves out model building, hence the subtraction; the GIL is held while it solves.
"""

import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from dispatch.planning.choice import without_halves
from dispatch.planning.problem import NO_LIMIT, UNREACHABLE, Arrays, IntArray, Problem, drivable

_BIG = 10**6
Model: TypeAlias = Any  # pywrapcp.RoutingModel; the wrapper carries no types
Index: TypeAlias = Any  # pywrapcp.RoutingIndexManager


def solve_baseline(problem: Problem, seconds: float | None, initial: Sequence[Sequence[int]] | None = None) -> list[list[int]] | None:
    """Solve with OR-Tools.

    Parameters
    ----------
    problem : Problem
    seconds : float or None
        Wall clock for building and guided local search; None for plain descent to the next local optimum, which is reproducible.
    initial : list of routes, optional
        Stops per shift; without it parallel cheapest insertion builds a first plan. That insertion adds one leg at a time and would be
        stopped by "both ways or none", so from scratch the two ways are left free and half-served requests are taken out at the end.

    Returns
    -------
    list of list of int, or None
        Stops per shift.
    """
    p = problem.arrays
    began = time.monotonic()
    if len(p.shift_driver) == 0 or len(p.priority) == 0:
        return [[] for _ in p.shift_driver]
    index, model = _make_model(p, coupled=initial is not None)
    search = pywrapcp.DefaultRoutingSearchParameters()
    search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    if seconds is None:
        search.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    else:
        search.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        left = seconds - (time.monotonic() - began)
        if left < 0.05:
            return None
        search.time_limit.FromMilliseconds(int(left * 1000))
    if initial is None:
        solution = model.SolveWithParameters(search)
    else:
        model.CloseModelWithParameters(search)
        nodes = [[index.NodeToIndex(stop) for stop in route] for route in initial]
        assignment = model.ReadAssignmentFromRoutes(nodes, True)
        solution = model.SolveFromAssignmentWithParameters(assignment, search) if assignment is not None else None
    return None if solution is None else without_halves(p, [_uninterrupted(p, r) for r in _read_routes(p, index, model, solution)])


def _make_model(p: Arrays, *, coupled: bool) -> tuple[Index, Model]:
    """Nodes 0..2L-1 are the stops, then one home per shift, then where each shift begins."""
    stops, shifts = len(p.place), len(p.shift_driver)
    homes = list(range(stops, stops + shifts))
    index = pywrapcp.RoutingIndexManager(stops + 2 * shifts, shifts, [home + shifts for home in homes], homes)
    model = pywrapcp.RoutingModel(index)
    place = np.concatenate([p.place, p.home[p.shift_driver], p.begin])
    metres = p.metres[np.ix_(place, place)].astype(np.int64)
    far = model.RegisterTransitMatrix(metres.tolist())
    cost = model.RegisterTransitMatrix((metres * max(1, int(p.rates[0]))).tolist())
    model.SetArcCostEvaluatorOfAllVehicles(cost)
    _add_time(p, index, model, place)
    _add_loads(p, index, model)
    _add_driver_limits(p, index, model, far)
    if p.rates[5] > 0:
        model.SetFixedCostOfAllVehicles(int(p.rates[5]) * 1000)
    longest_arc = int(metres[metres < UNREACHABLE].max(initial=1)) * max(1, int(p.rates[0]))
    _add_legs(p, index, model, longest_arc)
    if coupled:
        _add_pairs(p, index, model)
    return index, model


def _add_time(p: Arrays, index: Index, model: Model, place: IntArray) -> None:
    stops, shifts = len(p.place), len(p.shift_driver)
    shift = min(0, int(p.shift_from.min()), int(p.early.min()))  # OR-Tools counts from zero
    service = np.concatenate([p.service, np.zeros(2 * shifts, np.int64)])
    drive = model.RegisterTransitMatrix((p.times[np.ix_(place, place)].astype(np.int64) + service[:, None]).tolist())
    horizon = int(p.shift_to.max()) - shift + 1
    model.AddDimension(drive, horizon, horizon, False, "time")
    clock = model.GetDimensionOrDie("time")
    for stop in range(stops):
        early, late = int(p.early[stop]) - shift, int(p.late[stop]) - shift
        if 0 <= max(early, 0) <= min(late, horizon):
            clock.CumulVar(index.NodeToIndex(stop)).SetRange(early, min(late, horizon))
        else:
            model.ActiveVar(index.NodeToIndex(stop)).SetValue(0)
    for s in range(shifts):
        for end in (model.Start(s), model.End(s)):
            clock.CumulVar(end).SetRange(int(p.shift_from[s]) - shift, int(p.shift_to[s]) - shift)
        if p.max_duty[s] < NO_LIMIT:
            clock.SetSpanUpperBoundForVehicle(int(p.max_duty[s]), s)


def _add_loads(p: Arrays, index: Index, model: Model) -> None:
    """Seats, wheelchair places, boot; and one more load for people who ride alone: they fill it at once."""
    alone = np.where(p.alone, _BIG, 1)[:, None]
    loads = np.hstack([p.demand, alone])
    capacity = np.hstack([p.capacity, np.full((len(p.home), 1), _BIG)])[p.shift_driver]
    for k in range(loads.shape[1]):
        if k == 3 and not p.alone.any():
            continue
        change = np.zeros(len(p.place) + 2 * len(p.shift_driver), np.int64)
        change[0 : len(p.place) : 2], change[1 : len(p.place) : 2] = loads[:, k], -loads[:, k]
        by_node = model.RegisterUnaryTransitVector(change.tolist())
        model.AddDimensionWithVehicleCapacity(by_node, 0, capacity[:, k].tolist(), True, f"load{k}")


def _add_driver_limits(p: Arrays, index: Index, model: Model, far: int) -> None:
    """Kilometres and rides per driver, summed over the driver's shifts."""
    picks = np.zeros(len(p.place) + 2 * len(p.shift_driver), np.int64)
    picks[0 : len(p.place) : 2] = 1
    rides = model.RegisterUnaryTransitVector(picks.tolist())
    for name, by_arc, limit in (("metres", far, p.max_metres), ("rides", rides, p.max_rides)):
        if not (limit < NO_LIMIT).any():
            continue
        bound = np.minimum(limit, 10**9)
        model.AddDimensionWithVehicleCapacity(by_arc, 0, bound[p.shift_driver].tolist(), True, name)
        dimension = model.GetDimensionOrDie(name)
        for driver in np.unique(p.shift_driver):
            mine = np.nonzero(p.shift_driver == driver)[0]
            if len(mine) > 1 and limit[driver] < NO_LIMIT:
                total = sum(dimension.CumulVar(model.End(int(s))) for s in mine)
                model.solver().Add(total <= int(bound[driver]))


def _add_legs(p: Arrays, index: Index, model: Model, longest_arc: int) -> None:
    solver, clock = model.solver(), model.GetDimensionOrDie("time")
    penalty = min(20 * longest_arc, 10**15)
    for leg in range(len(p.priority)):
        pick, drop = index.NodeToIndex(2 * leg), index.NodeToIndex(2 * leg + 1)
        model.AddPickupAndDelivery(pick, drop)
        solver.Add(model.VehicleVar(pick) == model.VehicleVar(drop))
        solver.Add(clock.CumulVar(pick) <= clock.CumulVar(drop))
        longest = int(p.ride_limit[leg] + p.service[2 * leg])
        solver.Add(clock.CumulVar(drop) - clock.CumulVar(pick) <= longest)
        able = np.nonzero(drivable(p, leg, np.arange(len(p.shift_driver))))[0].tolist()
        for node in (pick, drop):
            model.VehicleVar(node).SetValues([-1, *able])
            model.AddDisjunction([node], penalty * int(p.priority[leg]) * (1000 if p.locked[leg] else 1) // 2)


def _add_pairs(p: Arrays, index: Index, model: Model) -> None:
    """Both ways or none, and the same volunteer both ways."""
    solver = model.solver()
    driver_of = [-1, *p.shift_driver.tolist()]
    for leg, partner in enumerate(p.partner):
        if partner < leg:
            continue
        there, back = index.NodeToIndex(2 * leg), index.NodeToIndex(2 * int(partner))
        if p.both_or_none[leg]:
            solver.Add(model.ActiveVar(there) == model.ActiveVar(back))
        if p.same_driver[leg]:
            one, other = (solver.Element(driver_of, model.VehicleVar(node) + 1) for node in (there, back))
            both = model.ActiveVar(there) * model.ActiveVar(back)
            solver.Add((one - other) * both == 0)


def _uninterrupted(p: Arrays, route: list[int]) -> list[int]:
    """Without the ways back for which the volunteer should have waited and did something else: the model does not know of that."""
    aboard: set[int] = set()
    out: set[int] = set()
    for k, stop in enumerate(route):
        leg, partner = stop // 2, int(p.partner[stop // 2])
        if stop % 2 == 0 and p.waits[leg] and 2 * partner in route[:k] and (aboard or route[k - 1] != 2 * partner + 1):
            out.add(leg)
        aboard ^= {leg}
    return [stop for stop in route if stop // 2 not in out]


def _read_routes(p: Arrays, index: Index, model: Model, solution: Any) -> list[list[int]]:
    routes: list[list[int]] = []
    for s in range(len(p.shift_driver)):
        route: list[int] = []
        at = solution.Value(model.NextVar(model.Start(s)))
        while not model.IsEnd(at):
            route.append(index.IndexToNode(at))
            at = solution.Value(model.NextVar(at))
        routes.append(route)
    return routes
