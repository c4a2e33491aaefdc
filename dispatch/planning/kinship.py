"""Who is like whom: legs that one route could share, shifts that nothing tells apart, volunteers near a person.

In: the arrays of a problem. Out: orders and numbers for `search`, `master`, `why` and `smallest_change`.
"""

from collections import Counter

import numpy as np

from dispatch.planning.problem import Arrays, BoolArray, IntArray
from dispatch.planning.schedule import kernel

_DAY_S = 86_400  # nothing is farther
_FEW_STOPS = 16


def related_legs(p: Arrays, count: int) -> IntArray:
    """For each leg the `count` others that one route could share with it: near in place and in time. O(L^2)."""
    near = np.zeros((len(p.priority), max(0, count)), np.int64)
    fill_related(p, near, np.zeros(near.shape[1] + 1, np.int64))
    return near


@kernel
def fill_related(p: Arrays, near: IntArray, distance: IntArray) -> None:
    """Fill near[l] with the nearest legs, of equally near ones the first first. `distance`: scratch, of those in the row."""
    legs, count = near.shape
    for one in range(legs if count > 0 else 0):
        pick, drop, n = p.place[2 * one], p.place[2 * one + 1], 0
        middle = (p.early[2 * one] + p.late[2 * one + 1]) // 2
        for other in range(legs):
            if other == one:
                continue
            apart = abs(middle - (p.early[2 * other] + p.late[2 * other + 1]) // 2) // 2
            if n == count and apart >= distance[n - 1]:
                continue
            there, away = p.place[2 * other], p.place[2 * other + 1]
            here = min(p.times[pick, there], _DAY_S) + min(p.times[drop, away], _DAY_S)
            chain = 2 * min(p.times[drop, there], p.times[away, pick], _DAY_S)
            far = apart + min(here, chain)
            if n == count and far >= distance[n - 1]:
                continue
            k = n if n < count else n - 1
            while k > 0 and distance[k - 1] > far:
                distance[k], near[one, k] = distance[k - 1], near[one, k - 1]
                k -= 1
            distance[k], near[one, k] = far, other
            n = min(n + 1, count)


def shifts_by_kind(kind: IntArray) -> dict[int, list[int]]:
    """The shifts of each number of `twins`."""
    return {int(k): np.nonzero(kind == k)[0].tolist() for k in np.unique(kind)}


def twins(p: Arrays) -> IntArray:
    """A number for each kind of shift: equal where nothing tells two shifts apart (one shift a driver, same home, car, limits, people)."""
    alone = np.bincount(p.shift_driver, minlength=len(p.home)) == 1
    told = np.isin(np.arange(len(p.home)), p.told_driver)
    own = told[p.shift_driver] | ~alone[p.shift_driver] | p.closed | np.isin(np.arange(len(p.shift_driver)), p.run_of)
    seldom = [_traits(p, shift, _FEW_STOPS) for shift in range(len(p.shift_driver))]
    often = Counter(seldom)  # most shifts are told apart by few stops already
    kinds: dict[tuple[bytes | int, ...], int] = {}
    numbers = []
    for shift, few in enumerate(seldom):
        about = few if often[few] == 1 or own[shift] else _traits(p, shift, len(p.place))
        numbers.append(kinds.setdefault((*about, shift if own[shift] else -1), len(kinds)))
    return np.array(numbers, np.int64)


def _traits(p: Arrays, shift: int, stops: int) -> tuple[bytes, ...]:
    """What a shift is like, with its ways to and from the first stops."""
    driver, places = int(p.shift_driver[shift]), p.place[:stops]
    home, begin = p.home[driver], p.begin[shift]  # homes of one house are one point or several
    about = tuple(column[driver].tobytes() for column in (p.capacity, p.max_metres, p.max_rides, p.recent_rides))
    ways = ((length[begin, places], length[places, home], length[home, places]) for length in (p.times, p.metres))
    about += tuple(part.tobytes() for parts in ways for part in parts)
    about += tuple(column[shift].tobytes() for column in (p.shift_from, p.shift_to, p.max_duty))
    return (*about, p.allowed[:, driver].tobytes(), p.bond[:, driver].tobytes())


def near_shifts(p: Arrays, leg: int, drivers: BoolArray, most: int, slack_s: int = 0) -> IntArray:
    """At most so many shifts of these volunteers, the shortest way round first, among those in which the leg alone would be in time.

    `slack_s` counts as if shift and windows were so much longer at either end. Shifts left out for their times have no place for the leg.
    """
    pick, drop = 2 * leg, 2 * leg + 1
    begin, home = p.begin, p.home[p.shift_driver]
    leave = np.maximum(p.early[pick], p.shift_from + p.times[begin, p.place[pick]]) - slack_s
    arrive = np.maximum(p.early[drop] - slack_s, leave + p.service[pick] + p.direct[leg])
    back = arrive + p.service[drop] + p.times[p.place[drop], home]
    in_time = (leave <= p.late[pick] + slack_s) & (arrive <= p.late[drop] + slack_s) & (back <= p.shift_to + slack_s)
    metres = p.metres[begin, p.place[pick]].astype(np.int64) + p.metres[p.place[drop], home]
    fit = np.nonzero(in_time & drivers[p.shift_driver])[0]
    return fit[np.argsort(metres[fit], kind="stable")[:most]]
