"""Exact timing and cost of one route (docs/planning-problem.md, sections 3 and 4).

In: the arrays of a problem and the stops of one shift. Out: the least schedule, or the proof that there is none.
Numba kernels, called by insertion, search and by `solve` when a plan is written down.

The constraints are differences: start[k+1] >= start[k] + service + drive, start[drop] <= start[pick] + service + limit,
and one window per stop. Their least solution is found by forward passes with a jump back at every broken ride limit;
a feasible system of m stops settles within m/2 + 1 rounds (each round fixes at least one more backward arc of the longest
path: Bellman 1958, doi:10.1090/qam/102435), so running longer proves that there is a positive cycle. Nothing is capped.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from dispatch.planning.problem import NO_LIMIT, Arrays, IntArray

#: Kernels neither allocate nor keep arrays, and are compiled without reference counts: numba would count a reference to every array of a
#: tuple at every call and every pass of a loop, which took nine tenths of the search's time (numba 0.68).
kernel: Any = cast("Any", njit)(cache=True, _nrt=False)  # numba knows these options, its types do not
#: For those that only kernels call: without the entry from Python, whose many arrays take long to compile.
inner: Any = cast("Any", njit)(cache=True, no_cpython_wrapper=True, _nrt=False)
#: For the hottest of those: written into their callers, whatever the compiler thinks of their size.
woven: Any = cast("Any", njit)(cache=True, no_cpython_wrapper=True, _nrt=False, forceinline=True)
CENT = 1000  # costs are thousandths of a cent, so that metres x cents/km stays whole


@woven
def draw(random: npt.NDArray[np.uint64]) -> float:
    """Uniform in [0, 1)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@kernel
def fits_car(p: Arrays, driver: int, route: IntArray, m: int) -> bool:
    """Whether loads stay within the car at every moment, and nobody who rides alone has company. O(m)."""
    seats = chairs = boot = aboard = lonely = 0
    for k in range(m):
        leg = route[k] >> 1
        sign = -1 if route[k] & 1 else 1
        seats += sign * p.demand[leg, 0]
        chairs += sign * p.demand[leg, 1]
        boot += sign * p.demand[leg, 2]
        aboard += sign
        lonely += sign * int(p.alone[leg])
        if seats > p.capacity[driver, 0] or chairs > p.capacity[driver, 1] or boot > p.capacity[driver, 2]:
            return False
        if lonely > 0 and aboard > 1:
            return False
    return True


@kernel
def least_schedule(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray) -> bool:
    """Fill start[0:m] with the least service starts, and picked[leg] with the position of each pickup; False when no schedule is legal.

    A pickup that was promised with this driver is not moved earlier than the promise allows, unless there is no other way.
    O(m) usually, O(m^2) at worst. `picked` is scratch of one entry per leg.
    """
    driver, promised, aboard = p.shift_driver[shift], False, 0
    for k in range(m):
        stop = route[k]
        start[k] = p.early[stop]
        if start[k] > p.late[stop]:
            return False
        if stop & 1 == 0:
            picked[stop >> 1] = k
            if p.waits[stop >> 1] and not has_waited(p, route, k, picked, aboard):
                return False
            aboard += 1
            if p.told_driver[stop >> 1] == driver and p.told_pickup[stop >> 1] - p.rates[4] > start[k]:
                start[k] = min(p.late[stop], p.told_pickup[stop >> 1] - p.rates[4])
                promised = True
        else:
            aboard -= 1
    if settle_route(p, shift, route, m, start, picked):
        return True
    if promised:
        for k in range(m):
            start[k] = p.early[route[k]]
        return settle_route(p, shift, route, m, start, picked)
    return False


@woven
def has_waited(p: Arrays, route: IntArray, k: int, picked: IntArray, aboard: int) -> bool:
    """Whether the way back that begins at position k comes right after the way there, nobody else aboard; or that is not before it."""
    there = p.partner[route[k] >> 1]
    before = 0 <= picked[there] < k and route[picked[there]] == 2 * there
    return not before or (aboard == 0 and route[k - 1] == 2 * there + 1)


@woven
def settle_route(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray) -> bool:
    """Raise starts until every difference constraint holds; False when none can."""
    low = 0
    for _ in range(m // 2 + 3):
        if not _drive_on(p, shift, route, m, start, low):
            return False
        low = _pull_up(p, shift, route, m, start, picked)
        if low == m:
            return True
        if low < 0:
            return False
    return False


@woven
def may_drive(p: Arrays, leg: int, shift: int) -> bool:
    """Whether needs, refusals and locks leave this leg to this shift."""
    fixed = p.run_of[leg]
    return bool(p.allowed[leg, p.shift_driver[shift]]) and (fixed == shift or (fixed < 0 and not p.closed[shift]))


@woven
def _drive_on(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, low: int) -> bool:
    """Raise starts from position `low` on by the drives between them; False past a window or the shift's end."""
    if m == 0:
        return True
    home = p.home[p.shift_driver[shift]]
    if low == 0:
        start[0] = max(start[0], p.shift_from[shift] + p.times[p.begin[shift], p.place[route[0]]])
        if start[0] > p.late[route[0]]:
            return False
    for k in range(max(low, 1), m):
        before, stop = route[k - 1], route[k]
        arrive = start[k - 1] + p.service[before] + p.times[p.place[before], p.place[stop]]
        if arrive > start[k]:
            if arrive > p.late[stop]:
                return False
            start[k] = arrive
    last = route[m - 1]
    return bool(start[m - 1] + p.service[last] + p.times[p.place[last], home] <= p.shift_to[shift])


@woven
def _pull_up(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray) -> int:
    """Raise pickups that would ride too long, and the departure of a duty that would last too long.

    Returns the first position that was raised, m when none was, -1 when one passed its window.
    """
    low = m
    if m > 0 and p.max_duty[shift] < NO_LIMIT:
        home, first, last = p.home[p.shift_driver[shift]], route[0], route[m - 1]
        back = start[m - 1] + p.service[last] + p.times[p.place[last], home]
        need = back - p.max_duty[shift] + p.times[p.begin[shift], p.place[first]]
        if need > start[0]:
            if need > p.late[first]:
                return -1
            start[0] = need
            low = 0
    for k in range(m):
        stop = route[k]
        if stop & 1:
            need = start[k] - p.ride_limit[stop >> 1] - p.service[stop - 1]
            q = picked[stop >> 1]
            if need > start[q]:
                if need > p.late[stop - 1]:
                    return -1
                start[q] = need
                low = min(low, q)
    return low


@kernel
def gap(p: Arrays, driver: int, leave: int, before: int, after: int, start_after: int, frugal: bool) -> tuple[int, int, int, bool]:
    """An empty drive between two stops: (metres, waited seconds, cost, went home). The cheaper of waiting there and going home in between.

    Who is to wait for somebody there does so. `frugal` takes the shorter one instead, for drivers near their kilometre limit.
    """
    a, b, home = p.place[before], p.place[after], p.home[driver]
    metres = p.metres[a, b]
    wait = start_after - leave - p.times[a, b]
    cost = metres * p.rates[0] + wait_cost(p, wait)
    if p.waits[after >> 1] and before == 2 * p.partner[after >> 1] + 1:
        return metres, wait, cost, False
    round_trip = p.times[a, home] + p.times[home, b]
    if leave + round_trip <= start_after:
        by_home = p.metres[a, home] + p.metres[home, b]
        home_cost = by_home * p.rates[0]
        if (by_home < metres) if frugal else (home_cost < cost):
            return by_home, 0, home_cost, True
    return metres, wait, cost, False


@woven
def wait_cost(p: Arrays, wait_s: int) -> int:
    """Thousandths of a cent for one wait away from home, the free minutes taken off."""
    beyond = wait_s - p.rates[2]
    return beyond * p.rates[1] * CENT // 60 if beyond > 0 else 0


@kernel
def route_cost(
    p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray, frugal: bool
) -> tuple[int, int, int, int]:
    """(metres home to home, cost, comfort seconds, broken promises) of a route with its schedule and `picked`. O(m)."""
    driver = p.shift_driver[shift]
    home = p.home[driver]
    if m == 0:  # somebody who is out still has to come home
        back = p.metres[p.begin[shift], home]
        return back, back * p.rates[0], 0, 0
    metres = p.metres[p.begin[shift], p.place[route[0]]] + p.metres[p.place[route[m - 1]], home]
    cost = metres * p.rates[0] + p.rates[5] * CENT
    comfort = broken = aboard = 0
    for k in range(m):
        stop = route[k]
        leg = stop >> 1
        if stop & 1:
            aboard -= 1
            ride = start[k] - start[picked[leg]] - p.service[stop - 1]
            comfort += (ride - p.direct[leg]) * p.persons[leg]
        else:
            aboard += 1
            if p.told_driver[leg] >= 0:
                broken += promise_broken(p, leg, driver, start[k])
        if k + 1 < m:
            if aboard == 0:
                step, _, step_cost, _ = gap(p, driver, start[k] + p.service[stop], stop, route[k + 1], start[k + 1], frugal)
            else:
                step = p.metres[p.place[stop], p.place[route[k + 1]]]
                step_cost = step * p.rates[0]
            metres += step
            cost += step_cost
    return metres, cost, comfort, broken


@woven
def cost_within(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray, room: int) -> tuple[int, int, int, int]:
    """`route_cost` in no more than `room` metres: the cheaper gaps, or the shorter ones near the limit; metres = NO_LIMIT when too far."""
    for attempt in range(2):
        figures = route_cost(p, shift, route, m, start, picked, attempt == 1)
        if figures[0] <= room:
            return figures
    return NO_LIMIT, 0, 0, 0


@kernel
def appraise(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, picked: IntArray) -> tuple[int, int, int, int]:
    """`route_cost` within the driver's kilometres, the cheaper gaps or else the shorter ones; metres = -1 when the run is not legal.

    For runs from anywhere: who may drive whom, the car, the schedule and the limits of the volunteer are looked at, in one call. Whoever
    rides twice makes it illegal.
    """
    driver = p.shift_driver[shift]
    for k in range(m):
        picked[route[k] >> 1] = -1
    for k in range(m):
        leg = route[k] >> 1
        if route[k] & 1 == 0:
            if picked[leg] >= 0 or not may_drive(p, leg, shift):
                return -1, 0, 0, 0
            picked[leg] = k
    if m > 2 * p.max_rides[driver] or not fits_car(p, driver, route, m) or not least_schedule(p, shift, route, m, start, picked):
        return -1, 0, 0, 0
    figures = cost_within(p, shift, route, m, start, picked, p.max_metres[driver])
    return (-1, 0, 0, 0) if figures[0] == NO_LIMIT else figures


@kernel
def promise_broken(p: Arrays, leg: int, driver: int, pickup_s: int) -> int:
    """Level 2 for one served leg: 1 for another volunteer, 1 and the minutes beyond for a time moved past the tolerance."""
    if p.told_driver[leg] < 0:
        return 0
    broken = 0 if p.told_driver[leg] == driver else 1
    moved = max(p.told_pickup[leg] - pickup_s, pickup_s - p.told_pickup[leg] - p.rates[3]) - p.rates[4]
    if moved > 0:
        broken += 1 + moved // 60
    return broken


@inner
def latest_starts(p: Arrays, shift: int, route: IntArray, m: int, latest: IntArray) -> None:
    """Fill latest[0:m] with starts that still let the rest of the route meet its windows (ride limits left aside): a filter. O(m)."""
    following = p.shift_to[shift]
    place = p.home[p.shift_driver[shift]]
    for k in range(m - 1, -1, -1):
        stop = route[k]
        following = min(p.late[stop], following - p.times[p.place[stop], place] - p.service[stop])
        latest[k] = following
        place = p.place[stop]


def figures(p: Arrays, shift: int, route: list[int], *, frugal: bool) -> tuple[int, int, int, int]:
    """`route_cost` of a legal route by its least schedule; ValueError when it has none."""
    start, picked = np.zeros(len(route) + 1, np.int64), np.zeros(len(p.priority) + 1, np.int64)
    stops = np.array(route or [0], np.int64)
    if not least_schedule(p, shift, stops, len(route), start, picked):
        raise ValueError(f"the route of shift {shift} has no legal schedule")
    return route_cost(p, shift, stops, len(route), start, picked, frugal)


def schedule(p: Arrays, shift: int, route: list[int]) -> IntArray | None:
    """The least schedule of a route, or None when it is not legal in time; loads are not looked at."""
    start = np.zeros(max(1, len(route)), np.int64)
    fine = least_schedule(p, shift, np.array(route or [0], np.int64), len(route), start, np.zeros(len(p.priority) + 1, np.int64))
    return start[: len(route)] if fine else None
