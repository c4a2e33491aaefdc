"""The best runs of one shift against given prices of legs: labels over chains of blocks, in order of time.

In: the arrays of a problem, `Blocks`, what serving each block is worth, a shift. Out: runs of least reduced cost, and the least one of all.
Called by `master`. A run is relaxed in what makes it only cheaper: the longest duty is left aside, a leg that cannot be reached any more
is forgotten, as is one beyond the memory; so the least value is a bound, and a run found is proved before it is planned.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.blocks import Blocks
from dispatch.planning.problem import NO_LIMIT, Arrays, BoolArray, IntArray
from dispatch.planning.schedule import CENT, kernel, woven

MOST_LABELS = 200_000
MOST_TRIES = 60_000_000  # extensions and comparisons in one call: about half a second
MEMORY = 16  # legs a label remembers


class Labels(NamedTuple):
    """Scratch, reused from call to call. Label 0 is the volunteer at home."""

    free: IntArray  # [A] the moment the car is free
    cost: npt.NDArray[np.float64]  # [A] reduced cost so far
    metres: IntArray  # [A] 0 where the volunteer has no limit
    rides: IntArray  # [A] 0 where the volunteer has no limit
    leg: IntArray  # [A] dropped off last
    block: IntArray  # [A]
    parent: IntArray  # [A]
    known: IntArray  # [A] legs in memory
    memory: npt.NDArray[np.int32]  # [A, MEMORY]
    next: IntArray  # [A] other labels of the same last leg
    dead: BoolArray  # [A]
    head: IntArray  # [L]
    heap: IntArray  # [A]
    fresh: npt.NDArray[np.int32]  # [MEMORY] of the label in the making
    sizes: IntArray  # [3] labels, heap, extensions and comparisons
    best: IntArray  # [L] the label of the best run whose last drop-off is this leg's, or -1
    value: npt.NDArray[np.float64]  # [L] its reduced cost


def make_labels(p: Arrays) -> Labels:
    """Some 30 MB, once per solve."""

    def column() -> IntArray:
        return np.zeros(MOST_LABELS, np.int64)

    return Labels(
        column(), np.zeros(MOST_LABELS), column(), column(), column(), column(), column(), column(),
        np.zeros((MOST_LABELS, MEMORY), np.int32), column(), np.zeros(MOST_LABELS, np.bool_), np.zeros(len(p.priority) + 1, np.int64),
        column(), np.zeros(MEMORY, np.int32), np.zeros(3, np.int64), np.zeros(len(p.priority) + 1, np.int64),
        np.zeros(len(p.priority) + 1),
    )  # fmt: skip


@kernel
def best_runs(
    p: Arrays, b: Blocks, worth: Any, chosen: IntArray, of_leg: IntArray, shift: int, constant: float, labels: Labels
) -> tuple[float, bool]:
    """Fill `best` and `value` with runs of negative reduced cost; returns (the least of all, whether no label was left out).

    `worth[f]` is subtracted from the cost of block f; `constant` is added to every run. Only the blocks
    chosen[of_leg[l]:of_leg[l + 1]] begin with leg l.
    """
    driver = p.shift_driver[shift]
    home = p.home[driver]
    _begin(p, shift, constant, labels)
    least, complete = 0.0, True
    while labels.sizes[1] > 0:
        now = _pop(labels)
        if labels.dead[now]:
            continue
        place = p.begin[shift] if now == 0 else p.place[2 * labels.leg[now] + 1]
        if now > 0 and labels.metres[now] + p.metres[place, home] <= p.max_metres[driver]:
            total = labels.cost[now] + p.metres[place, home] * p.rates[0]
            least = min(least, total)
            if total < labels.value[labels.leg[now]]:
                labels.best[labels.leg[now]], labels.value[labels.leg[now]] = now, total
        for leg in range(len(p.priority)):
            if of_leg[leg] == of_leg[leg + 1]:
                continue
            pickup = p.place[2 * leg]
            arrive = labels.free[now] + p.times[place, pickup]
            if arrive > p.late[2 * leg]:
                continue
            by_home = labels.free[now] + p.times[place, home] + p.times[home, pickup]
            round_metres = p.metres[place, home] + p.metres[home, pickup]
            labels.sizes[2] += of_leg[leg + 1] - of_leg[leg]
            if labels.sizes[2] > MOST_TRIES:
                return least, False
            for k in range(of_leg[leg], of_leg[leg + 1]):
                f = chosen[k]
                if arrive > b.latest[f]:
                    continue
                if not _extend(p, b, f, worth[f], shift, now, arrive, by_home, p.metres[place, pickup], round_metres, labels):
                    complete = False
                    break
            if not complete:
                break
        if not complete:
            break
    return least, complete


@woven
def _begin(p: Arrays, shift: int, constant: float, labels: Labels) -> None:
    for leg in range(len(p.priority)):
        labels.head[leg] = -1
        labels.best[leg], labels.value[leg] = -1, -1e-6
    labels.free[0], labels.cost[0], labels.metres[0], labels.rides[0] = p.shift_from[shift], constant + p.rates[5] * CENT, 0, 0
    labels.block[0], labels.parent[0], labels.known[0], labels.dead[0] = -1, -1, 0, False
    labels.sizes[0], labels.sizes[1], labels.sizes[2], labels.heap[0] = 1, 1, 0, 0


@woven
def _extend(
    p: Arrays,
    b: Blocks,
    f: int,
    worth: float,
    shift: int,
    now: int,
    arrive: int,
    by_home: int,
    direct: int,
    round_metres: int,
    labels: Labels,
) -> bool:
    """Add block f to a label, unless a rule forbids it or another label is as good; False when there is no room for labels."""
    driver = p.shift_driver[shift]
    last = b.last[f]
    end = p.place[2 * last + 1]
    free = max(b.ready[f], arrive + b.lasts[f])
    if free + p.times[end, p.home[driver]] > p.shift_to[shift] or _again(b, f, now, labels):
        return True
    at_home = now == 0
    home_too = not at_home and by_home <= b.latest[f]
    cost = direct * p.rates[0]
    if not at_home:
        beyond = max(b.begins[f], arrive) - arrive - p.rates[2]
        if beyond > 0:
            cost += beyond * p.rates[1] * CENT // 60
        if home_too and round_metres * p.rates[0] < cost:
            cost = round_metres * p.rates[0]
    total = labels.cost[now] + cost + b.metres[f] * p.rates[0] - worth
    metres = rides = 0
    if p.max_metres[driver] < NO_LIMIT:
        metres = labels.metres[now] + min(direct, round_metres if home_too else direct) + b.metres[f]
        if metres > p.max_metres[driver]:
            return True
    if p.max_rides[driver] < NO_LIMIT:
        rides = labels.rides[now] + b.size[f] // 2
        if rides > p.max_rides[driver]:
            return True
    known = _remember(p, b, f, now, free, end, labels)
    slope = p.rates[1] * CENT / 60.0
    if _is_beaten(labels, last, free, total, metres, rides, known, slope):
        return True
    new = labels.sizes[0]
    if new == len(labels.free):
        return False
    labels.sizes[0] += 1
    labels.free[new], labels.cost[new], labels.metres[new], labels.rides[new] = free, total, metres, rides
    labels.leg[new], labels.block[new], labels.parent[new], labels.known[new], labels.dead[new] = last, f, now, known, False
    for k in range(known):
        labels.memory[new, k] = labels.fresh[k]
    labels.next[new] = labels.head[last]
    labels.head[last] = new
    _push(labels, new)
    return True


@woven
def _again(b: Blocks, f: int, now: int, labels: Labels) -> bool:
    """Whether a leg of the block is in the label's memory."""
    for k in range(labels.known[now]):
        for q in range(b.size[f] // 2):
            if b.legs[f, q] == labels.memory[now, k]:
                return True
    return False


@woven
def _remember(p: Arrays, b: Blocks, f: int, now: int, free: int, end: int, labels: Labels) -> int:
    """Write the legs that must not be served again and still could be to `fresh`."""
    n = 0
    for k in range(labels.known[now] + b.size[f] // 2):
        leg = labels.memory[now, k] if k < labels.known[now] else b.legs[f, k - labels.known[now]]
        if n < len(labels.fresh) and free + p.times[end, p.place[2 * leg]] <= p.late[2 * leg]:
            labels.fresh[n] = leg
            n += 1
    return n


@woven
def _is_beaten(labels: Labels, last: int, free: int, total: float, metres: int, rides: int, known: int, slope: float) -> bool:
    """Whether a label of the same last leg is as good in everything; those that are beaten themselves die."""
    other = labels.head[last]
    before, compared = -1, 0
    while other >= 0:
        compared += 1
        following = labels.next[other]
        if labels.dead[other]:
            if before >= 0:
                labels.next[before] = following
            else:
                labels.head[last] = following
            other = following
            continue
        if (
            labels.free[other] <= free
            and labels.cost[other] + slope * (free - labels.free[other]) <= total
            and labels.metres[other] <= metres
            and labels.rides[other] <= rides
            and _is_part(labels.memory[other], labels.known[other], labels.fresh, known)
        ):
            labels.sizes[2] += compared
            return True
        if (
            free <= labels.free[other]
            and total + slope * (labels.free[other] - free) <= labels.cost[other]
            and metres <= labels.metres[other]
            and rides <= labels.rides[other]
            and _is_part(labels.fresh, known, labels.memory[other], labels.known[other])
        ):
            labels.dead[other] = True
        before = other
        other = following
    labels.sizes[2] += compared
    return False


@woven
def _is_part(some: Any, n: int, whole: Any, m: int) -> bool:
    """Whether each of the first n legs is among the first m of the others."""
    if n > m:
        return False
    for k in range(n):
        found = False
        for q in range(m):
            if some[k] == whole[q]:
                found = True
                break
        if not found:
            return False
    return True


@woven
def _push(labels: Labels, new: int) -> None:
    """Binary heap by the moment the car is free."""
    k = labels.sizes[1]
    labels.sizes[1] += 1
    while k > 0:
        parent = (k - 1) >> 1
        if labels.free[labels.heap[parent]] <= labels.free[new]:
            break
        labels.heap[k] = labels.heap[parent]
        k = parent
    labels.heap[k] = new


@woven
def _pop(labels: Labels) -> int:
    top = labels.heap[0]
    labels.sizes[1] -= 1
    n = labels.sizes[1]
    if n > 0:
        item, k = labels.heap[n], 0
        while True:
            child = 2 * k + 1
            if child >= n:
                break
            if child + 1 < n and labels.free[labels.heap[child + 1]] < labels.free[labels.heap[child]]:
                child += 1
            if labels.free[labels.heap[child]] >= labels.free[item]:
                break
            labels.heap[k] = labels.heap[child]
            k = child
        labels.heap[k] = item
    return int(top)
