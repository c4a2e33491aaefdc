"""Every run that a better plan could be made of: when the bound is near these are few, and choosing among them is the end of the search.

In: the arrays of a problem, `Blocks`, prices of legs at which a bound holds, a distance from that bound. Out: the runs whose reduced cost
is within it, as chains of blocks. Called by `proof`. After Baldacci, Christofides and Mingozzi 2008 (doi:10.1007/s10107-007-0178-5).

Two passes for a kind of shift. Backward: the cheapest ways to end a run, by the pickup it goes on with and the latest arrival there
(`Ends`). Forward: every way to begin one that some end without a leg twice completes within the distance. Of beginnings over the same legs
that end alike, the cheapest and earliest ones are kept. As in `labels`, a run is relaxed in what makes it only cheaper, and pays for
triples; an end pays only for those of which it carries two legs in one block, so that ends compare by themselves.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.blocks import Blocks
from dispatch.planning.cuts import Toll, price_of
from dispatch.planning.labels import first_departure
from dispatch.planning.moments import pop, push
from dispatch.planning.problem import NO_LIMIT, Arrays, BoolArray, IntArray
from dispatch.planning.schedule import CENT, kernel, woven

MOST = 150_000  # chains of one pass
_TABLE = 2**19  # places by legs served
_MOST_TRIES = 40_000_000  # comparisons of one pass: about half a second

Bits = npt.NDArray[np.uint64]


class Chains(NamedTuple):
    """Scratch of one pass: chains of blocks that begin, or end, a run. A chain grows by one block at a time from its parent."""

    moment: IntArray  # [A] forward: when the car is free; backward: minus the latest arrival at the first pickup
    cost: npt.NDArray[np.float64]  # [A] reduced
    metres: IntArray  # [A] 0 where the volunteer has no limit
    rides: IntArray  # [A] 0 where the volunteer has no limit
    depart: IntArray  # [A] forward: how late the volunteer could have left home, see `labels`; backward: 0
    leg: IntArray  # [A] forward: dropped off last; backward: picked up first
    block: IntArray  # [A]
    parent: IntArray  # [A]
    odd: Bits  # [A] forward: as `bits` in `labels`, of which triples the chain carries an odd number; backward: 0
    served: Bits  # [A, W] a bit for each leg
    open: Bits  # [A, W] those of them that time would let somebody serve again
    next: IntArray  # [A]
    dead: BoolArray  # [A]
    heap: IntArray  # [A]
    table: IntArray  # [T] first chain of each list that is compared
    sizes: IntArray  # [3] chains, heap, comparisons


def make_chains(legs: int) -> Chains:
    """Of either pass."""

    def column() -> IntArray:
        return np.zeros(MOST, np.int64)

    def words() -> Bits:
        return np.zeros((MOST, legs // 64 + 1), np.uint64)

    return Chains(
        column(), np.zeros(MOST), column(), column(), column(), column(), column(), column(), np.zeros(MOST, np.uint64), words(), words(),
        column(), np.zeros(MOST, np.bool_), column(), np.zeros(_TABLE, np.int64), np.zeros(3, np.int64),
    )  # fmt: skip


def block_bits(b: Blocks, legs: int) -> Bits:
    """[F, W] the legs of each block."""
    bits = np.zeros((len(b.size), legs // 64 + 1), np.uint64)
    rows, columns = np.nonzero(b.legs >= 0)
    leg = b.legs[rows, columns].astype(np.int64)
    np.bitwise_or.at(bits, (rows, leg // 64), np.uint64(1) << (leg % 64).astype(np.uint64))
    return bits


def first_free(p: Arrays, shift: int) -> IntArray:
    """[L] the earliest second at which the car can be empty again after each leg."""
    pick, drop = np.arange(0, len(p.place), 2), np.arange(1, len(p.place), 2)
    begin = np.maximum(p.early[pick], p.shift_from[shift] + p.times[p.begin[shift], p.place[pick]])
    there = np.maximum(p.early[drop], begin + p.service[pick] + p.times[p.place[pick], p.place[drop]])
    return np.ascontiguousarray(there + p.service[drop], np.int64)


@kernel
def all_ends(
    p: Arrays, b: Blocks, bits: Any, worth: Any, chosen: IntArray, of_last: IntArray, free: IntArray, shift: int, ends: Chains
) -> bool:
    """Backward: fill `ends` with chains that no other beats; False when there is no room.

    chosen[of_last[l]:of_last[l + 1]] end with leg l.
    """
    driver, n = p.shift_driver[shift], len(p.priority)
    home = p.home[driver]
    ends.table[:] = -1
    ends.sizes[0] = ends.sizes[1] = ends.sizes[2] = 0
    for leg in range(n):
        place = p.place[2 * leg + 1]
        for k in range(of_last[leg], of_last[leg + 1]):
            back = p.shift_to[shift] - p.times[place, home]
            if not _prepend(p, b, bits, worth, chosen[k], free, shift, -1, back, p.metres[place, home], ends):
                return False
    while ends.sizes[1] > 0:
        now = pop(ends.heap, ends.sizes, ends.moment)
        if ends.dead[now]:
            continue
        pickup = p.place[2 * ends.leg[now]]
        for leg in range(n):
            if of_last[leg] == of_last[leg + 1]:
                continue
            place = p.place[2 * leg + 1]
            by = -ends.moment[now] - p.times[place, pickup]
            if free[leg] > by:
                continue
            way = min(p.metres[place, pickup], p.metres[place, home] + p.metres[home, pickup])
            for k in range(of_last[leg], of_last[leg + 1]):
                f = chosen[k]
                if b.ready[f] > by or _overlap(bits[f], ends.served[now]):
                    continue
                if not _prepend(p, b, bits, worth, f, free, shift, now, by, way, ends):
                    return False
    return True


@woven
def _prepend(
    p: Arrays, b: Blocks, bits: Any, worth: Any, f: int, free: IntArray, shift: int, now: int, by: int, way: int, ends: Chains
) -> bool:
    """Block f before a chain, the car empty again at `by`; False when there is no room."""
    driver, first = p.shift_driver[shift], b.first[f]
    pickup = p.place[2 * first]
    arrive = min(b.latest[f], by - b.lasts[f])
    if b.ready[f] > by or arrive < p.shift_from[shift] + p.times[p.begin[shift], pickup]:
        return True
    total = (way + b.metres[f]) * p.rates[0] - worth[f] + (ends.cost[now] if now >= 0 else 0.0)
    metres, rides = way + b.metres[f], b.size[f] // 2
    if now >= 0:
        metres, rides = metres + ends.metres[now], rides + ends.rides[now]
    if metres > p.max_metres[driver] or rides > p.max_rides[driver]:
        return True
    metres = metres if p.max_metres[driver] < NO_LIMIT else 0
    rides = rides if p.max_rides[driver] < NO_LIMIT else 0
    new = ends.sizes[0]
    if new == len(ends.cost) or ends.sizes[2] > _MOST_TRIES:
        return False
    _join(bits, f, now, ends, new)
    for leg in range(len(p.priority)):  # who cannot be served before this arrival is not forbidden there
        word, bit = leg >> 6, np.uint64(1) << np.uint64(leg & 63)
        if ends.served[new, word] & bit and free[leg] + p.times[p.place[2 * leg + 1], pickup] > arrive:
            ends.open[new, word] &= ~bit
    _add(ends, new, first, -arrive, total, metres, rides, 0, first, f, now, False)
    return True


def sorted_ends(ends: Chains, legs: int) -> tuple[IntArray, IntArray]:
    """(order, of_leg): the living chains by first leg, then cost; order[of_leg[l]:of_leg[l + 1]] begin with leg l."""
    alive = np.nonzero(~ends.dead[: ends.sizes[0]])[0]
    order = alive[np.lexsort((ends.cost[alive], ends.leg[alive]))]
    return order.astype(np.int64), np.searchsorted(ends.leg[order], np.arange(legs + 1)).astype(np.int64)


@kernel
def all_runs(
    p: Arrays,
    b: Blocks,
    bits: Any,
    worth: Any,
    x: Toll,
    chosen: IntArray,
    of_first: IntArray,
    shift: int,
    constant: float,
    gap: float,
    ends: Chains,
    order: IntArray,
    of_leg: IntArray,
    salt: Any,
    code: Any,
    runs: Chains,
    found: IntArray,
) -> int:
    """Forward: write the last chains of all runs of reduced cost at most `gap` to `found`; returns their number, -1 without room.

    chosen[of_first[l]:of_first[l + 1]] begin with leg l; order[of_leg[l]:of_leg[l + 1]] are the living ends that do, the cheapest first.
    """
    driver, n = p.shift_driver[shift], 0
    home = p.home[driver]
    runs.table[:] = -1
    runs.sizes[0], runs.sizes[1], runs.sizes[2] = 1, 1, 0
    runs.heap[0], runs.dead[0], runs.block[0], runs.parent[0] = 0, False, -1, -1
    runs.moment[0], runs.cost[0], runs.metres[0], runs.rides[0] = p.shift_from[shift], constant + p.rates[5] * CENT, 0, 0
    runs.odd[0] = np.uint64(0)
    runs.served[0] = np.uint64(0)
    code[0] = np.uint64(0)
    while runs.sizes[1] > 0:
        now = pop(runs.heap, runs.sizes, runs.moment)
        if runs.dead[now]:
            continue
        place = p.begin[shift] if now == 0 else p.place[2 * runs.leg[now] + 1]
        if now > 0 and runs.cost[now] + p.metres[place, home] * p.rates[0] <= gap:
            if n == len(found):
                return -1
            found[n] = now
            n += 1
        for leg in range(len(p.priority)):
            if of_first[leg] == of_first[leg + 1] or of_leg[leg] == of_leg[leg + 1]:
                continue
            pickup = p.place[2 * leg]
            arrive = runs.moment[now] + p.times[place, pickup]
            way = p.metres[place, pickup]
            if now > 0:
                way = min(way, p.metres[place, home] + p.metres[home, pickup])
            if arrive > p.late[2 * leg] or not _ends_within(p, shift, runs, now, leg, arrive, way, gap, ends, order, of_leg):
                continue
            for k in range(of_first[leg], of_first[leg + 1]):
                f = chosen[k]
                if arrive > b.latest[f] or _overlap(bits[f], runs.served[now]):
                    continue
                if not _append(p, b, bits, worth, x, f, shift, now, arrive, way, gap, ends, order, of_leg, salt, code, runs):
                    return -1
    return n


@woven
def _append(
    p: Arrays,
    b: Blocks,
    bits: Any,
    worth: Any,
    x: Toll,
    f: int,
    shift: int,
    now: int,
    arrive: int,
    way: int,
    gap: float,
    ends: Chains,
    order: IntArray,
    of_leg: IntArray,
    salt: Any,
    code: Any,
    runs: Chains,
) -> bool:
    """Block f after a chain, where the run can still end within the distance; False when there is no room."""
    driver, last = p.shift_driver[shift], b.last[f]
    place = p.place[2 * last + 1]
    home = p.home[driver]
    moment = max(b.ready[f], arrive + b.lasts[f])
    depart = runs.depart[now] if now > 0 else first_departure(p, b, f, shift)
    back = moment + p.times[place, home]
    if back > p.shift_to[shift] or back - depart > p.max_duty[shift]:
        return True
    total = runs.cost[now] + (way + b.metres[f]) * p.rates[0] - worth[f] + price_of(x, runs.odd[now] & x.odd[f])
    metres, rides = runs.metres[now] + way + b.metres[f], runs.rides[now] + b.size[f] // 2
    if metres > p.max_metres[driver] or rides > p.max_rides[driver]:
        return True
    metres = metres if p.max_metres[driver] < NO_LIMIT else 0
    rides = rides if p.max_rides[driver] < NO_LIMIT else 0
    new = runs.sizes[0]
    if new == len(runs.cost) or runs.sizes[2] > _MOST_TRIES:
        return False
    _join(bits, f, now, runs, new)
    runs.moment[new], runs.cost[new], runs.metres[new], runs.rides[new] = moment, total, metres, rides
    runs.odd[new] = runs.odd[now] ^ x.odd[f]
    if total + p.metres[place, home] * p.rates[0] > gap:
        can_end = False
        for leg in range(len(p.priority)):
            if of_leg[leg] < of_leg[leg + 1]:
                pickup = p.place[2 * leg]
                there = moment + p.times[place, pickup]
                on = min(p.metres[place, pickup], p.metres[place, home] + p.metres[home, pickup])
                if there <= p.late[2 * leg] and _ends_within(p, shift, runs, new, leg, there, on, gap, ends, order, of_leg):
                    can_end = True
                    break
        if not can_end:
            return True
    mark = code[now]
    for q in range(b.size[f] // 2):
        mark ^= salt[b.legs[f, q]]
    code[new] = mark
    slot = np.int64((mark ^ (salt[last] * np.uint64(3))) & np.uint64(len(runs.table) - 1))
    _add(runs, new, slot, moment, total, metres, rides, depart, last, f, now, True)
    return True


@woven
def _ends_within(
    p: Arrays,
    shift: int,
    runs: Chains,
    now: int,
    leg: int,
    arrive: int,
    way: int,
    gap: float,
    ends: Chains,
    order: IntArray,
    of_leg: IntArray,
) -> bool:
    """Whether some end that goes on with this leg completes the chain within the distance, no leg twice."""
    driver = p.shift_driver[shift]
    spent = runs.cost[now] + way * p.rates[0]
    for k in range(of_leg[leg], of_leg[leg + 1]):
        end = order[k]
        runs.sizes[2] += 1
        if spent + ends.cost[end] > gap:
            return False
        if arrive > -ends.moment[end] or _overlap(ends.served[end], runs.served[now]):
            continue
        if runs.metres[now] + way + ends.metres[end] <= p.max_metres[driver] or p.max_metres[driver] == NO_LIMIT:
            return True
    return False


@woven
def _join(bits: Any, f: int, now: int, chains: Chains, new: int) -> None:
    """The legs of a longer chain."""
    for w in range(bits.shape[1]):
        chains.served[new, w] = bits[f, w] | (chains.served[now, w] if now >= 0 else np.uint64(0))
        chains.open[new, w] = chains.served[new, w]


@woven
def _overlap(some: Any, others: Any) -> bool:
    for w in range(len(some)):  # noqa: SIM110 - a generator would not compile
        if some[w] & others[w]:
            return True
    return False


@woven
def _add(
    c: Chains,
    new: int,
    slot: int,
    moment: int,
    cost: float,
    metres: int,
    rides: int,
    depart: int,
    leg: int,
    block: int,
    parent: int,
    same_legs: bool,
) -> None:
    """Keep a chain, unless one in its list beats it; those that it beats die. With `same_legs` only chains over the same legs compare."""
    other, before = c.table[slot], -1
    while other >= 0:
        following = c.next[other]
        c.sizes[2] += 1
        if c.dead[other]:
            if before >= 0:
                c.next[before] = following
            else:
                c.table[slot] = following
            other = following
            continue
        if c.leg[other] == leg:
            if (
                c.moment[other] <= moment
                and c.cost[other] <= cost
                and c.metres[other] <= metres
                and c.rides[other] <= rides
                and c.depart[other] >= depart
                and _covers(c, other, new, same_legs)
            ):
                return
            if (
                moment <= c.moment[other]
                and cost <= c.cost[other]
                and metres <= c.metres[other]
                and rides <= c.rides[other]
                and depart >= c.depart[other]
                and _covers(c, new, other, same_legs)
            ):
                c.dead[other] = True
        before = other
        other = following
    c.sizes[0] += 1
    c.moment[new], c.cost[new], c.metres[new], c.rides[new] = moment, cost, metres, rides
    c.depart[new], c.leg[new], c.block[new], c.parent[new], c.dead[new] = depart, leg, block, parent, False
    c.next[new] = c.table[slot]
    c.table[slot] = new
    push(c.heap, c.sizes, c.moment, new)


@woven
def _covers(c: Chains, one: int, other: int, same_legs: bool) -> bool:
    """Whether the one may go wherever the other may."""
    for w in range(c.served.shape[1]):
        if same_legs:
            if c.served[one, w] != c.served[other, w]:
                return False
        elif c.open[one, w] & ~c.open[other, w]:
            return False
    return True
