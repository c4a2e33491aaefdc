"""Small random days on a flat country, and their problems: shared by the planner's tests."""

import datetime as dt
from typing import Any

import numpy as np

from dispatch.model.day import Day, Driver, Policy, Promise, Request
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
    asks = _some_wait(asks)
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
                preferred_by=(f"b-r{k}",),
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


def small_day(seed: int) -> Day:
    """Two to four legs and one to three volunteers, close together in time and place: every rule bites, and brute force can still judge."""
    rng = np.random.default_rng((7, seed))
    side = float(rng.choice([6.0, 12.0, 25.0]))
    spots = [tuple(round(float(x), 5) for x in rng.uniform(0, side / KM_PER_DEGREE, 2)) for _ in range(int(rng.integers(4, 9)))]
    span = int(rng.choice([20, 90, 240]))
    people = int(rng.integers(1, 4))

    def point() -> tuple[float, float]:
        x, y = spots[int(rng.integers(len(spots)))]  # the same doors come back, as they do: a surgery, a shop
        return x, y

    def flip(share: float) -> bool:
        return bool(rng.random() < share)

    def somebody() -> str:
        return f"d{rng.integers(people)}"

    asks: list[Request] = []
    left = int(rng.integers(2, 5))
    while left > 0:
        parts, ways = _small_wish(rng, span, left)
        left -= ways
        asks.append(
            ask(
                f"r{len(asks)}",
                origin=point(),
                destination=point(),
                window_minutes=int(rng.choice([0, 15, 30, 60, 120])),
                seats=int(rng.choice([1, 1, 1, 2])),
                wheelchair=flip(0.08),
                boot=int(rng.integers(0, 3)),
                needs=("low_step",) if flip(0.08) else (),
                alone=flip(0.12),
                load_minutes=int(rng.integers(0, 6)),
                unload_minutes=int(rng.integers(0, 4)),
                priority=int(rng.choice([1, 1, 2, 5])),
                one_way_ok=flip(0.4),
                same_driver="require" if flip(0.35) else "prefer",
                max_ride_minutes=int(rng.integers(10, 60)) if flip(0.2) else None,
                refuses=(somebody(),) if flip(0.08) else (),
                prefers_driver=somebody() if flip(0.2) else None,
                requires_driver=somebody() if flip(0.03) else None,
                **parts,
            )
        )
    return make_day(
        policy=Policy(
            ride_factor=float(rng.choice([1.0, 1.5, 2.0])),
            ride_extra_minutes=int(rng.choice([0, 15, 30, 60])),
            cents_per_run=int(rng.choice([0, 0, 400])),
            wait_cents_per_minute=int(rng.choice([0, 3, 30])),
            free_wait_minutes=int(rng.choice([0, 15])),
            told_rounding_minutes=int(rng.choice([1, 5, 15])),
            promise_tolerance_minutes=int(rng.choice([0, 5, 10])),
        ),
        drivers=tuple(_small_driver(rng, k, point(), side) for k in range(people)),
        requests=tuple(_some_wait(asks)),
        promises=_small_promises(rng, asks, people) if flip(0.4) else (),
    )


def _some_wait(asks: list[Request]) -> list[Request]:
    """Of every second one who needs the same volunteer both ways, that volunteer waits."""
    return [request.model_copy(update={"wait": request.same_driver == "require" and k % 2 == 0}) for k, request in enumerate(asks)]


def _small_wish(rng: np.random.Generator, span: int, left: int) -> tuple[dict[str, Any], int]:
    """When somebody wants to travel, and how many ways that makes."""
    at = 10 * 60 + int(rng.integers(0, span + 1))
    parts: dict[str, Any] = {"arrive_by": clock(at)} if rng.random() < 0.6 else {"depart_after": clock(at)}
    if left < 2 or rng.random() < 0.45:
        return parts, 1
    back = {"return_after": clock(at + int(rng.integers(5, 150))), "return_window_minutes": int(rng.choice([0, 15, 45, 90]))}
    return parts | back, 2


def _small_driver(rng: np.random.Generator, k: int, home: tuple[float, float], side_km: float) -> Driver:
    begin = int(rng.integers(6 * 60, 10 * 60))
    end = begin + int(rng.integers(150, 700))
    shifts = ((clock(begin), clock(end)),)
    if rng.random() < 0.3:
        middle = (begin + end) // 2
        shifts = ((clock(begin), clock(middle)), (clock(middle + int(rng.integers(0, 20))), clock(end + 60)))
    return driver(
        f"d{k}",
        home=home,
        shifts=shifts,
        seats=int(rng.choice([1, 2, 3, 4, 4])),
        wheelchair_places=int(rng.random() < 0.6),
        boot=int(rng.integers(2, 6)),
        max_km=float(rng.integers(int(side_km), 20 + int(5 * side_km))) if rng.random() < 0.4 else None,
        max_rides=int(rng.integers(1, 5)) if rng.random() < 0.25 else None,
        max_duty_minutes=int(rng.integers(60, 400)) if rng.random() < 0.3 else None,
        accepts_needs=("low_step",) if rng.random() < 0.7 else (),
        refuses=("b-r0",) if rng.random() < 0.05 else (),
        knows=(f"b-r{rng.integers(4)}",),
        recent_rides=int(rng.integers(0, 20)),
    )


def _small_promises(rng: np.random.Generator, asks: list[Request], people: int) -> tuple[Promise, ...]:
    """Told before, sensibly or not: minutes or an hour off what is possible today."""
    promises = []
    for request in asks:
        moments = {"outbound": request.arrive_by or request.depart_after, "return": request.return_after}
        for direction, moment in moments.items():
            if moment is not None and rng.random() < 0.5:
                early = 30 if direction == "outbound" and request.arrive_by else -10
                at = int(moment[:2]) * 60 + int(moment[3:]) - early + int(rng.integers(-25, 26))
                lock = str(rng.choice(["none", "none", "driver", "time", "both"]))
                promises.append(
                    Promise(request=request.id, leg=direction, driver=f"d{rng.integers(people)}", pickup_at=clock(at), lock=lock)
                )
    return tuple(promises)
