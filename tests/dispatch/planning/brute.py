"""The best plan of a day of a few legs by trying everything: every way to deal legs to shifts, every order of the stops of each.

In: the arrays of a problem. Out: the least (unserved priority, broken promises, cost) and routes that have it. It shares nothing with the
planner but the arrays of `problem.py`: docs/planning-problem.md is written down here a second time, timing and cost included, so that a
mistake in `schedule.py` shows as well as one in the search. Only what no continuation can mend is cut off: a prefix of an order that is
late, overfull, or in company where somebody rides alone.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dispatch.planning.problem import NO_LIMIT, Arrays, IntArray

MOST_LEGS = 5
#: What one order of one shift's stops is worth, as far as anything can depend on it: broken promises, then cost and metres with the cheaper
#: way in every empty gap, then cost and metres with the shorter one (for volunteers near their kilometres).
BROKEN, COST, METRES, SHORT_COST, SHORT_METRES = range(5)
ROOM = 64  # orders of one set of legs that can be worth keeping: a handful in fact; `fill_front` raises when it is not enough
LOCKED_WEIGHT = 1000  # a locked leg is served before anybody else: section 4


class Best(NamedTuple):
    """The optimum. `unserved` counts locked legs a thousandfold, as the search does."""

    unserved: int
    broken: int
    cost: int
    routes: list[list[int]]

    @property
    def levels(self) -> tuple[int, int, int]:
        """For comparison."""
        return self.unserved, self.broken, self.cost


def brute_force(p: Arrays) -> Best:
    """The best plan of a day of at most five legs."""
    legs, shifts = len(p.priority), len(p.shift_driver)
    if legs > MOST_LEGS:
        raise ValueError(f"{legs} legs are too many to try everything")
    front = np.zeros((shifts, 1 << legs, ROOM, 5), np.int64)
    orders = np.zeros((shifts, 1 << legs, ROOM, 2 * legs), np.int64)
    size = np.zeros((shifts, 1 << legs), np.int64)
    for shift in range(shifts):
        for mask in range(1 << legs):
            size[shift, mask] = fill_front(p, shift, mask, front[shift, mask], orders[shift, mask])
    levels, chosen, mask_of = np.zeros(3, np.int64), np.zeros(shifts, np.int64), np.zeros(shifts, np.int64)
    choose(p, front, size, levels, chosen, mask_of)
    routes = [orders[s, mask_of[s], chosen[s], : 2 * int(mask_of[s]).bit_count()].tolist() for s in range(shifts)]
    return Best(int(levels[0]), int(levels[1]), int(levels[2]), routes)


def levels_of(p: Arrays, routes: list[list[int]]) -> tuple[int, int, int] | None:
    """(unserved, broken, cost) of given routes, by the same reading of the rules; None when they break one."""
    legs, shifts = len(p.priority), len(p.shift_driver)
    front = np.zeros((shifts, 1 << legs, ROOM, 5), np.int64)
    size = np.zeros((shifts, 1 << legs), np.int64)
    mask_of = np.zeros(shifts, np.int64)
    start = np.zeros(2 * MOST_LEGS, np.int64)
    for s, route in enumerate(routes):
        stops = np.array(route or [0], np.int64)
        mask_of[s] = sum(1 << (stop // 2) for stop in route if stop % 2 == 0)
        fine = all(p.allowed[stop // 2, p.shift_driver[s]] for stop in route) and sorted(route) == sorted(
            stop for leg in range(legs) if int(mask_of[s]) >> leg & 1 for stop in (2 * leg, 2 * leg + 1)
        )
        fine = fine and all(may_follow(p, s, stops, k) for k in range(len(route)))
        if not fine or not find_starts(p, s, stops, len(route), start):
            return None
        worth(p, s, stops, len(route), start, front[s, mask_of[s], 0])
        size[s, mask_of[s]] = 1
    levels, masks = np.zeros(3, np.int64), mask_of.copy()
    dealt = sum(int(m).bit_count() for m in masks)
    if dealt != int(np.bitwise_or.reduce(masks, initial=0)).bit_count():
        return None  # somebody is served twice
    served = np.zeros(shifts, np.int64)
    return (int(levels[0]), int(levels[1]), int(levels[2])) if weigh(p, front, size, masks, levels, served) else None


alone_njit: Any = njit(cache=True)  # safe to cache: these kernels call nothing of the planner's, whose changes the cache would not see


@alone_njit
def may_follow(p: Arrays, shift: int, route: IntArray, k: int) -> bool:
    """Whether the first k + 1 stops can begin a legal route: order, room in the car, riding alone, the last one in time at its earliest."""
    driver = p.shift_driver[shift]
    aboard = lonely = 0
    load = np.zeros(3, np.int64)
    for q in range(k + 1):
        leg = route[q] // 2
        sign = 1
        if route[q] % 2 == 1:
            sign = -1
            there = False
            for before in range(q):
                there = there or route[before] == 2 * leg
            if not there:
                return False
        if sign > 0 and p.waits[leg]:
            for before in range(q):
                if route[before] == 2 * p.partner[leg] and (route[q - 1] != 2 * p.partner[leg] + 1 or aboard > 0):
                    return False
        aboard += sign
        lonely += sign * int(p.alone[leg])
        for d in range(3):
            load[d] += sign * p.demand[leg, d]
            if load[d] > p.capacity[driver, d]:
                return False
        if lonely > 0 and aboard > 1:
            return False
    place, now = p.home[driver], p.shift_from[shift]
    for q in range(k + 1):
        stop = route[q]
        now = max(p.early[stop], now + p.times[place, p.place[stop]])
        if now > p.late[stop]:
            return False
        now += p.service[stop]
        place = p.place[stop]
    return True


@alone_njit
def find_starts(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray) -> bool:
    """The least starts that keep every rule of time, or False: first with promised pickups no earlier than told, then without."""
    driver = p.shift_driver[shift]
    for patient in (True, False):
        for k in range(m):
            stop = route[k]
            start[k] = p.early[stop]
            if patient and stop % 2 == 0 and p.told_driver[stop // 2] == driver:
                start[k] = max(start[k], min(p.late[stop], p.told_pickup[stop // 2] - p.rates[4]))
        if raise_starts(p, shift, route, m, start):
            return True
    return False


@alone_njit
def raise_starts(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray) -> bool:
    """Raise whatever is too early until nothing is."""
    home = p.home[p.shift_driver[shift]]
    again = m > 0
    while again:
        again = False
        for k in range(m):
            stop = route[k]
            if k == 0:
                need = p.shift_from[shift] + p.times[home, p.place[stop]]
                last = route[m - 1]
                back = start[m - 1] + p.service[last] + p.times[p.place[last], home]
                if back > p.shift_to[shift]:
                    return False
                if p.max_duty[shift] < NO_LIMIT:
                    need = max(need, back - p.max_duty[shift] + p.times[home, p.place[stop]])
            else:
                need = start[k - 1] + p.service[route[k - 1]] + p.times[p.place[route[k - 1]], p.place[stop]]
            if stop % 2 == 0:
                for q in range(k + 1, m):
                    if route[q] == stop + 1:
                        need = max(need, start[q] - p.ride_limit[stop // 2] - p.service[stop])
            if need > start[k]:
                start[k] = need
                again = True
            if start[k] > p.late[stop]:
                return False
    return True


@alone_njit
def worth(p: Arrays, shift: int, route: IntArray, m: int, start: IntArray, row: IntArray) -> None:
    """Fill one row of a front (see BROKEN, COST ...)."""
    row[:] = 0
    if m == 0:
        return
    driver = p.shift_driver[shift]
    home = p.home[driver]
    per_km = p.rates[0]
    ends = p.metres[home, p.place[route[0]]] + p.metres[p.place[route[m - 1]], home]
    row[METRES] = row[SHORT_METRES] = ends
    row[COST] = row[SHORT_COST] = ends * per_km + 1000 * p.rates[5]
    aboard = 0
    for k in range(m):
        stop = route[k]
        leg = stop // 2
        aboard += 1 if stop % 2 == 0 else -1
        if stop % 2 == 0 and p.told_driver[leg] >= 0:
            row[BROKEN] += int(p.told_driver[leg] != driver)
            too_early = p.told_pickup[leg] - start[k] - p.rates[4]
            too_late = start[k] - (p.told_pickup[leg] + p.rates[3]) - p.rates[4]
            moved = max(too_early, too_late)
            if moved > 0:
                row[BROKEN] += 1 + moved // 60
        if k + 1 == m:
            break
        a, b = p.place[stop], p.place[route[k + 1]]
        metres = p.metres[a, b]
        if aboard > 0:
            for base in (COST, SHORT_COST):
                row[base] += metres * per_km
                row[base + 1] += metres
            continue
        leave, arrive = start[k] + p.service[stop], start[k + 1]
        paid = max(0, arrive - leave - p.times[a, b] - p.rates[2])
        stay = metres * per_km + paid * p.rates[1] * 1000 // 60
        round_metres = p.metres[a, home] + p.metres[home, b]
        waits = p.waits[route[k + 1] // 2] and stop == 2 * p.partner[route[k + 1] // 2] + 1
        in_time = not waits and leave + p.times[a, home] + p.times[home, b] <= arrive
        if in_time and round_metres * per_km < stay:
            row[COST] += round_metres * per_km
            row[METRES] += round_metres
        else:
            row[COST] += stay
            row[METRES] += metres
        if in_time and round_metres < metres:
            row[SHORT_COST] += round_metres * per_km
            row[SHORT_METRES] += round_metres
        else:
            row[SHORT_COST] += stay
            row[SHORT_METRES] += metres


@alone_njit
def fill_front(p: Arrays, shift: int, mask: int, front: IntArray, orders: IntArray) -> int:
    """Every legal order of these legs' stops in this shift that is not worse than another in all respects; returns how many."""
    driver = p.shift_driver[shift]
    stops = np.zeros(2 * MOST_LEGS, np.int64)
    m = 0
    for leg in range(len(p.priority)):
        if mask >> leg & 1:
            if not p.allowed[leg, driver]:
                return 0
            stops[m], stops[m + 1] = 2 * leg, 2 * leg + 1
            m += 2
    if m == 0:
        return 1  # nothing to do costs nothing
    if m // 2 > p.max_rides[driver]:
        return 0
    used = np.zeros(m, np.bool_)
    tried = np.full(m + 1, -1, np.int64)
    route, start, row = np.zeros(m, np.int64), np.zeros(m, np.int64), np.zeros(5, np.int64)
    size = depth = 0
    while depth >= 0:
        k = tried[depth]
        if k >= 0:
            used[k] = False
        k += 1
        while k < m:
            route[depth] = stops[k]
            if not used[k] and may_follow(p, shift, route, depth):
                break
            k += 1
        if k == m:  # nothing more to try here: back by one
            tried[depth] = -1
            depth -= 1
            continue
        tried[depth] = k
        used[k] = True
        if depth + 1 < m:
            depth += 1
        elif find_starts(p, shift, route, m, start):
            worth(p, shift, route, m, start, row)
            size = keep_row(row, route, front, orders, size, p.max_metres[driver] < NO_LIMIT)
    return size


@alone_njit
def keep_row(row: IntArray, route: IntArray, front: IntArray, orders: IntArray, size: int, near_limit: bool) -> int:
    """Add a row unless one there is at least as good; drop those that it beats. Without a limit of kilometres one row is enough."""
    for k in range(size):
        other = front[k]
        if not near_limit:
            if other[BROKEN] < row[BROKEN] or (other[BROKEN] == row[BROKEN] and other[COST] <= row[COST]):
                return size
        elif (other <= row).all():
            return size
    kept = 0
    for k in range(size):
        if near_limit and not (row <= front[k]).all():
            front[kept] = front[k]
            orders[kept] = orders[k]
            kept += 1
    if kept == len(front):
        raise ValueError("more orders are worth keeping than there is room for")
    front[kept] = row
    orders[kept, : len(route)] = route
    return kept + 1


@alone_njit
def driver_worth(p: Arrays, driver: int, front: IntArray, size: IntArray, mask: IntArray, row: IntArray, chosen: IntArray) -> bool:
    """Fill row with the least (broken, cost) of one volunteer whose shifts have been dealt these legs; False when there is no legal way.

    The kilometres count over all shifts: when the cheaper gaps of the whole day are too long, every gap takes the shorter way.
    """
    first = last = -1
    for s in range(len(mask)):
        if p.shift_driver[s] == driver:
            first = s if first < 0 else first
            last = s
    row[:] = 0
    if first < 0:
        return True
    if last - first > 1:
        raise ValueError("brute force knows two shifts a volunteer at most")
    found = False
    seconds = size[last, mask[last]] if last > first else 1
    for a in range(size[first, mask[first]]):
        for b in range(seconds):
            total = front[first, mask[first], a].copy()
            if last > first:
                total += front[last, mask[last], b]
            cost = total[COST]
            if total[METRES] > p.max_metres[driver]:
                cost = total[SHORT_COST]
                if total[SHORT_METRES] > p.max_metres[driver]:
                    continue
            if not found or total[BROKEN] < row[0] or (total[BROKEN] == row[0] and cost < row[1]):
                found = True
                row[0], row[1] = total[BROKEN], cost
                chosen[first] = a
                if last > first:
                    chosen[last] = b
    return found


@alone_njit
def weigh(p: Arrays, front: IntArray, size: IntArray, mask: IntArray, levels: IntArray, chosen: IntArray) -> bool:
    """Fill the levels of one way to deal legs to shifts (a mask for each), with its best orders; False when it is not legal."""
    legs = len(p.priority)
    driver_of = np.full(legs, -1, np.int64)
    rides = np.zeros(len(p.home), np.int64)
    for s in range(len(mask)):
        if size[s, mask[s]] == 0:
            return False
        for leg in range(legs):
            if mask[s] >> leg & 1:
                driver_of[leg] = p.shift_driver[s]
                rides[p.shift_driver[s]] += 1
    levels[:] = 0
    for leg in range(legs):
        if driver_of[leg] < 0:
            levels[0] += p.priority[leg] * (LOCKED_WEIGHT if p.locked[leg] else 1)
            levels[1] += int(p.told_driver[leg] >= 0)
        other = p.partner[leg]
        if other >= 0:
            both = driver_of[leg] >= 0 and driver_of[other] >= 0
            if p.both_or_none[leg] and (driver_of[leg] >= 0) != (driver_of[other] >= 0):
                return False
            if p.same_driver[leg] and both and driver_of[leg] != driver_of[other]:
                return False
    row = np.zeros(2, np.int64)
    for driver in range(len(p.home)):
        if rides[driver] > p.max_rides[driver] or not driver_worth(p, driver, front, size, mask, row, chosen):
            return False
        levels[1] += row[0]
        levels[2] += row[1]
    return True


@alone_njit
def choose(p: Arrays, front: IntArray, size: IntArray, best: IntArray, best_chosen: IntArray, best_mask: IntArray) -> None:
    """Try every way to deal the legs: each to one of the shifts, or to nobody."""
    legs, shifts = len(p.priority), len(p.shift_driver)
    levels, chosen, mask = np.zeros(3, np.int64), np.zeros(shifts, np.int64), np.zeros(shifts, np.int64)
    best[:] = NO_LIMIT
    for code in range((shifts + 1) ** legs):
        mask[:] = 0
        rest = code
        for leg in range(legs):
            to = rest % (shifts + 1)
            rest //= shifts + 1
            if to < shifts:
                mask[to] |= 1 << leg
        if weigh(p, front, size, mask, levels, chosen):
            better = False
            for k in range(3):
                if levels[k] != best[k]:
                    better = levels[k] < best[k]
                    break
            if better:
                best[:] = levels
                best_chosen[:] = chosen
                best_mask[:] = mask
