"""Who is like whom: legs that one route could share, shifts that nothing tells apart, volunteers near a person.

In: the arrays of a problem. Out: orders and numbers for `search`, `master`, `why` and `smallest_change`.
"""

import numpy as np

from dispatch.planning.problem import Arrays, BoolArray, IntArray


def related_legs(p: Arrays, count: int) -> IntArray:
    """For each leg the `count` others that one route could share with it: near in place and in time."""
    pick, drop = p.place[0::2], p.place[1::2]
    times = np.minimum(p.times, 86_400)
    here = times[np.ix_(pick, pick)] + times[np.ix_(drop, drop)]
    chain = 2 * np.minimum(times[np.ix_(drop, pick)], times[np.ix_(drop, pick)].T)
    middle = (p.early[0::2] + p.late[1::2]) // 2
    apart = np.abs(middle[:, None] - middle[None, :])
    distance = np.minimum(here, chain) + apart // 2
    np.fill_diagonal(distance, np.iinfo(np.int64).max)
    return np.ascontiguousarray(np.argsort(distance, axis=1, kind="stable")[:, :count])


def shifts_by_kind(kind: IntArray) -> dict[int, list[int]]:
    """The shifts of each number of `twins`."""
    return {int(k): np.nonzero(kind == k)[0].tolist() for k in np.unique(kind)}


def twins(p: Arrays) -> IntArray:
    """A number for each kind of shift: equal where nothing tells two shifts apart (one shift a driver, same home, car, limits, people)."""
    alone = np.bincount(p.shift_driver, minlength=len(p.home)) == 1
    kinds: dict[tuple[bytes | int, ...], int] = {}
    numbers = []
    for shift, driver in enumerate(p.shift_driver.tolist()):
        columns = (p.capacity, p.max_metres, p.max_rides, p.recent_rides)
        about: tuple[bytes, ...] = tuple(column[driver].tobytes() for column in columns)
        home, begin = p.home[driver], p.begin[shift]  # homes of one house are one point or several
        ways = ((length[begin, p.place], length[p.place, home], length[home, p.place]) for length in (p.times, p.metres))
        about += tuple(part.tobytes() for parts in ways for part in parts)
        about += tuple(column[shift].tobytes() for column in (p.shift_from, p.shift_to, p.max_duty))
        about += (p.allowed[:, driver].tobytes(), p.bond[:, driver].tobytes())
        own = bool((p.told_driver == driver).any()) or not alone[driver] or bool(p.closed[shift] or (p.run_of == shift).any())
        numbers.append(kinds.setdefault((*about, shift if own else -1), len(kinds)))
    return np.array(numbers, np.int64)


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
