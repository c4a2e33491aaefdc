"""The best runs of one shift against given prices of legs: labels over chains of blocks, in order of time.

In: the arrays of a problem, `Blocks`, what serving each block is worth, a shift. Out: runs of least reduced cost, and the least one of all.
Called by `master`. A run is relaxed in what makes it only cheaper: the longest duty counts from the latest departure for the first block,
as if no later one hindered that, a leg that cannot be reached any more is forgotten, as is one beyond the memory; so the least value is a
bound, and a run found is proved before it is planned.

A label is a volunteer whose car is empty, either after the last drop-off or at the next pickup. Between the two only the way counts: most
labels that arrive at a pickup are beaten there by another one, before any of the many blocks that begin with it is looked at.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.blocks import Blocks
from dispatch.planning.cuts import Toll, is_cheaper, price_of, still_of_use
from dispatch.planning.moments import pop, push
from dispatch.planning.problem import NO_LIMIT, Arrays, BoolArray, IntArray
from dispatch.planning.schedule import CENT, kernel, woven

MOST_LABELS = 400_000
MOST_TRIES = 60_000_000  # extensions and comparisons in one call: about half a second
MEMORY = 16  # legs a label remembers
NEVER = 2**60  # waiting that costs nothing: at home


class Labels(NamedTuple):
    """Scratch, reused from call to call. Label 0 is the volunteer at home."""

    moment: IntArray  # [A] the car is free, or at the pickup
    since: IntArray  # [A] from here on waiting costs something
    cost: npt.NDArray[np.float64]  # [A] reduced cost so far
    metres: IntArray  # [A] 0 where the volunteer has no limit
    rides: IntArray  # [A] 0 where the volunteer has no limit
    depart: IntArray  # [A] how late the volunteer could have left home, as far as that matters for the longest duty
    node: IntArray  # [A] the leg dropped off last, or the leg to pick up + L
    block: IntArray  # [A] driven last, -1 at a pickup
    parent: IntArray  # [A]
    bits: npt.NDArray[np.uint64]  # [A] bit c: an odd number of legs of triple c so far
    known: IntArray  # [A] legs in memory
    memory: npt.NDArray[np.int32]  # [A, MEMORY]
    next: IntArray  # [A] other labels of the same node
    dead: BoolArray  # [A]
    head: IntArray  # [2L]
    heap: IntArray  # [A]
    fresh: npt.NDArray[np.int32]  # [MEMORY] of the label in the making
    sizes: IntArray  # [3] labels, heap, extensions and comparisons
    best: IntArray  # [L] the label of the best run whose last drop-off is this leg's, or -1
    value: npt.NDArray[np.float64]  # [L] its reduced cost


def make_labels(p: Arrays) -> Labels:
    """Some 60 MB, once per solve."""
    legs = len(p.priority)

    def column() -> IntArray:
        return np.zeros(MOST_LABELS, np.int64)

    return Labels(
        column(), column(), np.zeros(MOST_LABELS), column(), column(), column(), column(), column(), column(),
        np.zeros(MOST_LABELS, np.uint64), column(),
        np.zeros((MOST_LABELS, MEMORY), np.int32), column(), np.zeros(MOST_LABELS, np.bool_), np.zeros(2 * legs + 1, np.int64),
        column(), np.zeros(MEMORY, np.int32), np.zeros(3, np.int64), np.zeros(legs + 1, np.int64), np.zeros(legs + 1),
    )  # fmt: skip


@kernel
def best_runs(
    p: Arrays, b: Blocks, worth: Any, x: Toll, chosen: IntArray, of_leg: IntArray, shift: int, constant: float, rough: bool, labels: Labels
) -> tuple[float, bool]:
    """Fill `best` and `value` with runs of negative reduced cost; returns (the least of all, whether no label was left out).

    `worth[f]` is subtracted from the cost of block f; `constant` is added to every run, and what `x` says of its triples. Only the blocks
    chosen[of_leg[l]:of_leg[l + 1]] begin with leg l. `rough`: labels are compared whatever legs they remember, which misses some runs.
    """
    _begin(p, shift, constant, labels)
    least, legs = 0.0, len(p.priority)
    while labels.sizes[1] > 0:
        now = pop(labels.heap, labels.sizes, labels.moment)
        if labels.dead[now]:
            continue
        if labels.node[now] >= legs:
            leg = labels.node[now] - legs
            labels.sizes[2] += of_leg[leg + 1] - of_leg[leg]
            for k in range(of_leg[leg], of_leg[leg + 1]):
                if not _drive_block(p, b, chosen[k], worth[chosen[k]], x, shift, now, rough, labels):
                    return least, False
        else:
            if now > 0:
                least = min(least, _go_home(p, shift, now, labels))
            if not _go_on(p, x, of_leg, shift, now, rough, labels):
                return least, False
        if labels.sizes[2] > MOST_TRIES:
            return least, False
    return least, True


@kernel
def read_chains(labels: Labels, ends: IntArray, chains: IntArray) -> None:
    """Write the blocks of the runs that end with these labels to the rows of `chains`, in the order they are driven, as far as they fit."""
    for row in range(len(ends)):
        n, at = 0, ends[row]
        while at > 0:
            n += int(labels.block[at] >= 0)
            at = labels.parent[at]
        at = ends[row]
        while at > 0:
            if labels.block[at] >= 0:
                n -= 1
                if n < chains.shape[1] - 1:
                    chains[row, n] = labels.block[at]
            at = labels.parent[at]


@woven
def _begin(p: Arrays, shift: int, constant: float, labels: Labels) -> None:
    legs = len(p.priority)
    for leg in range(legs):
        labels.head[leg] = labels.head[legs + leg] = -1
        labels.best[leg], labels.value[leg] = -1, -1e-6
    labels.moment[0], labels.since[0], labels.metres[0], labels.rides[0] = p.shift_from[shift], NEVER, 0, 0
    labels.cost[0], labels.node[0], labels.bits[0] = constant + p.rates[5] * CENT, -1, 0
    labels.block[0], labels.parent[0], labels.known[0], labels.dead[0] = -1, -1, 0, False
    labels.depart[0] = last_departure(p, shift)
    labels.sizes[0], labels.sizes[1], labels.sizes[2], labels.heap[0] = 1, 1, 0, 0


@woven
def last_departure(p: Arrays, shift: int) -> int:
    """From then on the end of the shift comes before that of the longest duty."""
    return p.shift_to[shift] - p.max_duty[shift] if p.max_duty[shift] < NO_LIMIT else p.shift_from[shift]


@woven
def first_departure(p: Arrays, b: Blocks, f: int, shift: int) -> int:
    """The latest one for a run that begins with block f, as far as that matters."""
    return min(last_departure(p, shift), b.latest[f] - p.times[p.begin[shift], p.place[2 * b.first[f]]])


@woven
def _go_home(p: Arrays, shift: int, now: int, labels: Labels) -> float:
    """The reduced cost of the run that ends here; 0 when it is too long."""
    driver, leg = p.shift_driver[shift], labels.node[now]
    way = p.metres[p.place[2 * leg + 1], p.home[driver]]
    if labels.metres[now] + way > p.max_metres[driver]:
        return 0.0
    total = labels.cost[now] + way * p.rates[0]
    if total < labels.value[leg]:
        labels.best[leg], labels.value[leg] = now, total
    return float(total)


@woven
def _go_on(p: Arrays, x: Toll, of_leg: IntArray, shift: int, now: int, rough: bool, labels: Labels) -> bool:
    """To every pickup that can be reached, directly or by home, where waiting is free; False when there is no room for labels."""
    home = p.home[p.shift_driver[shift]]
    place = p.begin[shift] if now == 0 else p.place[2 * labels.node[now] + 1]
    for leg in range(len(p.priority)):
        if of_leg[leg] == of_leg[leg + 1]:
            continue
        pickup = p.place[2 * leg]
        arrive = labels.moment[now] + p.times[place, pickup]
        if arrive > p.late[2 * leg] or _is_known(labels, now, leg):
            continue
        way = p.metres[place, pickup]
        since = NEVER if now == 0 else arrive + p.rates[2]
        if not _arrive(p, x, leg, shift, now, arrive, since, way, rough, labels):
            return False
        if now > 0:
            way_home = p.metres[place, home] + p.metres[home, pickup]
            arrive = labels.moment[now] + p.times[place, home] + p.times[home, pickup]
            dearer = way_home >= way and (p.rates[1] == 0 or arrive + p.rates[2] >= p.late[2 * leg])
            if arrive <= p.late[2 * leg] and not dearer and not _arrive(p, x, leg, shift, now, arrive, NEVER, way_home, rough, labels):
                return False
    return True


@woven
def _arrive(p: Arrays, x: Toll, leg: int, shift: int, now: int, moment: int, since: int, way: int, rough: bool, labels: Labels) -> bool:
    """A label at a pickup, unless a rule forbids it or another is as good; False when there is no room."""
    driver, node = p.shift_driver[shift], len(p.priority) + leg
    if since == NEVER or p.rates[1] == 0:
        moment = max(moment, p.early[2 * leg])
    metres = 0
    if p.max_metres[driver] < NO_LIMIT:
        metres = labels.metres[now] + way
        if metres > p.max_metres[driver]:
            return True
    total = labels.cost[now] + way * p.rates[0]
    known = _remember(p, labels.memory[now], labels.known[now], 0, moment, p.place[2 * leg], labels)
    bits, depart = labels.bits[now], labels.depart[now]
    if _is_beaten(labels, x, node, moment, since, total, metres, labels.rides[now], depart, known, bits, p.rates[1] * CENT / 60.0, rough):
        return True
    return _add(labels, node, -1, now, moment, since, total, metres, labels.rides[now], depart, known, bits)


@woven
def _drive_block(p: Arrays, b: Blocks, f: int, worth: float, x: Toll, shift: int, now: int, rough: bool, labels: Labels) -> bool:
    """Add block f to a label at its first pickup, unless a rule forbids it or another is as good; False when there is no room."""
    driver, last, arrive = p.shift_driver[shift], b.last[f], labels.moment[now]
    end = p.place[2 * last + 1]
    free = max(b.ready[f], arrive + b.lasts[f])
    if arrive > b.latest[f] or free + p.times[end, p.home[driver]] > p.shift_to[shift] or _again(b, f, now, labels):
        return True
    depart = labels.depart[now] if labels.parent[now] > 0 else first_departure(p, b, f, shift)
    if free + p.times[end, p.home[driver]] - depart > p.max_duty[shift]:
        return True
    total = labels.cost[now] + b.metres[f] * p.rates[0] - worth
    if p.rates[1] > 0 and b.begins[f] > labels.since[now]:
        total += (b.begins[f] - labels.since[now]) * p.rates[1] * CENT // 60
    metres = rides = 0
    if p.max_metres[driver] < NO_LIMIT:
        metres = labels.metres[now] + b.metres[f]
        if metres > p.max_metres[driver]:
            return True
    if p.max_rides[driver] < NO_LIMIT:
        rides = labels.rides[now] + b.size[f] // 2
        if rides > p.max_rides[driver]:
            return True
    known = _remember(p, labels.memory[now], labels.known[now], 0, free, end, labels)
    known = _remember(p, b.legs[f], b.size[f] // 2, known, free, end, labels)
    total += price_of(x, labels.bits[now] & x.odd[f])
    bits = still_of_use(p, x, labels.bits[now] ^ x.odd[f], free, end)
    if _is_beaten(labels, x, last, free, free, total, metres, rides, depart, known, bits, p.rates[1] * CENT / 60.0, rough):
        return True
    return _add(labels, last, f, now, free, free, total, metres, rides, depart, known, bits)


@woven
def _add(
    labels: Labels,
    node: int,
    block: int,
    parent: int,
    moment: int,
    since: int,
    cost: float,
    metres: int,
    rides: int,
    depart: int,
    known: int,
    bits: Any,
) -> bool:
    """Write a label that remembers the first `known` of `fresh`; False when there is no room."""
    new = labels.sizes[0]
    if new == len(labels.moment):
        return False
    labels.sizes[0] += 1
    labels.moment[new], labels.since[new], labels.cost[new] = moment, since, cost
    labels.metres[new], labels.rides[new], labels.node[new] = metres, rides, node
    labels.block[new], labels.parent[new], labels.known[new], labels.dead[new] = block, parent, known, False
    labels.bits[new], labels.depart[new] = bits, depart
    for k in range(known):
        labels.memory[new, k] = labels.fresh[k]
    labels.next[new] = labels.head[node]
    labels.head[node] = new
    push(labels.heap, labels.sizes, labels.moment, new)
    return True


@woven
def _is_known(labels: Labels, now: int, leg: int) -> bool:
    """Whether a leg is in the label's memory."""
    for k in range(labels.known[now]):  # noqa: SIM110 - numba knows no any()
        if labels.memory[now, k] == leg:
            return True
    return False


@woven
def _again(b: Blocks, f: int, now: int, labels: Labels) -> bool:
    """Whether a leg of the block is in the label's memory."""
    for q in range(b.size[f] // 2):  # noqa: SIM110
        if _is_known(labels, now, b.legs[f, q]):
            return True
    return False


@woven
def _remember(p: Arrays, legs: Any, count: int, n: int, moment: int, place: int, labels: Labels) -> int:
    """Write those of the legs that could be reached again from here to `fresh` from n on; returns how many it holds then."""
    for k in range(count):
        if n < len(labels.fresh) and moment + p.times[place, p.place[2 * legs[k]]] <= p.late[2 * legs[k]]:
            labels.fresh[n] = legs[k]
            n += 1
    return n


@woven
def _is_beaten(
    labels: Labels,
    x: Toll,
    node: int,
    moment: int,
    since: int,
    total: float,
    metres: int,
    rides: int,
    depart: int,
    known: int,
    bits: Any,
    slope: float,
    rough: bool,
) -> bool:
    """Whether a label of the same node is as good in everything; those that are beaten themselves die."""
    other = labels.head[node]
    before, compared = -1, 0
    while other >= 0:
        compared += 1
        following = labels.next[other]
        if labels.dead[other]:
            if before >= 0:
                labels.next[before] = following
            else:
                labels.head[node] = following
            other = following
            continue
        if (
            labels.moment[other] <= moment
            and labels.cost[other] + slope * max(0, since - labels.since[other]) <= total
            and labels.metres[other] <= metres
            and labels.rides[other] <= rides
            and (rough or labels.depart[other] >= depart)
            and (rough or _is_part(labels.memory[other], labels.known[other], labels.fresh, known))
            and is_cheaper(x, labels.cost[other] + slope * max(0, since - labels.since[other]), labels.bits[other], total, bits)
        ):
            labels.sizes[2] += compared
            return True
        if (
            moment <= labels.moment[other]
            and total + slope * max(0, labels.since[other] - since) <= labels.cost[other]
            and metres <= labels.metres[other]
            and rides <= labels.rides[other]
            and (rough or depart >= labels.depart[other])
            and (rough or _is_part(labels.fresh, known, labels.memory[other], labels.known[other]))
            and is_cheaper(x, total + slope * max(0, labels.since[other] - since), bits, labels.cost[other], labels.bits[other])
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
