"""Other solvers on our instances: each is given the problem as far as it can express it, and its plan is judged like ours.

In: an `Instance`, seconds, a seed. Out: nodes by vehicle. OR-Tools takes everything; VROOM and PyVRP know no ride limits, VROOM no longest
duty: what they plan against those is told as illegal. One thread each; model building counts.
"""

import datetime as dt
import importlib.util
import time
from collections.abc import Callable

import numpy as np

from benchmarks.instances import BIG, Instance, to_problem
from dispatch.planning.baseline import solve_baseline

Routes = dict[int, list[int]]
Peer = Callable[[Instance, float, int], Routes]


def nodes(instance: Instance, routes: list[list[int]]) -> Routes:
    """Our stops as the instance's nodes."""
    return {v: [stop // 2 + (instance.n if stop % 2 else 0) for stop in route] for v, route in enumerate(routes) if route}


def ortools(instance: Instance, seconds: float, _seed: int) -> Routes:
    """The routing model of `dispatch.planning.baseline` from scratch: parallel cheapest insertion, guided local search."""
    return nodes(instance, solve_baseline(to_problem(instance), seconds) or [])


def vroom(instance: Instance, seconds: float, _seed: int) -> Routes:
    """VROOM's most thorough setting."""
    import vroom as engine

    began = time.monotonic()
    n = instance.n
    ask = engine.Input()
    ask.set_durations_matrix(profile="car", matrix_input=instance.times.astype(np.uint32))
    ask.set_costs_matrix(profile="car", matrix_input=instance.lengths.astype(np.uint32))
    limited = bool((instance.max_length < BIG).any())
    if limited:
        ask.set_distances_matrix(profile="car", matrix_input=instance.lengths.astype(np.uint32))
    picky = not instance.compatible.all()
    for v in range(instance.vehicles):
        more: dict[str, object] = {"skills": {int(r) + 1 for r in np.nonzero(instance.compatible[:, v])[0]}} if picky else {}
        if limited:
            more["max_distance"] = int(instance.max_length[v])
        if instance.vehicle_cost:
            more["costs"] = engine.VehicleCosts(fixed=min(instance.vehicle_cost, 10**7))
        home = 2 * n + v
        window = engine.TimeWindow(int(instance.early[home]), int(instance.late[home]))
        load = engine.Amount([int(x) for x in instance.capacity[v]])
        ask.add_vehicle(engine.Vehicle(v, start=home, end=home, capacity=load, time_window=window, **more))
    for r in range(n):
        steps = [
            engine.ShipmentStep(
                r,
                node,
                default_service=int(instance.service[node]),
                time_windows=[engine.TimeWindow(int(instance.early[node]), int(instance.late[node]))],
            )
            for node in (r, n + r)
        ]
        ask.add_shipment(*steps, amount=engine.Amount([int(x) for x in instance.demand[r]]), **({"skills": {r + 1}} if picky else {}))
    left = max(0.05, seconds - (time.monotonic() - began))
    found = ask.solve(exploration_level=5, nb_threads=1, timeout=dt.timedelta(milliseconds=int(1000 * left)))
    routes: Routes = {}
    for v, kind, r in zip(found.routes["vehicle_id"], found.routes["type"], found.routes["id"], strict=True):
        if kind in {"pickup", "delivery"}:
            routes.setdefault(int(v), []).append(int(r) + (n if kind == "delivery" else 0))
    return routes


#: By name: the module that must be there, and the solver.
PEERS: dict[str, tuple[str, Peer]] = {"ortools": ("ortools", ortools), "vroom": ("vroom", vroom)}


def available(name: str) -> Peer | None:
    """The peer, or None where it is not installed."""
    module, solve = PEERS[name]
    return solve if importlib.util.find_spec(module) else None
