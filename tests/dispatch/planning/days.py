"""Small random days on a flat country, and their problems: shared by the planner's tests."""

import datetime as dt
from typing import Any

import numpy as np

from dispatch.model.day import Day, Driver, Promise, Request
from dispatch.planning.problem import Matrices, Problem, build_problem, day_points

KM_PER_DEGREE = 80.0
DATE = dt.date(2026, 11, 24)


def plane_matrices(day: Day, km_per_hour: float = 50.0) -> Matrices:
    """Straight roads, one minute to start; coordinates are read as kilometres over 80."""
    points = np.array(day_points(day), np.float64).reshape(-1, 2) * KM_PER_DEGREE
    km = np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(-1)) * 1.2
    seconds = np.ceil(km / km_per_hour * 3600 + 60 * (km > 0.01)).astype(np.int64)
    return Matrices(seconds, np.ceil(km * 1000).astype(np.int64))


def plane_problem(day: Day) -> Problem:
    """The problem of a day on straight roads."""
    return build_problem(day, plane_matrices(day))


def clock(minutes: int) -> str:
    """Minutes since midnight as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def make_day(**parts: Any) -> Day:
    """A day of the test date."""
    return Day(**({"date": DATE, "drivers": (), "requests": ()} | parts))


def driver(name: str = "d", **parts: Any) -> Driver:
    """A volunteer at the origin, free all day."""
    return Driver(**({"id": name, "home": (0.0, 0.0), "shifts": (("08:00", "18:00"),)} | parts))


def ask(name: str = "r", **parts: Any) -> Request:
    """A request of eight kilometres, to arrive by ten."""
    base: dict[str, Any] = {"id": name, "beneficiary": f"b-{name}", "origin": (0.1, 0.0), "destination": (0.2, 0.0)}
    if "depart_after" not in parts:
        base["arrive_by"] = "10:00"
    return Request(**(base | parts))


def random_day(seed: int, requests: int = 12, drivers: int = 5, side_km: float = 25.0) -> Day:
    """Everything that a day may hold: returns, companions, chairs, needs, refusals, limits, several shifts, promises and locks."""
    rng = np.random.default_rng(seed)

    def point() -> tuple[float, float]:
        x, y = rng.uniform(0, side_km / KM_PER_DEGREE, 2)
        return round(float(x), 5), round(float(y), 5)

    asks = []
    for k in range(requests):
        at = int(rng.integers(8 * 60, 17 * 60) // 5 * 5)
        parts: dict[str, Any] = {"arrive_by": clock(at)} if rng.random() < 0.7 else {"depart_after": clock(at)}
        if rng.random() < 0.6:
            parts |= {"return_after": clock(at + int(rng.integers(20, 150))), "return_window_minutes": int(rng.integers(10, 60))}
        asks.append(
            ask(
                f"r{k}",
                origin=point(),
                destination=point(),
                window_minutes=int(rng.integers(5, 60)),
                seats=int(rng.integers(1, 4)),
                wheelchair=bool(rng.random() < 0.15),
                boot=int(rng.integers(0, 3)),
                needs=("low_step",) if rng.random() < 0.2 else (),
                alone=bool(rng.random() < 0.15),
                priority=int(rng.integers(1, 4)),
                one_way_ok=bool(rng.random() < 0.3),
                same_driver="require" if rng.random() < 0.2 else "prefer",
                max_ride_minutes=int(rng.integers(20, 60)) if rng.random() < 0.2 else None,
                refuses=(f"d{rng.integers(drivers)}",) if rng.random() < 0.2 else (),
                prefers_driver=f"d{rng.integers(drivers)}" if rng.random() < 0.2 else None,
                **parts,
            )
        )
    people = []
    for k in range(drivers):
        begin = int(rng.integers(7 * 60, 10 * 60))
        shifts = ((clock(begin), clock(begin + int(rng.integers(180, 600)))),)
        if rng.random() < 0.4:
            shifts = ((clock(begin), clock(begin + 180)), (clock(begin + 240), clock(begin + 540)))
        people.append(
            driver(
                f"d{k}",
                home=point(),
                shifts=shifts,
                seats=int(rng.integers(2, 5)),
                wheelchair_places=int(rng.random() < 0.4),
                max_km=float(rng.integers(40, 200)) if rng.random() < 0.5 else None,
                max_rides=int(rng.integers(1, 8)) if rng.random() < 0.3 else None,
                max_duty_minutes=int(rng.integers(60, 300)) if rng.random() < 0.3 else None,
                accepts_needs=("low_step",) if rng.random() < 0.6 else (),
                knows=(f"b-r{rng.integers(requests)}",),
                recent_rides=int(rng.integers(0, 20)),
            )
        )
    promises = tuple(
        Promise(
            request=r.id,
            leg="outbound",
            driver=f"d{rng.integers(drivers)}",
            pickup_at=clock(int(r.arrive_by[:2]) * 60 + int(r.arrive_by[3:]) - 40),
            lock=str(rng.choice(["none", "driver", "time", "both"])),
        )
        for r in asks
        if r.arrive_by and rng.random() < 0.15
    )
    return make_day(drivers=tuple(people), requests=tuple(asks), promises=promises)
