"""Other solvers on our instances: each is given the problem as far as it can express it, and its plan is judged like ours.

In: an `Instance`, seconds, a seed. Out: nodes by vehicle. OR-Tools takes everything; VROOM and PyVRP know no ride limits, VROOM no longest
duty: what they plan against those is told as illegal. One thread each; model building counts.
"""

import datetime as dt
import importlib.util
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.instances import BIG, Array, Instance, to_problem
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


#: PyVRP's penalties end at 1e5 for each unit of load: one person too many must weigh more than a prize, else crowded plans stay cheapest.
_PERSON = 1000


def pyvrp(instance: Instance, seconds: float, seed: int) -> Routes:
    """PyVRP's shipments: optional pairs by one vehicle in order, windows, both loads, shifts, longest duties and ways; no ride limits.

    It knows no compatibility either: vehicles that may not take somebody drive by a matrix of their own, where the way there costs more
    than the ride is worth: 24 bytes x nodes squared for each such vehicle, 5 GB for 500 legs and 150 volunteers, built in some
    10 s. A plan whose crowding it had no time to repair is handed on as it is.
    """
    import pyvrp as engine

    deadline = time.monotonic() + seconds
    n = instance.n
    fleet = _alike(instance)
    firsts = [alike[0] for alike in fleet]
    places = [*range(2 * n), *(2 * n + v for v in firsts)]
    lengths, times = (np.ascontiguousarray(matrix[np.ix_(places, places)], np.int64) for matrix in (instance.lengths, instance.times))
    vehicle_cost = min(instance.vehicle_cost, 10**7)
    # As our OR-Tools model: more than any detour, so that serving comes first; a whole day's length would drown the search's penalties.
    prize = 20 * int(lengths.max()) + vehicle_cost
    # Without those for whom there is no room anyway, more vehicles share a matrix.
    room = np.all(instance.demand[:, None, :] <= instance.capacity[None], axis=-1)
    refused = [tuple(np.nonzero(room[:, v] & ~instance.compatible[:, v])[0].tolist()) for v in firsts]
    profiles = list(dict.fromkeys(refused))
    kinds = []
    for place, v in enumerate(firsts):
        home = 2 * n + v
        limits = {"shift_duration": int(instance.max_duty[v]), "max_distance": int(instance.max_length[v])}
        kinds.append(
            engine.VehicleType(
                num_available=len(fleet[place]),
                capacity=[_PERSON * int(x) for x in instance.capacity[v]],
                start_depot=place,
                end_depot=place,
                fixed_cost=vehicle_cost,
                tw_early=int(instance.early[home]),
                tw_late=int(instance.late[home]),
                profile=profiles.index(refused[place]),
                **{name: limit for name, limit in limits.items() if limit < BIG},
            )
        )
    shipments = []
    for r in range(n):
        # Pickup's window and service, then the delivery's.
        steps = [int(values[node]) for node in (r, n + r) for values in (instance.early, instance.late, instance.service)]
        amount = [_PERSON * int(x) for x in instance.demand[r]]
        shipments.append(engine.Shipment(r, n + r, *steps, amount=amount, prize=prize, required=False))
    data = engine.ProblemData(
        [engine.Location(0, 0) for _ in places],
        [],
        [engine.Depot(2 * n + place) for place in range(len(fleet))],
        kinds,
        [_detours(lengths, n, requests, 2 * prize) for requests in profiles],
        [times] * len(profiles),
        shipments=shipments,
    )
    # Its own `MaxRuntime` starts to count after the first plan is made.
    found = engine.solve(data, lambda _cost: time.monotonic() > deadline, seed=seed, collect_stats=False)
    routes: Routes = {}
    left = [list(alike) for alike in fleet]
    for route in found.best.routes():
        routes[left[route.vehicle_type()].pop()] = [step.idx + (n if step.is_delivery() else 0) for step in route if step.is_shipment()]
    return routes


def _alike(instance: Instance) -> list[list[int]]:
    """Vehicles by kind: the same in all that a solver is told of them."""
    kinds: dict[tuple[object, ...], list[int]] = {}
    stops = slice(2 * instance.n)
    for v in range(instance.vehicles):
        home = 2 * instance.n + v
        ways = [way.tobytes() for m in (instance.lengths, instance.times) for way in (m[home, stops], m[stops, home])]
        times = [int(values[k]) for values, k in ((instance.early, home), (instance.late, home), (instance.max_duty, v))]
        key = (*ways, *times, int(instance.max_length[v]), instance.capacity[v].tobytes(), instance.compatible[:, v].tobytes())
        kinds.setdefault(key, []).append(v)
    return list(kinds.values())


def _detours(lengths: Array, n: int, requests: Sequence[int], cost: int) -> Array:
    """Lengths with every way to these requests made longer."""
    longer = lengths.copy()
    into = [node for r in requests for node in (r, n + r)]
    longer[:, into] += cost
    np.fill_diagonal(longer, 0)
    return longer


#: By name: the module that must be there, and the solver.
PEERS: dict[str, tuple[str, Peer]] = {"ortools": ("ortools", ortools), "vroom": ("vroom", vroom), "pyvrp": ("pyvrp", pyvrp)}


def available(name: str) -> Peer | None:
    """The peer, or None where it is not installed."""
    module, solve = PEERS[name]
    return solve if importlib.util.find_spec(module) else None
