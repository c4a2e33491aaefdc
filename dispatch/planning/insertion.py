"""Routes in the making: best place for one leg in one route, inserting, removing, taking back.

In: the arrays of a problem and the mutable `Routes`. Numba kernels, called by `search`. Everything that a kernel changes is
backed up on first touch, so that `undo` restores the last `keep` exactly, versions included: cached insertions stay valid.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dispatch.planning.problem import NO_LIMIT, Arrays, BoolArray, IntArray
from dispatch.planning.schedule import CENT, cost_within, draw, inner, kernel, latest_starts, least_schedule, may_drive, route_cost, woven

#: Weights of the levels inside one insertion's price (COST_PRICE for a thousandth of a cent). Results are compared level by level.
COST_PRICE = 1000
COMFORT_PRICE = 1
GOODWILL_PRICE = 10
BROKEN_PRICE = 10**13
NO_PLACE = 2**62
OVERRUN = 10**6
#: An index that points nowhere; an int64 from the start, so that kernels are compiled once and not for a literal -1 too.
NOWHERE: Any = np.int64(-1)
#: Stops a route can hold: a driver with a leg every ten minutes for ten hours. A full route takes no more; it never breaks a rule.
MAX_STOPS = 120


class Routes(NamedTuple):
    """The working state. Rows [S] per shift, [D] per driver, [L] per leg; `old_` is the backup of touched shifts."""

    stops: IntArray  # [S, K]
    length: IntArray  # [S]
    start: IntArray  # [S, K] least schedule
    latest: IntArray  # [S, K] filter, see latest_starts
    aboard: IntArray  # [S, K, 5] in the car on the way to each stop, and home: seats, chairs, boot, legs, legs that ride alone
    figures: IntArray  # [S, 5] metres, cost, comfort, broken promises, least metres (`hop` between all stops)
    version: IntArray  # [S] changes whenever the shift's prospects do
    shift_of: IntArray  # [L] or -1
    metres: IntArray  # [D] sum over the driver's shifts
    rides: IntArray  # [D]
    counter: IntArray  # [1] last version given
    old_stops: IntArray
    old_length: IntArray
    old_start: IntArray
    old_latest: IntArray
    old_aboard: IntArray
    old_figures: IntArray
    old_version: IntArray
    touched: BoolArray  # [S]
    candidate: IntArray  # [K] scratch
    moments: IntArray  # [K] scratch
    picked: IntArray  # [L] scratch


def make_routes(p: Arrays) -> Routes:
    """Empty routes for every shift."""
    shifts, legs, drivers = len(p.shift_driver), len(p.priority), len(p.home)
    width = min(2 * legs, MAX_STOPS) + 2

    def grid(*more: int) -> IntArray:
        return np.zeros((shifts, width, *more), np.int64)

    def column(n: int = shifts) -> IntArray:
        return np.zeros(n, np.int64)

    def figures() -> IntArray:
        return np.zeros((shifts, 5), np.int64)

    return Routes(
        grid(), column(), grid(), grid(), grid(5), figures(), np.arange(shifts), np.full(legs, -1, np.int64), column(drivers),
        column(drivers), np.array([shifts], np.int64), grid(), column(), grid(), grid(), grid(5), figures(), column(),
        np.zeros(shifts, np.bool_), column(width), column(width), column(legs + 1),
    )  # fmt: skip


@woven
def fill(r: Routes, shift: int, i: int, j: int, leg: int) -> int:
    """Write the shift's route with the leg's pickup before position i and drop-off before position j to the scratch row."""
    m = r.length[shift]
    for k in range(i):
        r.candidate[k] = r.stops[shift, k]
    r.candidate[i] = 2 * leg
    for k in range(i, j):
        r.candidate[k + 1] = r.stops[shift, k]
    r.candidate[j + 1] = 2 * leg + 1
    for k in range(j, m):
        r.candidate[k + 2] = r.stops[shift, k]
    return m + 2


@woven
def price(p: Arrays, r: Routes, shift: int, route: IntArray, m: int, start: IntArray) -> tuple[int, int, int, int]:
    """`cost_within` what the driver's other shifts leave of the kilometres."""
    room = p.max_metres[p.shift_driver[shift]] - r.metres[p.shift_driver[shift]] + r.figures[shift, 0]
    return cost_within(p, shift, route, m, start, r.picked, room)


@woven
def hop(p: Arrays, a: int, b: int, home: int, empty: bool) -> int:
    """Least metres between two places: with nobody aboard the way home may be the shorter one."""
    metres = p.metres[a, b]
    by_home = p.metres[a, home] + p.metres[home, b]
    return by_home if empty and by_home < metres else metres


@woven
def has_room(p: Arrays, r: Routes, shift: int, k: int, leg: int, driver: int) -> bool:
    """Whether a leg may be in the car on the way to the stop at position k."""
    full = (
        r.aboard[shift, k, 0] + p.demand[leg, 0] > p.capacity[driver, 0]
        or r.aboard[shift, k, 1] + p.demand[leg, 1] > p.capacity[driver, 1]
        or r.aboard[shift, k, 2] + p.demand[leg, 2] > p.capacity[driver, 2]
    )
    return not (full or r.aboard[shift, k, 4] > 0 or (p.alone[leg] and r.aboard[shift, k, 3] > 0))


@kernel
def best_insertion(p: Arrays, r: Routes, leg: int, shift: int) -> tuple[int, int, int]:  # noqa: C901 - one pass, hot
    """Cheapest legal place of a leg in a route: (price added, i, j), price NO_PLACE where there is none.

    Cost O(m^2) pairs of positions; most are refused by room, by the time filter, or because their least kilometres cost more than the
    best place so far, before the exact O(m) schedule and cost.
    """
    none = (NO_PLACE, NOWHERE, NOWHERE)
    driver = p.shift_driver[shift]
    m = r.length[shift]
    if not may_drive(p, leg, shift) or m + 4 > r.stops.shape[1] or r.rides[driver] >= p.max_rides[driver]:
        return none
    pick, drop = 2 * leg, 2 * leg + 1
    at_pick, at_drop, home = p.place[pick], p.place[drop], p.home[driver]
    base = COST_PRICE * r.figures[shift, 1] + COMFORT_PRICE * r.figures[shift, 2] + BROKEN_PRICE * r.figures[shift, 3]
    floor = COST_PRICE * (r.figures[shift, 4] * p.rates[0] + p.rates[5] * CENT) - base  # what the route's least metres would add
    best, best_i, best_j = none
    before_i, leave = p.begin[shift], p.shift_from[shift]
    for i in range(m + 1):
        if i > 0:
            stop = r.stops[shift, i - 1]
            before_i, leave = p.place[stop], r.start[shift, i - 1] + p.service[stop]
        if leave > p.late[pick]:
            break
        now = max(p.early[pick], leave + p.times[before_i, at_pick])
        if now > p.late[pick] or not has_room(p, r, shift, i, leg, driver):
            continue
        after_i = home if i == m else p.place[r.stops[shift, i]]
        empty_i = r.aboard[shift, i, 3] == 0
        to_pick = hop(p, before_i, at_pick, home, empty_i and i > 0)
        old_i = hop(p, before_i, after_i, home, empty_i and 0 < i < m)
        now += p.service[pick]
        place = at_pick
        for j in range(i, m + 1):
            if now > p.late[drop] or (j > i and not has_room(p, r, shift, j, leg, driver)):
                break
            there = max(p.early[drop], now + p.times[place, at_drop])
            end = p.shift_to[shift] if j == m else r.latest[shift, j]
            following = home if j == m else p.place[r.stops[shift, j]]
            if there <= p.late[drop] and there + p.service[drop] + p.times[at_drop, following] <= end:
                empty_j = r.aboard[shift, j, 3] == 0
                more = to_pick - old_i + p.metres[place, at_drop] + hop(p, at_drop, following, home, empty_j and j < m)
                if j > i:
                    more += p.metres[at_pick, after_i] - hop(p, place, following, home, empty_j and j < m)
                if floor + COST_PRICE * more * p.rates[0] < best:
                    size = fill(r, shift, i, j, leg)
                    if least_schedule(p, shift, r.candidate, size, r.moments, r.picked):
                        metres, cost, comfort, broken = price(p, r, shift, r.candidate, size, r.moments)
                        added = COST_PRICE * cost + COMFORT_PRICE * comfort + BROKEN_PRICE * broken - base
                        if metres < NO_LIMIT and added < best:
                            best, best_i, best_j = added, i, j
            if j < m:
                stop = r.stops[shift, j]
                now = max(p.early[stop], now + p.times[place, p.place[stop]])
                if now > r.latest[shift, j]:
                    break
                now += p.service[stop]
                place = p.place[stop]
    return best, best_i, best_j


@inner
def random_insertion(p: Arrays, r: Routes, leg: int, shift: int, random: Any) -> tuple[int, int]:
    """Any legal place of a leg in a route, each as likely; NOWHERE without one. For what no cheapest place leads to. O(m^3)."""
    driver, m = p.shift_driver[shift], r.length[shift]
    found = 0
    at_i, at_j = NOWHERE, NOWHERE
    if not may_drive(p, leg, shift) or m + 4 > r.stops.shape[1] or r.rides[driver] >= p.max_rides[driver]:
        return at_i, at_j
    for i in range(m + 1):
        if not has_room(p, r, shift, i, leg, driver):
            continue
        for j in range(i, m + 1):
            if j > i and not has_room(p, r, shift, j, leg, driver):
                break
            size = fill(r, shift, i, j, leg)
            legal = least_schedule(p, shift, r.candidate, size, r.moments, r.picked)
            if legal and price(p, r, shift, r.candidate, size, r.moments)[0] < NO_LIMIT:
                found += 1
                if draw(random) * found < 1.0:
                    at_i, at_j = i, j
    return at_i, at_j


@woven
def goodwill_added(p: Arrays, r: Routes, leg: int, driver: int, same_driver_bonus: int) -> int:
    """Level 5 of giving one more leg to a driver: the step of the convex load, less what is gained by known faces."""
    units = 2 * (p.recent_rides[driver] + r.rides[driver]) + 1 - p.bond[leg, driver]
    partner = p.partner[leg]
    if partner >= 0 and r.shift_of[partner] >= 0 and p.shift_driver[r.shift_of[partner]] == driver:
        units -= same_driver_bonus
    return units


@kernel
def refresh(p: Arrays, r: Routes, shift: int) -> None:
    """Recompute schedule, loads and figures of a route, and the driver's sums.

    Taking a leg out can make the rest illegal where roads break the triangle inequality (a private way may be used only at its ends).
    Such a route carries OVERRUN broken promises until it is mended, so that it is never the best.
    """
    m = r.length[shift]
    driver = p.shift_driver[shift]
    legal = least_schedule(p, shift, r.stops[shift], m, r.start[shift], r.picked)
    latest_starts(p, shift, r.stops[shift], m, r.latest[shift])
    metres, cost, comfort, broken = price(p, r, shift, r.stops[shift], m, r.start[shift])
    too_far = metres == NO_LIMIT
    if too_far:
        metres, cost, comfort, broken = route_cost(p, shift, r.stops[shift], m, r.start[shift], r.picked, too_far)
        legal = False
    r.metres[driver] += metres - r.figures[shift, 0]
    r.figures[shift, 0], r.figures[shift, 1], r.figures[shift, 2] = metres, cost, comfort
    r.figures[shift, 3] = broken if legal else broken + OVERRUN
    r.figures[shift, 4] = _fill_aboard(p, r, shift, m, p.home[driver])


@inner
def _fill_aboard(p: Arrays, r: Routes, shift: int, m: int, home: int) -> int:
    """Loads on the way to each stop and home; returns the least metres of the route."""
    load = r.aboard[shift]
    load[0] = 0
    least, place = 0, p.begin[shift]
    for k in range(m):
        stop = r.stops[shift, k]
        least += hop(p, place, p.place[stop], home, k > 0 and load[k, 3] == 0)
        place = p.place[stop]
        leg = stop >> 1
        sign = -1 if stop & 1 else 1
        for d in range(3):
            load[k + 1, d] = load[k, d] + sign * p.demand[leg, d]
        load[k + 1, 3] = load[k, 3] + sign
        load[k + 1, 4] = load[k, 4] + sign * int(p.alone[leg])
    return least + p.metres[place, home]


@inner
def touch(p: Arrays, r: Routes, shift: int) -> None:
    """Back up every shift of this driver once, and give each a new version: their kilometres and rides hang together."""
    driver = p.shift_driver[shift]
    first = shift
    while first > 0 and p.shift_driver[first - 1] == driver:
        first -= 1
    s = first
    while s < len(p.shift_driver) and p.shift_driver[s] == driver:
        if not r.touched[s]:
            r.touched[s] = True
            r.old_length[s] = r.length[s]
            r.old_version[s] = r.version[s]
            _copy(r.length[s], r.stops[s], r.start[s], r.latest[s], r.aboard[s], r.figures[s],
                  r.old_stops[s], r.old_start[s], r.old_latest[s], r.old_aboard[s], r.old_figures[s])  # fmt: skip
        r.counter[0] += 1
        r.version[s] = r.counter[0]
        s += 1


@inner
def _copy(
    m: int,
    stops: IntArray,
    start: IntArray,
    latest: IntArray,
    aboard: IntArray,
    figures: IntArray,
    to_stops: IntArray,
    to_start: IntArray,
    to_latest: IntArray,
    to_aboard: IntArray,
    to_figures: IntArray,
) -> None:
    """One shift's rows from one place to the other."""
    for k in range(m):
        to_stops[k], to_start[k], to_latest[k] = stops[k], start[k], latest[k]
    for k in range(m + 1):
        for d in range(5):
            to_aboard[k, d] = aboard[k, d]
    for k in range(5):
        to_figures[k] = figures[k]


@kernel
def insert(p: Arrays, r: Routes, leg: int, shift: int, i: int, j: int) -> None:
    """Put a leg where `best_insertion` found its place."""
    touch(p, r, shift)
    size = fill(r, shift, i, j, leg)
    for k in range(size):
        r.stops[shift, k] = r.candidate[k]
    r.length[shift] = size
    r.shift_of[leg] = shift
    r.rides[p.shift_driver[shift]] += 1
    refresh(p, r, shift)


@kernel
def remove(p: Arrays, r: Routes, leg: int) -> None:
    """Take a served leg out of its route."""
    shift = r.shift_of[leg]
    strip(p, r, leg)
    refresh(p, r, shift)


@inner
def strip(p: Arrays, r: Routes, leg: int) -> None:
    """`remove`, without the figures of what is left: for several legs, before one `refresh`."""
    shift = r.shift_of[leg]
    touch(p, r, shift)
    w = 0
    for k in range(r.length[shift]):
        stop = r.stops[shift, k]
        if stop >> 1 != leg:
            r.stops[shift, w] = stop
            w += 1
    r.length[shift] = w
    r.shift_of[leg] = -1
    r.rides[p.shift_driver[shift]] -= 1


@kernel
def keep(r: Routes) -> None:
    """Forget the backup: what is there now is the state to return to."""
    r.touched[:] = False


@kernel
def undo(p: Arrays, r: Routes) -> None:
    """Return to the state of the last `keep`. O(stops of the touched shifts)."""
    for s in range(len(r.touched)):
        if r.touched[s]:
            driver = p.shift_driver[s]
            for k in range(r.length[s]):
                stop = r.stops[s, k]
                if stop & 1 == 0:
                    r.shift_of[stop >> 1] = -1
                    r.rides[driver] -= 1
    for s in range(len(r.touched)):
        if r.touched[s]:
            driver = p.shift_driver[s]
            r.touched[s] = False
            r.metres[driver] += r.old_figures[s, 0] - r.figures[s, 0]
            r.length[s] = r.old_length[s]
            r.version[s] = r.old_version[s]
            _copy(r.length[s], r.old_stops[s], r.old_start[s], r.old_latest[s], r.old_aboard[s], r.old_figures[s],
                  r.stops[s], r.start[s], r.latest[s], r.aboard[s], r.figures[s])  # fmt: skip
            for k in range(r.length[s]):
                if r.stops[s, k] & 1 == 0:
                    r.shift_of[r.stops[s, k] >> 1] = s
                    r.rides[driver] += 1


def load_routes(p: Arrays, r: Routes, routes: Sequence[Sequence[int]]) -> bool:
    """Replace everything by routes from elsewhere, one per shift; False, with nothing changed, when one has too many stops. O(stops)."""
    if any(len(route) > min(MAX_STOPS, r.stops.shape[1]) for route in routes):
        return False
    for column in (r.length, r.metres, r.rides, r.figures, r.touched):
        column[:] = 0
    r.shift_of[:] = -1
    for shift, route in enumerate(routes):
        r.length[shift] = len(route)
        r.stops[shift, : len(route)] = route
        for stop in route:
            if stop % 2 == 0:
                r.shift_of[stop // 2] = shift
                r.rides[p.shift_driver[shift]] += 1
        refresh(p, r, shift)
    r.counter[0] += 1
    r.version[:] = r.counter[0] + np.arange(len(r.version))
    r.counter[0] += len(r.version)
    return True
