"""Blocks: every way of carrying a few legs from an empty car to an empty car; what a route is made of.

In: the arrays of a problem, and how many legs a block may hold. Out: `Blocks`, without those that another one beats in every respect.
Called by `master`. A block that begins by arriving at its first pickup at time a ends service-ready at `max(ready, a + lasts)`, as long as
a <= `latest`: the least schedule of its difference constraints is a max-plus function of one variable, so nothing is lost.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.problem import Arrays, BoolArray, IntArray
from dispatch.planning.schedule import inner, kernel

MOST_BLOCKS = 300_000  # room for those that are enumerated
MOST_STEPS = 3_000_000  # of the walk


class Blocks(NamedTuple):
    """Shapes: F blocks in order of their first leg, B stops or legs of the longest."""

    stops: npt.NDArray[np.int32]  # [F, B]
    size: IntArray  # [F] stops
    legs: npt.NDArray[np.int32]  # [F, B] the first size / 2 of each row
    first: IntArray  # [F] leg picked up first
    last: IntArray  # [F] leg dropped off last
    begins: IntArray  # [F] the least start of the first pickup
    ready: IntArray  # [F] the least moment at which the car is free again
    lasts: IntArray  # [F] seconds from arriving until then, when no window holds it up
    latest: IntArray  # [F] latest start of the first pickup
    metres: IntArray  # [F] from the first pickup to the last drop-off
    load: IntArray  # [F, 3] most seats, wheelchair places, boot units aboard
    of_leg: IntArray  # [L + 1] blocks that begin with leg l are of_leg[l]:of_leg[l + 1]
    complete: bool  # no block was left out for want of room


class _Raw(NamedTuple):
    """As enumerated."""

    stops: npt.NDArray[np.int32]
    size: IntArray
    about: IntArray  # [F, 8] begins, ready, lasts, minus latest, metres, load: of all these less is better
    code: npt.NDArray[np.uint64]  # [F] of the set of legs


class _Walk(NamedTuple):
    """Scratch of the depth-first walk, by depth."""

    stop: IntArray
    following: IntArray  # next stop to try
    load: IntArray  # [depth, 4] seats, chairs, boot, legs
    start: IntArray
    picked: IntArray  # [L] position, or -1
    dropped: BoolArray  # [L]
    steps: IntArray  # [2] taken, allowed


def make_blocks(p: Arrays, legs_per_block: int, most: int = MOST_BLOCKS, steps: int = MOST_STEPS) -> Blocks:
    """Enumerate at most so many in so many steps, then drop what is beaten. O(blocks x stops^2)."""
    most = min(most, MOST_BLOCKS)
    legs = len(p.priority)
    depth = 2 * legs_per_block
    raw = _Raw(np.zeros((most, depth), np.int32), np.zeros(most, np.int64), np.zeros((most, 8), np.int64), np.zeros(most, np.uint64))
    walk = _Walk(
        stop=np.zeros(depth + 1, np.int64),
        following=np.zeros(depth + 1, np.int64),
        load=np.zeros((depth + 1, 4), np.int64),
        start=np.zeros(depth + 1, np.int64),
        picked=np.full(legs + 1, -1, np.int64),
        dropped=np.zeros(legs + 1, np.bool_),
        steps=np.array([0, steps], np.int64),
    )
    salt = np.random.default_rng(2).integers(1, 2**63, legs + 1, np.uint64)
    usable = p.allowed.any(axis=1) if legs else np.zeros(0, np.bool_)
    capacity = p.capacity.max(axis=0) if len(p.capacity) else np.zeros(3, np.int64)
    n = walk_blocks(p, usable, together(p), capacity, depth, salt, raw, walk)
    complete = n < most and int(walk.steps[0]) < steps
    first, last = raw.stops[:n, 0] >> 1, raw.stops[np.arange(n), np.maximum(raw.size[:n] - 1, 0)] >> 1
    order = np.lexsort((raw.about[:n, 4], raw.code[:n], last, first))
    beaten = np.zeros(n, np.bool_)
    mark_beaten(order, first.astype(np.int64), last.astype(np.int64), raw.code, raw.about, beaten)
    keep = order[~beaten[order]]
    stops, about = np.ascontiguousarray(raw.stops[keep]), raw.about[keep]
    picks = np.where(stops % 2 == 0, stops >> 1, -1)
    picks[np.arange(depth)[None, :] >= raw.size[keep][:, None]] = -1
    grouped = np.take_along_axis(picks, np.argsort(picks < 0, axis=1, kind="stable"), axis=1)
    return Blocks(
        stops=stops,
        size=raw.size[keep],
        legs=np.ascontiguousarray(grouped[:, : max(1, legs_per_block)], np.int32),
        first=first[keep].astype(np.int64),
        last=last[keep].astype(np.int64),
        **{name: np.ascontiguousarray(about[:, k]) for k, name in ((0, "begins"), (1, "ready"), (2, "lasts"), (4, "metres"))},
        latest=-about[:, 3],
        load=np.ascontiguousarray(about[:, 5:8]),
        of_leg=np.searchsorted(first[keep], np.arange(legs + 1)).astype(np.int64),
        complete=complete,
    )


def together(p: Arrays) -> BoolArray:
    """[L, L] legs that some volunteer may drive both, and neither rides alone."""
    able = p.allowed.astype(np.int32)
    return np.ascontiguousarray((able @ able.T > 0) & ~p.alone[:, None] & ~p.alone[None, :])


@kernel
def walk_blocks(  # noqa: C901 - one walk
    p: Arrays, usable: BoolArray, both: BoolArray, capacity: IntArray, depth: int, salt: Any, raw: Any, walk: Any
) -> int:
    """Depth-first over sequences of stops that leave somebody aboard; returns how many blocks were written."""
    n = 0
    for leg in range(len(p.priority)):
        if not usable[leg]:
            continue
        walk.stop[0], walk.following[0], walk.picked[leg] = 2 * leg, 0, 0
        for d in range(3):
            walk.load[0, d] = p.demand[leg, d]
        walk.load[0, 3] = 1
        at = 0
        while at >= 0:
            stop = walk.following[at]
            if stop >= 2 * len(p.priority) or at + 1 >= depth:
                _leave(walk, at)
                at -= 1
                continue
            walk.following[at] += 1
            if not _may_follow(p, both, capacity, depth, walk, at, stop):
                continue
            walk.steps[0] += 1
            if walk.steps[0] >= walk.steps[1]:
                return n
            walk.stop[at + 1] = stop
            if stop & 1 == 0:
                walk.picked[stop >> 1] = at + 1
            if not settle(p, walk.stop, at + 2, walk.start, walk.picked, True) or not _can_be_brought(p, walk, at + 1):
                if stop & 1 == 0:
                    walk.picked[stop >> 1] = -1
                continue
            sign = -1 if stop & 1 else 1
            for d in range(3):
                walk.load[at + 1, d] = walk.load[at, d] + sign * p.demand[stop >> 1, d]
            walk.load[at + 1, 3] = walk.load[at, 3] + sign
            if walk.load[at + 1, 3] == 0:
                if n == len(raw.size):
                    return n
                n += _write(p, walk, at + 2, raw, n, salt)
                continue
            if sign < 0:
                walk.dropped[stop >> 1] = True
            at += 1
            walk.following[at] = 0
    return n


@inner
def _leave(walk: Any, at: int) -> None:
    """Step back from the stop at this depth."""
    leg = walk.stop[at] >> 1
    if walk.stop[at] & 1:
        walk.dropped[leg] = False
    else:
        walk.picked[leg] = -1


@inner
def _may_follow(p: Arrays, both: BoolArray, capacity: IntArray, depth: int, walk: Any, at: int, stop: int) -> bool:
    """Quick refusals: order, room, company, the drive from the last stop."""
    leg, here = stop >> 1, walk.stop[at]
    if stop & 1:
        if walk.picked[leg] < 0 or walk.dropped[leg]:
            return False
    else:
        if walk.picked[leg] >= 0 or not both[walk.stop[0] >> 1, leg] or at + 2 + walk.load[at, 3] + 1 > depth:
            return False
        for d in range(3):
            if walk.load[at, d] + p.demand[leg, d] > capacity[d]:
                return False
        for k in range(1, at + 1):
            if walk.stop[k] & 1 == 0 and not both[walk.stop[k] >> 1, leg]:
                return False
    return bool(p.early[here] + p.service[here] + p.times[p.place[here], p.place[stop]] <= p.late[stop])


@inner
def _can_be_brought(p: Arrays, walk: Any, at: int) -> bool:
    """Whether everybody aboard could still be brought directly from here: rests on the triangle inequality of times."""
    here = walk.stop[at]
    leave = walk.start[at] + p.service[here]
    for k in range(at + 1):
        stop = walk.stop[k]
        waits = stop & 1 == 0 and not walk.dropped[stop >> 1] and stop + 1 != here
        if waits and leave + p.times[p.place[here], p.place[stop + 1]] > p.late[stop + 1]:
            return False
    return True


@inner
def settle(p: Arrays, stops: IntArray, m: int, start: IntArray, picked: IntArray, in_windows: bool) -> bool:
    """The least starts of a block's stops; without windows, seconds after the first stop, which must not be raised."""
    start[0] = p.early[stops[0]] if in_windows else 0
    low = 1
    for k in range(1, m):
        start[k] = p.early[stops[k]] if in_windows else 0
    for _ in range(m // 2 + 2):
        for k in range(low, m):
            before, stop = stops[k - 1], stops[k]
            start[k] = max(start[k], start[k - 1] + p.service[before] + p.times[p.place[before], p.place[stop]])
            if in_windows and start[k] > p.late[stop]:
                return False
        low = m
        for k in range(1, m):
            stop = stops[k]
            if stop & 1:
                q = picked[stop >> 1]
                need = start[k] - p.ride_limit[stop >> 1] - p.service[stop - 1]
                if need > start[q]:
                    if (in_windows and need > p.late[stop - 1]) or (q == 0 and not in_windows):
                        return False
                    start[q] = need
                    low = min(low, q + 1)
        if low == m:
            return True
    return False


@inner
def latest_start(p: Arrays, stops: IntArray, m: int, late: IntArray, picked: IntArray) -> int:
    """The latest start of the first stop from which every window and ride limit can still be met."""
    for k in range(m):
        late[k] = p.late[stops[k]]
    high = m - 1
    for _ in range(m // 2 + 2):
        for k in range(high - 1, -1, -1):
            stop, after = stops[k], stops[k + 1]
            late[k] = min(late[k], late[k + 1] - p.times[p.place[stop], p.place[after]] - p.service[stop])
        high = 0
        for k in range(1, m):
            stop = stops[k]
            if stop & 1:
                most = late[picked[stop >> 1]] + p.service[stop - 1] + p.ride_limit[stop >> 1]
                if most < late[k]:
                    late[k] = most
                    high = max(high, k)
        if high == 0:
            return late[0]
    return -(2**60)


@inner
def _write(p: Arrays, walk: Any, m: int, raw: Any, n: int, salt: Any) -> int:
    """Write the block that the walk stands for; 0 when it can never last a fixed time."""
    last = walk.stop[m - 1]
    raw.about[n, 0] = walk.start[0]
    raw.about[n, 1] = walk.start[m - 1] + p.service[last]
    raw.about[n, 3] = -latest_start(p, walk.stop, m, walk.start, walk.picked)
    if not settle(p, walk.stop, m, walk.start, walk.picked, False):
        return 0
    raw.about[n, 2] = walk.start[m - 1] + p.service[last]
    metres = 0
    code = np.uint64(0)
    for d in range(3):
        raw.about[n, 5 + d] = 0
    for k in range(m):
        stop = walk.stop[k]
        raw.stops[n, k] = stop
        if stop & 1 == 0:
            code ^= salt[stop >> 1]
        if k > 0:
            metres += p.metres[p.place[walk.stop[k - 1]], p.place[stop]]
        if k < m - 1:
            for d in range(3):
                raw.about[n, 5 + d] = max(raw.about[n, 5 + d], walk.load[k, d])
    raw.about[n, 4] = metres
    raw.code[n] = code
    raw.size[n] = m
    return 1


@kernel
def mark_beaten(order: IntArray, first: IntArray, last: IntArray, code: Any, about: IntArray, beaten: BoolArray) -> None:
    """Among blocks of the same legs, first pickup and last drop-off, those that another one equals or betters in everything."""
    n = len(order)
    a = 0
    while a < n:
        b = a
        f = order[a]
        while b < n and first[order[b]] == first[f] and last[order[b]] == last[f] and code[order[b]] == code[f]:
            b += 1
        for i in range(a, b):
            for j in range(a, b):
                if i != j and not beaten[order[j]] and _beats(about, order[j], order[i], j < i):
                    beaten[order[i]] = True
                    break
        a = b


@inner
def _beats(about: IntArray, one: int, other: int, earlier: bool) -> bool:
    """No worse in anything; of equals the earlier one stays."""
    equal = True
    for k in range(8):
        x, y = about[one, k], about[other, k]
        if x > y:
            return False
        equal = equal and x == y
    return earlier or not equal
