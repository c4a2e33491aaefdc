"""Public instances and rural days as problems: Cordeau's dial-a-ride set, Li and Lim's pickup and delivery set, a generator of rural days.

In: a file or a seed. Out: an `Instance`: plain arrays that every solver is given, and `to_problem`, the same for ours. Every figure of a
plan is computed by `judge`, which shares nothing with any solver.

Formats and rules: Cordeau 2006 (doi:10.1287/opre.1060.0283) with the data of Ropke, Cordeau and Laporte 2007; Li and Lim 2001
(doi:10.1109/ICTAI.2001.974461), distances in double precision. Here distances are rounded to a thousandth (Cordeau) or a ten-thousandth
(Li and Lim) of the unit, windows never widened; a plan's cost is recomputed from the coordinates.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dispatch.model.day import Policy
from dispatch.planning.problem import NO_LIMIT, Arrays, Leg, Problem

Array = npt.NDArray[Any]
BIG = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """n requests, V vehicles. Nodes: pickups 0..n-1, drop-offs n..2n-1, homes 2n..2n+V-1. Whole numbers, in 1/scale of the unit."""

    name: str
    n: int
    vehicles: int
    scale: int
    lengths: Array  # [N, N]
    times: Array  # [N, N]
    early: Array  # [N] for homes: the vehicle's shift
    late: Array  # [N]
    service: Array  # [2n]
    demand: Array  # [n, 2] seats, wheelchair places
    capacity: Array  # [V, 2]
    ride_limit: Array  # [n] or BIG
    max_duty: Array  # [V] or BIG
    max_length: Array  # [V] or BIG
    vehicle_cost: int  # of using one more vehicle, in units of `lengths`
    compatible: Array  # [n, V]
    plane: Array | None = None  # [N, 2] kilometres, of rural days
    arrives: Array | None = None  # [n] of rural days: whether a time of arrival was asked for
    exact: Array | None  # [N, 2] coordinates whose distances are the true lengths
    best_known: tuple[float, int] | None  # length in the unit, vehicles


def to_problem(instance: Instance) -> Problem:
    """As our planner reads it: priorities 1, no waiting cost, no goodwill; seats and wheelchair places."""
    n, v = instance.n, instance.vehicles
    pick, drop = np.arange(n), n + np.arange(n)

    def interleaved(values: Array) -> Array:
        return np.ascontiguousarray(np.stack([values[pick], values[drop]], axis=1).ravel(), np.int64)

    def limit(values: Array) -> Array:
        return np.where(values >= BIG, NO_LIMIT, values).astype(np.int64)

    stops = interleaved(np.arange(2 * n))
    arrays = Arrays(
        times=np.ascontiguousarray(instance.times, np.int32),
        metres=np.ascontiguousarray(instance.lengths, np.int32),
        place=stops,
        early=interleaved(instance.early),
        late=interleaved(instance.late),
        service=interleaved(instance.service),
        demand=np.ascontiguousarray(np.column_stack([instance.demand, np.zeros(n)]), np.int64),
        alone=np.zeros(n, np.bool_),
        persons=np.zeros(n, np.int64),
        ride_limit=limit(instance.ride_limit),
        direct=np.ascontiguousarray(instance.times[pick, drop], np.int64),
        priority=np.ones(n, np.int64),
        partner=np.full(n, -1, np.int64),
        both_or_none=np.zeros(n, np.bool_),
        waits=np.zeros(n, np.bool_),
        same_driver=np.zeros(n, np.bool_),
        allowed=np.ascontiguousarray(instance.compatible, np.bool_),
        bond=np.zeros((n, v), np.int64),
        told_driver=np.full(n, -1, np.int64),
        told_pickup=np.zeros(n, np.int64),
        locked=np.zeros(n, np.bool_),
        home=np.arange(2 * n, 2 * n + v),
        capacity=np.ascontiguousarray(np.column_stack([instance.capacity, np.zeros(v)]), np.int64),
        max_metres=limit(instance.max_length),
        max_rides=np.full(v, NO_LIMIT, np.int64),
        recent_rides=np.zeros(v, np.int64),
        run_of=np.full(n, -1, np.int64),
        shift_driver=np.arange(v),
        begin=np.arange(2 * n, 2 * n + v),
        closed=np.zeros(v, np.bool_),
        shift_from=instance.early[2 * n :].astype(np.int64),
        shift_to=instance.late[2 * n :].astype(np.int64),
        max_duty=limit(instance.max_duty),
        rates=np.array([1, 0, 0, 1, 0, instance.vehicle_cost // 1000], np.int64),
    )
    return Problem(
        arrays=arrays,
        legs=tuple(Leg(f"r{k}", "outbound") for k in range(n)),
        drivers=tuple(f"v{k}" for k in range(v)),
        shift_numbers=(0,) * v,
        points=tuple((float(k), 0.0) for k in range(2 * n + v)),
        start=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        date=dt.date(2026, 1, 1),
        timezone="UTC",
        policy=Policy(),
        far=(False,) * (2 * n + v),
        unmet_needs=~instance.compatible,
        refused=np.zeros_like(instance.compatible),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a plan is worth. `illegal` says the first rule it breaks, or is empty."""

    unserved: int
    vehicles: int
    length: int  # in 1/scale
    exact_length: float  # in the unit, from coordinates where there are any
    illegal: str


def judge(instance: Instance, routes: dict[int, list[int]]) -> Verdict:
    """Prove a plan (nodes per vehicle, homes left out) in plain Python: windows, ride times, duty, loads, lengths, compatibility."""
    seen: set[int] = set()
    length, exact, illegal = 0, 0.0, ""
    for vehicle, route in routes.items():
        if not route:
            continue
        home = 2 * instance.n + vehicle
        way = [home, *route, home]
        length += sum(int(instance.lengths[a, b]) for a, b in pairwise(way))
        if instance.exact is not None:
            exact += sum(math.dist(instance.exact[a], instance.exact[b]) for a, b in pairwise(way))
        rule = _broken_rule(instance, vehicle, way, seen)
        illegal = illegal or rule
    used = sum(1 for route in routes.values() if route)
    return Verdict(
        unserved=instance.n - len(seen),
        vehicles=used,
        length=length,
        exact_length=exact if instance.exact is not None else length / instance.scale,
        illegal=illegal,
    )


def _broken_rule(instance: Instance, vehicle: int, way: list[int], seen: set[int]) -> str:
    n = instance.n
    position = {node: k for k, node in enumerate(way[1:-1], 1)}
    load = np.zeros(2, np.int64)
    rule = "" if len(position) == len(way) - 2 else "a stop twice"
    for node in way[1:-1]:
        request = node % n
        if node < n:
            if request in seen or position.get(n + request, 0) < position[node]:
                rule = rule or "served twice, or never dropped off"
            seen.add(request)
            load += instance.demand[request]
            if (load > instance.capacity[vehicle]).any():
                rule = rule or "capacity"
            if not instance.compatible[request, vehicle]:
                rule = rule or "compatibility"
        else:
            if request not in position:
                rule = rule or "dropped off without a pickup"
            load -= instance.demand[request]
    if sum(int(instance.lengths[a, b]) for a, b in pairwise(way)) > instance.max_length[vehicle]:
        rule = rule or "length"
    return rule or _broken_time(instance, vehicle, way, position)


def _broken_time(instance: Instance, vehicle: int, way: list[int], position: dict[int, int]) -> str:
    """Raise every start to the least that the rules ask for; what passes a limit cannot be done."""
    n, last = instance.n, len(way) - 1
    service = [int(instance.service[node]) if node < 2 * n else 0 for node in way]
    start = [int(instance.early[node]) for node in way]
    changed = True
    while changed:
        changed = False
        wanted = [(k, start[k - 1] + service[k - 1] + int(instance.times[way[k - 1], way[k]])) for k in range(1, last + 1)]
        for node, k in position.items():
            if node >= n and instance.ride_limit[node - n] < BIG:
                pickup = position[node - n]
                wanted.append((pickup, start[k] - service[pickup] - int(instance.ride_limit[node - n])))
        if instance.max_duty[vehicle] < BIG:
            wanted.append((0, start[last] - int(instance.max_duty[vehicle])))
        for k, least in wanted:
            if least > start[k]:
                start[k], changed = least, True
        if any(start[k] > instance.late[node] for k, node in enumerate(way)):
            return "time"
    return ""


def without_times(instance: Instance) -> Instance:
    """The common sub-problem of all peers: no ride limits, no longest duty."""
    return replace(
        instance,
        ride_limit=np.full(instance.n, BIG),
        max_duty=np.full(instance.vehicles, BIG),
    )


def _plane(stops: Sequence[Sequence[float]], depot: Sequence[float], vehicles: int) -> tuple[Array, Array]:
    """Coordinates of all nodes, every vehicle at the depot, and the distances between them."""
    xy = np.array([[row[1], row[2]] for row in stops] + [[depot[1], depot[2]]] * vehicles, float)
    return xy, np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1))


def cordeau(path: Path, scale: int = 1000) -> Instance:
    """Windows are tightened from each other through the ride limit, as the authors do."""
    rows = [[float(word) for word in line.split()] for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    vehicles, count, longest, seats, ride = (int(x) for x in rows[0][:5])
    nodes = rows[1:]
    n = count if len(nodes) >= 2 * count + 1 else count // 2
    depot, stops = nodes[0], nodes[1 : 2 * n + 1]
    xy, far = _plane(stops, depot, vehicles)
    early, late, service = (np.array([row[k] for row in stops]) for k in (5, 6, 3))
    for p in range(n):
        q = n + p
        early[p] = max(early[p], early[q] - ride - service[p])
        late[p] = min(late[p], late[q] - far[p, q] - service[p])
        early[q] = max(early[q], early[p] + service[p] + far[p, q])
        late[q] = min(late[q], late[p] + service[p] + ride)
    lengths = np.rint(far * scale).astype(np.int64)
    return Instance(
        name=path.stem,
        n=n,
        vehicles=vehicles,
        scale=scale,
        lengths=lengths,
        times=lengths,
        early=np.concatenate([np.ceil(early * scale - 1e-6), np.full(vehicles, depot[5] * scale)]).astype(np.int64),
        late=np.concatenate([np.floor(late * scale + 1e-6), np.full(vehicles, depot[6] * scale)]).astype(np.int64),
        service=np.rint(service * scale).astype(np.int64),
        demand=np.array([[int(row[4]), 0] for row in stops[:n]]),
        capacity=np.array([[seats, 0]] * vehicles),
        ride_limit=np.full(n, ride * scale),
        max_duty=np.full(vehicles, longest * scale),
        max_length=np.full(vehicles, BIG),
        vehicle_cost=0,
        compatible=np.ones((n, vehicles), np.bool_),
        exact=xy,
        best_known=_known(path, "optimal_cost"),
    )


def lilim(path: Path, scale: int = 10_000) -> Instance:
    """Vehicles first, then distance."""
    rows = [[int(word) for word in line.split()] for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    vehicles, seats = rows[0][0], rows[0][1]
    by_id = {row[0]: row for row in rows[1:]}
    depot = rows[1]
    picks = [row for row in rows[2:] if row[8] > 0]
    stops = picks + [by_id[row[8]] for row in picks]
    n = len(picks)
    xy, far = _plane(stops, depot, vehicles)
    lengths = np.rint(far * scale).astype(np.int64)
    return Instance(
        name=path.stem,
        n=n,
        vehicles=vehicles,
        scale=scale,
        lengths=lengths,
        times=lengths,
        early=np.array([row[4] for row in stops] + [depot[4]] * vehicles) * scale,
        late=np.array([row[5] for row in stops] + [depot[5]] * vehicles) * scale,
        service=np.array([row[6] for row in stops]) * scale,
        demand=np.array([[row[3], 0] for row in picks]),
        capacity=np.array([[seats, 0]] * vehicles),
        ride_limit=np.full(n, BIG),
        max_duty=np.full(vehicles, BIG),
        max_length=np.full(vehicles, BIG),
        vehicle_cost=10**9,
        compatible=np.ones((n, vehicles), np.bool_),
        exact=xy,
        best_known=_known(path, "distance", "vehicles"),
    )


def _known(path: Path, length: str, vehicles: str = "") -> tuple[float, int] | None:
    table = path.parent / "best_known.csv"
    if not table.exists():
        return None
    head, *rows = (line.split(",") for line in table.read_text(encoding="ascii").splitlines())
    found = next((dict(zip(head, row, strict=True)) for row in rows if row[0] == path.stem), None)
    return None if found is None else (float(found[length]), int(found[vehicles]) if vehicles else 0)


#: Kinds of errands: share, hours before an appointment that are fine, slack of the way back, seconds.
_KINDS = {"medical": (0.55, 1200, 2700), "shopping": (0.20, 3600, 3600), "work": (0.15, 900, 1800), "hospital": (0.10, 1800, 2700)}


def rural(n: int, vehicles: int, seed: int, side_km: float = 60.0) -> Instance:
    """A rural day on a plane: towns with services, villages around, ways there and back, volunteers at home with half days or days.

    Lengths are metres (straight line x 1.3), times seconds (55 km/h and a minute per drive). Both follow the triangle inequality up to
    that minute, which only makes direct drives quicker.
    """
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0.12 * side_km, 0.88 * side_km, (6, 2))
    weight = 1 / np.arange(1, 7) ** 0.9
    weight /= weight.sum()
    villages = rng.uniform(0, side_km, (max(12, int(side_km**2 / 30)), 2))

    def home() -> Array:
        if rng.random() < 0.35:
            return np.asarray(towns[rng.choice(6, p=weight)] + rng.normal(0, 1.5, 2))
        return np.asarray(villages[rng.integers(len(villages))] + rng.normal(0, 0.8, 2))

    rides: list[tuple[Array, Array, int, int, bool, float, int, int]] = []
    while len(rides) < n:
        here = home()
        kind = str(rng.choice(list(_KINDS), p=[share for share, _, _ in _KINDS.values()]))
        _, before, slack = _KINDS[kind]
        away = np.hypot(*(towns - here).T)
        pull = weight * np.exp(-away / 15)
        town = 0 if kind == "hospital" else int(rng.choice(6, p=pull / pull.sum()))
        there = towns[town] + rng.normal(0, 1.0, 2)
        far_km = float(np.hypot(*(there - here)))
        if far_km < 1.5:
            continue
        seats, chair = 1 + int(rng.random() < 0.18), int(rng.random() < 0.06)
        direct_s = far_km * 1.3 / 55 * 3600 + 120
        longest = max(1.5 * direct_s, direct_s + 1200)
        due, stay = _appointment(rng, kind)
        rides.append((here, there, due - before, due, True, longest, seats, chair))
        if len(rides) < n and rng.random() < 0.85:
            rides.append((there, here, due + stay, due + stay + slack, False, longest, seats, chair))
    return _rural_instance(rng, f"rural-{n}x{vehicles}-{seed}", rides, np.array([home() for _ in range(vehicles)]))


def _appointment(rng: np.random.Generator, kind: str) -> tuple[int, int]:
    """When one is due, and how long it lasts."""
    if kind == "shopping":
        return int(rng.choice(np.arange(9 * 3600, 16 * 3600, 1800))), int(rng.choice([3600, 5400, 7200]))
    if kind == "work":
        return int(rng.choice([25_200, 28_800, 30_600, 32_400, 46_800])), int(rng.choice([14_400, 25_200, 28_800]))
    due = int(rng.choice(np.arange(8 * 3600, 17 * 3600, 900)))
    return due, int(rng.choice([1800, 2700, 3600, 5400, 7200])) + (7200 if kind == "hospital" and rng.random() < 0.5 else 0)


def _rural_instance(rng: np.random.Generator, name: str, rides: list[Any], homes: Array) -> Instance:
    n, v = len(rides), len(homes)
    xy = np.vstack([[ride[0] for ride in rides], [ride[1] for ride in rides], homes])
    km = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)) * 1.3
    times = np.rint(km / 55 * 3600).astype(np.int64) + np.where(km > 0.05, 60, 0)
    early, late, service = np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64)
    for p, (_, _, first, last, arrives, longest, _, chair) in enumerate(rides):
        q, direct, limit = n + p, int(times[p, n + p]), int(longest)
        service[p], service[q] = 180 + 240 * chair, 120 + 240 * chair
        if arrives:
            early[q], late[q] = first, last
            early[p], late[p] = max(0, first - limit - service[p]), last - direct - service[p]
        else:
            early[p], late[p] = first, last
            early[q], late[q] = first + service[p] + direct, last + service[p] + limit
    shifts = np.empty((v, 2), np.int64)
    limits, seats, chairs = np.empty(v, np.int64), np.empty(v, np.int64), np.empty(v, np.int64)
    for k in range(v):
        begin, end = [(7.5, 12.75), (13, 18.5), (8.5, 17.5), (9, 15)][int(rng.choice(4, p=[0.3, 0.3, 0.2, 0.2]))]
        shifts[k] = int((begin + rng.uniform(-0.5, 0.5)) * 3600), int((end + rng.uniform(-0.5, 0.5)) * 3600)
        limits[k] = int(rng.choice([80, 120, 150, 200])) * 1000
        seats[k], chairs[k] = int(rng.choice([3, 4, 4, 4, 6])), int(rng.random() < 0.12)
    demand = np.array([[ride[6], ride[7]] for ride in rides])
    capacity = np.stack([seats, chairs], axis=1)
    compatible = (rng.random((n, v)) > 0.04) & (demand[:, None, :] <= capacity[None]).all(-1)
    return Instance(
        name=name,
        n=n,
        vehicles=v,
        scale=1000,
        lengths=np.rint(km * 1000).astype(np.int64),
        times=times,
        early=np.concatenate([early, shifts[:, 0]]),
        late=np.concatenate([late, shifts[:, 1]]),
        service=service,
        demand=demand,
        capacity=capacity,
        ride_limit=np.array([int(ride[5]) for ride in rides]),
        max_duty=np.minimum(shifts[:, 1] - shifts[:, 0], 7 * 3600),
        max_length=limits,
        vehicle_cost=0,
        compatible=compatible,
        plane=xy,
        arrives=np.array([bool(ride[4]) for ride in rides]),
        exact=None,
        best_known=None,
    )
