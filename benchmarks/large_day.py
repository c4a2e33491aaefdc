"""A large day as a territory file would hold it: rural days side by side on a plane, planned in cells by the product's own path.

In: sizes and a seed. Out: a `Day`, roads on the plane, and a row like those of `planner`: unserved, kilometres, violations, seconds, memory
of all processes. Called by `planner --set day`. Lengths are straight lines x 1.3 in metres, times 55 km/h and a minute per drive, as in
`instances.rural`; a city of 200 ways and 60 volunteers every 60 km.
"""

import datetime as dt
import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.instances import rural
from dispatch.engine.large_day import plan_large_day
from dispatch.model.day import Day, Driver, Policy, Request
from dispatch.planning.problem import LonLat, Matrices
from dispatch.planning.solve import SolveParams

KM_PER_DEGREE = 100.0
BLOCK = 200  # ways of one territory


def make_day(legs: int, volunteers: int, seed: int) -> Day:
    """Territories in a square, each with its share of people; needs beside seats and wheelchair places are left out."""
    blocks = max(1, round(legs / BLOCK))
    width = math.ceil(math.sqrt(blocks))
    requests: list[Request] = []
    drivers: list[Driver] = []
    for block in range(blocks):
        n, v = legs // blocks, volunteers // blocks
        made = rural(n, v, seed * 1000 + block)
        corner = np.array([block % width, block // width]) * 60.0
        points = (made.plane + corner) / KM_PER_DEGREE
        requests += [_request(f"r{block}-{r}", made, points, r, arrives=bool(made.arrives[r])) for r in range(n)]
        for d in range(v):
            home = 2 * n + d
            span = (_clock(made.early[home]), _clock(made.late[home]))
            drivers.append(
                Driver(
                    id=f"d{block}-{d}",
                    home=_point(points[home]),
                    shifts=(span,),
                    seats=int(made.capacity[d, 0]),
                    wheelchair_places=int(made.capacity[d, 1]),
                    max_km=float(made.max_length[d]) / 1000,
                    max_duty_minutes=int(made.max_duty[d]) // 60,
                )
            )
    policy = Policy(wait_cents_per_minute=0, snap_limit_metres=10_000)
    return Day(date=dt.date(2026, 11, 24), drivers=tuple(drivers), requests=tuple(requests), policy=policy)


def _request(name: str, made: Any, points: Any, r: int, *, arrives: bool) -> Request:
    n = made.n
    times: dict[str, Any] = {"arrive_by": _clock(made.late[n + r])} if arrives else {"depart_after": _clock(made.early[r])}
    window = made.late[n + r] - made.early[n + r] if arrives else made.late[r] - made.early[r]
    return Request(
        id=name,
        beneficiary=name,
        origin=_point(points[r]),
        destination=_point(points[n + r]),
        window_minutes=int(window) // 60,
        seats=int(made.demand[r].sum()),
        wheelchair=bool(made.demand[r, 1]),
        load_minutes=int(made.service[r]) // 60,
        unload_minutes=int(made.service[n + r]) // 60,
        **times,
    )


def _point(xy: Any) -> LonLat:
    return round(float(xy[0]), 6), round(float(xy[1]), 6)


def _clock(second: int) -> str:
    minute = min(24 * 60, max(0, int(second) // 60))
    return f"{minute // 60:02d}:{minute % 60:02d}"


def plane_roads(points: Sequence[LonLat]) -> Matrices:
    """Straight lines x 1.3."""
    xy = np.array(points).reshape(-1, 2) * KM_PER_DEGREE
    km = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)) * 1.3
    times = np.rint(km / 55 * 3600).astype(np.int64) + np.where(km > 0.05, 60, 0)
    return Matrices(times, np.rint(km * 1000).astype(np.int64))


def run_day(legs: int, volunteers: int, seed: int, seconds: float, cell_legs: int | None = None) -> dict[str, Any]:
    """One row."""
    day = make_day(legs, volunteers, seed)
    with _Memory() as memory:
        began = time.monotonic()
        more = {} if cell_legs is None else {"cell_legs": cell_legs}
        found = plan_large_day(day, plane_roads, SolveParams(seconds=seconds, seed=seed), **more)
        took = time.monotonic() - began
    for told in found.rounds:
        print("  round", told, flush=True)
    summary = found.plan.summary
    return {
        "instance": f"day-{legs}x{volunteers}-{seed}",
        "solver": "allons",
        "seed": seed,
        "seconds": round(took, 2),
        "unserved": summary.unserved,
        "vehicles": len(found.plan.runs),
        "length": summary.km_total,
        "illegal": ", ".join(sorted({violation.code for violation in found.violations})),
        "rounds": found.rounds,
        "memory_mib": round(memory.peak / 2**20),
    }


class _Memory:
    """The most memory that this process and its children have held together (proportional set size, looked at ten times a second)."""

    def __enter__(self) -> "_Memory":
        self.peak, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, sum(_held(pid) for pid in _family()))


def _family() -> list[str]:
    """This process and all below it."""
    parents: dict[str, str] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parents[stat.parent.name] = text.rpartition(")")[2].split()[1]
    mine = [str(Path("/proc/self").resolve().name)]
    for pid in mine:
        mine += [child for child, parent in parents.items() if parent == pid]
    return mine


def _held(pid: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
