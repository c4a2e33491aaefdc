"""A day and its road matrices become integer arrays: the only place where ids turn into indices and times into seconds.

In: a `Day`, and `Matrices` over `day_points(day)`. Out: a `Problem`, read by search, baseline and checker alike.
Called by `dispatch.engine.plan_day`. Section numbers refer to docs/planning-problem.md.

A *leg* l has two *stops*: 2l is its pickup, 2l + 1 its drop-off. A *shift* s is one span of one driver; a route is the
list of stops of one shift. Times are seconds since the service day's start, lengths metres.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.model.clock import day_start, to_instant
from dispatch.model.day import Day, Direction, Driver, Policy, Promise, Request
from dispatch.planning.present import apply_present

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

UNREACHABLE = 2**30 - 1
NO_LIMIT = 2**60
LonLat = tuple[float, float]


class Matrices(NamedTuple):
    """Road times and lengths between the points of a day; UNREACHABLE where there is no road."""

    times: IntArray  # [i, j] seconds from i to j, rounded up
    metres: IntArray  # [i, j] of the same fastest path


class Arrays(NamedTuple):
    """The part of a problem that numba kernels read. Shapes: L legs, 2L stops, D drivers, S shifts, N points."""

    times: npt.NDArray[np.int32]  # [N, N] int32: half the memory that the search runs through
    metres: npt.NDArray[np.int32]  # [N, N]
    place: IntArray  # [2L] point of each stop
    early: IntArray  # [2L] service starts at or after
    late: IntArray  # [2L] service starts at or before
    service: IntArray  # [2L] seconds of loading or unloading
    demand: IntArray  # [L, 3] seats, wheelchair places, boot units
    alone: BoolArray  # [L]
    persons: IntArray  # [L]
    ride_limit: IntArray  # [L] from the end of loading to the start of unloading
    direct: IntArray  # [L]
    priority: IntArray  # [L]
    partner: IntArray  # [L] the other way of the same request, or -1
    both_or_none: BoolArray  # [L]
    same_driver: BoolArray  # [L] both ways must have the same driver
    waits: BoolArray  # [L] ways back for which the volunteer waits there: in one route nothing comes between the two ways
    allowed: BoolArray  # [L, D]
    bond: IntArray  # [L, D] goodwill of this pair: known, preferred
    told_driver: IntArray  # [L] or -1
    told_pickup: IntArray  # [L] meaningful where told_driver >= 0
    locked: BoolArray  # [L]
    run_of: IntArray  # [L] the shift whose locked or started run this leg belongs to, or -1
    home: IntArray  # [D] point
    capacity: IntArray  # [D, 3]
    max_metres: IntArray  # [D] or NO_LIMIT
    max_rides: IntArray  # [D] or NO_LIMIT
    recent_rides: IntArray  # [D]
    shift_driver: IntArray  # [S]
    begin: IntArray  # [S] point: home, or where a started run is
    closed: BoolArray  # [S] a locked run: nobody joins it
    shift_from: IntArray  # [S]
    shift_to: IntArray  # [S]
    max_duty: IntArray  # [S] seconds from leaving home to being back for good, or NO_LIMIT
    rates: IntArray  # [6] cents/km, waiting cents/min, free wait s, told rounding s, promise tolerance s, cents/run


def drivable(p: Arrays, legs: Any, shifts: Any) -> Any:
    """Whether needs, refusals and locks leave legs to shifts; indices or arrays of them, which broadcast."""
    fixed = p.run_of[legs]
    return p.allowed[legs, p.shift_driver[shifts]] & ((fixed == shifts) | ((fixed < 0) & ~p.closed[shifts]))


class Leg(NamedTuple):
    """The name of a leg: its request and its direction."""

    request: str
    direction: Direction

    @property
    def id(self) -> str:
        """As it stands in plans: `r12/return`."""
        return f"{self.request}/{self.direction}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Arrays, and the names behind their indices."""

    arrays: Arrays
    legs: tuple[Leg, ...]
    drivers: tuple[str, ...]
    shift_numbers: tuple[int, ...]  # position of each shift in its driver's list
    points: tuple[LonLat, ...]
    start: dt.datetime  # UTC instant of second 0
    date: dt.date
    timezone: str
    policy: Policy
    far: tuple[bool, ...]  # per point: no road near enough
    unmet_needs: BoolArray  # [L, D] why `allowed` is False, for reasons
    refused: BoolArray  # [L, D]
    started: frozenset[int] = frozenset()  # shifts whose run is under way
    aboard: frozenset[int] = frozenset()  # legs that are in a car now


def day_points(day: Day) -> tuple[LonLat, ...]:
    """Every distinct point of a day: homes, origins, destinations, in order of first mention."""
    seen: dict[LonLat, None] = {}
    for driver in day.drivers:
        seen.setdefault(driver.home)
    for request in day.requests:
        seen.setdefault(request.origin)
        seen.setdefault(request.destination)
    for run in day.started:
        seen.setdefault(run.at)
    return tuple(seen)


def build_problem(day: Day, matrices: Matrices) -> Problem:
    """Make the arrays of a day.

    Parameters
    ----------
    day : Day
    matrices : Matrices
        Square, in the order of `day_points(day)`. A point with no road near it has UNREACHABLE in its whole row and column.

    Returns
    -------
    Problem
        Cost O(L * D + N^2).
    """
    points = day_points(day)
    index = {point: k for k, point in enumerate(points)}
    far = tuple(bool(matrices.times[k, k] >= UNREACHABLE) for k in range(len(points)))
    seconds = Seconds(day)
    legs, columns = _leg_columns(day, index, matrices.times, seconds)
    shifts = [(d, k, shift) for d, driver in enumerate(day.drivers) if not far[index[driver.home]] for k, shift in enumerate(driver.shifts)]
    unmet, refused, bond = _pair_tables(day, legs)
    allowed = ~(unmet | refused)
    told_driver, told_pickup, locked = _apply_promises(day, legs, columns, allowed, seconds)
    policy = day.policy
    drivers = day.drivers
    arrays = Arrays(
        times=np.ascontiguousarray(matrices.times, np.int32),
        metres=np.ascontiguousarray(matrices.metres, np.int32),
        **columns,
        allowed=allowed,
        bond=bond,
        told_driver=told_driver,
        told_pickup=told_pickup,
        locked=locked,
        run_of=np.full(len(legs), -1, np.int64),
        home=_ints([index[d.home] for d in drivers]),
        capacity=_ints([[d.seats, d.wheelchair_places, d.boot] for d in drivers]).reshape(len(drivers), 3),
        max_metres=_ints([NO_LIMIT if d.max_km is None else round(d.max_km * 1000) for d in drivers]),
        max_rides=_ints([NO_LIMIT if d.max_rides is None else d.max_rides for d in drivers]),
        recent_rides=_ints([d.recent_rides for d in drivers]),
        shift_driver=_ints([d for d, _, _ in shifts]),
        begin=_ints([index[drivers[d].home] for d, _, _ in shifts]),
        closed=np.zeros(len(shifts), np.bool_),
        shift_from=_ints([seconds.of(shift[0]) for _, _, shift in shifts]),
        shift_to=_ints([seconds.of(shift[1]) for _, _, shift in shifts]),
        max_duty=_ints([_duty_limit_s(drivers[d]) for d, _, _ in shifts]),
        rates=_ints(
            [
                policy.cents_per_km,
                policy.wait_cents_per_minute,
                policy.free_wait_minutes * 60,
                policy.told_rounding_minutes * 60,
                policy.promise_tolerance_minutes * 60,
                policy.cents_per_run,
            ]
        ),
    )
    numbered = {(drivers[d].id, k): s for s, (d, k, _) in enumerate(shifts)}
    started, aboard = apply_present(day, arrays, index, {leg: k for k, leg in enumerate(legs)}, numbered, seconds.of)
    return Problem(
        arrays=arrays,
        legs=legs,
        drivers=tuple(d.id for d in drivers),
        shift_numbers=tuple(k for _, k, _ in shifts),
        points=points,
        start=seconds.start,
        date=day.date,
        timezone=day.timezone,
        policy=policy,
        far=far,
        unmet_needs=unmet,
        refused=refused,
        started=started,
        aboard=aboard,
    )


def _duty_limit_s(driver: Driver) -> int:
    return NO_LIMIT if driver.max_duty_minutes is None else 60 * driver.max_duty_minutes


class Seconds:
    """Clocks of one day as seconds since its start."""

    def __init__(self, day: Day) -> None:
        self._day, self._zone = day.date, day.timezone
        self.start = day_start(day.date, day.timezone)

    def of(self, clock: str) -> int:
        return int((to_instant(self._day, clock, self._zone) - self.start).total_seconds())


def _ints(values: Sequence[object]) -> IntArray:
    return np.array(values, np.int64)


def _leg_columns(day: Day, index: dict[LonLat, int], times: IntArray, seconds: Seconds) -> tuple[tuple[Leg, ...], dict[str, Any]]:
    """Legs in the order of requests, outbound before return, and their columns of `Arrays`."""
    over = {Leg(done.request, done.leg) for done in day.over}
    legs: list[Leg] = []
    stops: list[tuple[int, int, int, int]] = []
    rows: list[tuple[int, ...]] = []
    for request in day.requests:
        here, there = index[request.origin], index[request.destination]
        ways: tuple[Direction, ...] = ("outbound",) if request.return_after is None else ("outbound", "return")
        ways = tuple(way for way in ways if Leg(request.id, way) not in over)
        two_ways = len(ways) == 2
        for direction in ways:
            a, b = (here, there) if direction == "outbound" else (there, here)
            direct = int(times[a, b])
            limit = _ride_limit_s(request, day.policy, direct)
            partner = -1 if not two_ways else len(legs) + (1 if direction == "outbound" else -1)
            legs.append(Leg(request.id, direction))
            stops += _stop_rows(request, direction, (a, b), direct, limit, seconds)
            chair = int(request.wheelchair)
            pair = (
                partner,
                two_ways and not request.one_way_ok,
                two_ways and request.same_driver == "require",
                request.wait and partner >= 0 and direction == "return",
            )
            demand = (request.seats - chair, chair, request.boot)
            rows.append((*demand, request.alone, request.seats, limit, direct, request.priority, *pair))
    stop = _ints(stops).reshape(-1, 4)
    row = _ints(rows).reshape(-1, 12)
    columns: dict[str, Any] = {
        **{name: stop[:, k].copy() for k, name in enumerate(("place", "early", "late", "service"))},
        "demand": row[:, 0:3].copy(),
        "alone": row[:, 3].astype(np.bool_),
        **{name: row[:, 4 + k].copy() for k, name in enumerate(("persons", "ride_limit", "direct", "priority", "partner"))},
        "both_or_none": row[:, 9].astype(np.bool_),
        "same_driver": row[:, 10].astype(np.bool_),
        "waits": row[:, 11].astype(np.bool_),
    }
    return tuple(legs), columns


def _ride_limit_s(request: Request, policy: Policy, direct: int) -> int:
    limit = int(max(policy.ride_factor * direct, direct + 60 * policy.ride_extra_minutes))
    return limit if request.max_ride_minutes is None else min(limit, 60 * request.max_ride_minutes)


def _stop_rows(
    request: Request, direction: Direction, ends: tuple[int, int], direct: int, limit: int, seconds: Seconds
) -> list[tuple[int, int, int, int]]:
    """(place, early, late, service) of pickup and drop-off: section 2, windows. The end that was not asked for follows."""
    load, unload = 60 * request.load_minutes, 60 * request.unload_minutes
    window = request.window_minutes * 60
    if direction == "return":
        moment = seconds.of(request.return_after or "")
        window = window if request.return_window_minutes is None else request.return_window_minutes * 60
    else:
        moment = seconds.of(request.arrive_by or request.depart_after or "")
    if direction == "outbound" and request.arrive_by is not None:
        drop = (moment - window, moment)
        pick = (drop[0] - load - limit, drop[1] - load - direct)
    else:
        pick = (moment, moment + window)
        drop = (pick[0] + load + direct, pick[1] + load + limit)
    return [(ends[0], *pick, load), (ends[1], *drop, unload)]


def _pair_tables(day: Day, legs: tuple[Leg, ...]) -> tuple[BoolArray, BoolArray, IntArray]:
    """Unmet needs, refusals of either side, and goodwill, for every leg and driver."""
    requests = {request.id: request for request in day.requests}
    agreed = {(_promised_leg(p), p.driver) for p in day.promises if p.lock != "none"}  # "not the return" leaves the way there as agreed
    shape, number = (len(legs), len(day.drivers)), {driver.id: d for d, driver in enumerate(day.drivers)}
    unmet, refused, bond = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.int64)
    ties = ("refuses", "knows", "preferred_by")
    refusing, knowing, preferring = (_by_person([getattr(driver, of) for driver in day.drivers]) for of in ties)
    cannot: dict[tuple[frozenset[str], bool], BoolArray] = {}  # what is needed -> drivers who do not have it
    for at, leg in enumerate(legs):
        request = requests[leg.request]
        needed = frozenset(request.needs), request.wheelchair
        if needed not in cannot:
            cannot[needed] = np.array([_lacks(driver, *needed) for driver in day.drivers], np.bool_)
        unmet[at] = cannot[needed]
        if request.requires_driver is not None:
            refused[at] = True
            refused[at, number.get(request.requires_driver, [])] = False
        refused[at, [number[name] for name in request.refuses if name in number and (leg, name) not in agreed]] = True
        refused[at, refusing.get(request.beneficiary, [])] = True
        bond[at, knowing.get(request.beneficiary, [])] = KNOWN_BONUS
        preferred = {*preferring.get(request.beneficiary, ()), *(number[name] for name in (request.prefers_driver,) if name in number)}
        bond[at, list(preferred)] += PREFERRED_BONUS
    for done in day.over:  # the same volunteer may be needed for the other way
        for at, leg in enumerate(legs):
            if done.driver is not None and leg.request == done.request and requests[leg.request].same_driver == "require":
                refused[at] |= np.array([driver.id != done.driver for driver in day.drivers])
    return unmet, refused, bond


def _by_person(named: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Person -> drivers who name them."""
    found: dict[str, list[int]] = {}
    for driver, people in enumerate(named):
        for person in dict.fromkeys(people):
            found.setdefault(person, []).append(driver)
    return found


def _lacks(driver: Driver, needs: frozenset[str], wheelchair: bool) -> bool:
    return not needs.issubset(driver.accepts_needs) or (wheelchair and driver.wheelchair_places == 0)


#: Level 5 counts in squared rides: a known face is worth as much as a few rides of imbalance.
KNOWN_BONUS = 8
PREFERRED_BONUS = 16
SAME_DRIVER_BONUS = 12


def ties_of(bond: int) -> tuple[bool, bool]:
    """Whether a pair's goodwill has it that they know each other, and that the person prefers this volunteer."""
    return bond % PREFERRED_BONUS > 0, bond >= PREFERRED_BONUS


def _apply_promises(
    day: Day, legs: tuple[Leg, ...], columns: dict[str, Any], allowed: BoolArray, seconds: Seconds
) -> tuple[IntArray, IntArray, BoolArray]:
    """Locks narrow `allowed` and the pickup window; promises without a lock are remembered for level 2."""
    leg_at = {leg: k for k, leg in enumerate(legs)}
    driver_at = {driver.id: k for k, driver in enumerate(day.drivers)}
    told_driver, told_pickup = np.full(len(legs), -1, np.int64), np.zeros(len(legs), np.int64)
    locked = np.zeros(len(legs), np.bool_)
    early, late = columns["early"], columns["late"]
    slack = 60 * (day.policy.promise_tolerance_minutes + day.policy.told_rounding_minutes)
    for promise in day.promises:
        if _promised_leg(promise) not in leg_at:  # over already
            continue
        leg = leg_at[_promised_leg(promise)]
        told_driver[leg] = driver_at[promise.driver]
        told_pickup[leg] = seconds.of(promise.pickup_at)
        locked[leg] = promise.lock != "none"
        if promise.lock in ("driver", "both"):
            others = np.arange(len(day.drivers)) != told_driver[leg]
            allowed[leg, others] = False
        if promise.lock in ("time", "both"):
            early[2 * leg] = max(early[2 * leg], told_pickup[leg] - 60 * day.policy.promise_tolerance_minutes)
            late[2 * leg] = min(late[2 * leg], told_pickup[leg] + slack)
    return told_driver, told_pickup, locked


def _promised_leg(promise: Promise) -> Leg:
    return Leg(promise.request, promise.leg)
