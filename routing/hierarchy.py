"""Contraction hierarchy over arcs and turns: prepared once per network, searched in microseconds.

In: a network. Out: a `Hierarchy`, saved beside the network and mapped back by `routing.saved`; searched by `routing.matrix`.

Vertices are contracted one by one, least important first; where the shortest path between two neighbours led through the vertex, a
shortcut keeps its length (Geisberger, Sanders, Schultes, Vetter 2012, doi:10.1287/trsc.1110.0401). The order is by edge quotient,
original edges per shortcut and depth, updated lazily. Weights are lexicographic: milliseconds, then metres, in one int64; so the
shortest path is the fastest, and the shortest among the fastest, and its metres come with it.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.heap import Heap, make_heap, pop, push
from routing.turns import make_turn_graph

if TYPE_CHECKING:
    from routing.network import RoadNetwork

Array = npt.NDArray[Any]

METRE_BITS = 24  # a weight is ms << 24 | metres: exact up to 16,777 km
INFINITE = np.int64(2**62)
_WITNESS_LIMIT = 60  # settled vertices of one witness search; more only finds fewer superfluous shortcuts
_CACHE = "_hierarchy"

#: Type and axis of every array: V vertices, F upward arcs, B downward arcs seen from their lower end, A arcs of the network.
LAYOUT: dict[str, tuple[str, str]] = {
    "start_vertex": ("<i4", "A"), "end_vertex": ("<i4", "A"), "arc": ("<i4", "V"),
    "turn_pointer": ("<i8", "V+1"), "turn_target": ("<i4", "T"), "turn_ms": ("<i4", "T"),
    "up_pointer": ("<i8", "V+1"), "up_vertex": ("<i4", "F"), "up_weight": ("<i8", "F"), "up_middle": ("<i4", "F"),
    "down_pointer": ("<i8", "V+1"), "down_vertex": ("<i4", "B"), "down_weight": ("<i8", "B"), "down_middle": ("<i4", "B"),
}  # fmt: skip


@dataclass(frozen=True)
class Hierarchy:
    """Vertices are numbered by importance. An arc of `up` leads from a vertex to a more important one; an arc of `down` is a road from a
    more important vertex, kept at its less important end. `middle` is the vertex a shortcut leads through, -1 for a turn of the network."""

    start_vertex: Array  # [A] where a journey begins on an arc, or -1
    end_vertex: Array  # [A] where it ends
    arc: Array  # [V] arc of each vertex
    turn_pointer: Array  # [V + 1] turns of the network, by vertex
    turn_target: Array  # [T]
    turn_ms: Array  # [T]
    up_pointer: Array  # [V + 1]
    up_vertex: Array  # [F]
    up_weight: Array  # [F] int64, ms << METRE_BITS | metres: of the turn and the arc turned into
    up_middle: Array  # [F]
    down_pointer: Array  # [V + 1]
    down_vertex: Array  # [B]
    down_weight: Array  # [B]
    down_middle: Array  # [B]

    def __post_init__(self) -> None:
        for item in fields(self):
            getattr(self, item.name).flags.writeable = False  # as when opened from a file: one kind of array, compiled for once


def hierarchy_of(network: "RoadNetwork") -> Hierarchy:
    """The hierarchy of a network: opened with it, or built now and kept with it."""
    found = network.__dict__.get(_CACHE)
    if isinstance(found, Hierarchy):
        return found
    built = build_hierarchy(network)
    network.__dict__[_CACHE] = built
    return built


def keep_hierarchy(network: "RoadNetwork", hierarchy: Hierarchy) -> None:
    """Give a network the hierarchy it was saved with."""
    network.__dict__[_CACHE] = hierarchy


def arc_weights(network: "RoadNetwork") -> Array:
    """Weight of driving each arc from end to end; meaningless where it is closed. int64[2E]"""
    ms = np.stack([network.ms_along, network.ms_against], axis=1).ravel().astype(np.int64)
    return (ms << METRE_BITS) + np.repeat(network.metres.astype(np.int64), 2)


def build_hierarchy(network: "RoadNetwork") -> Hierarchy:
    """Contract a network.

    Returns
    -------
    Hierarchy
        About 15 microseconds of one core per vertex on road networks of 10^4 to 10^6 arcs.
    """
    graph = make_turn_graph(network)
    n = len(graph.arc)
    source = np.repeat(np.arange(n), np.diff(graph.pointer))
    weight = (graph.turn_ms.astype(np.int64) << METRE_BITS) + arc_weights(network)[graph.arc[graph.target]]
    order, level, up, down = _contract(n, source.astype(np.int32), graph.target, weight)
    # deeper levels later, and in the order of contraction within a level: arcs lead from lower numbers to higher ones
    position = np.empty(n, np.int32)
    position[np.lexsort((order, level))] = np.arange(n, dtype=np.int32)
    back = np.argsort(position)
    number = np.append(position, np.int32(-1))  # number[-1] = -1
    turns = np.diff(graph.pointer)[back]
    rows = np.repeat(graph.pointer[:-1][back], turns) + np.arange(turns.sum()) - np.repeat(np.cumsum(turns) - turns, turns)
    sides = {}
    for name, (a, b, w, middle) in (("up", up), ("down", down)):
        low, high = position[a], position[b]
        sort = np.lexsort((high, low))
        sides[f"{name}_pointer"] = np.append(0, np.cumsum(np.bincount(low, minlength=n))).astype(np.int64)
        sides[f"{name}_vertex"], sides[f"{name}_weight"] = high[sort], w[sort]
        sides[f"{name}_middle"] = number[middle][sort]
    return Hierarchy(
        start_vertex=number[graph.start_vertex],
        end_vertex=number[graph.end_vertex],
        arc=graph.arc[back],
        turn_pointer=np.append(0, np.cumsum(turns)).astype(np.int64),
        turn_target=position[graph.target[rows]],
        turn_ms=graph.turn_ms[rows],
        **sides,
    )


class _Links(NamedTuple):
    """Arcs that leave (or enter) the vertices that are left, in blocks with room to grow. Weights, middles and hop counts beside them."""

    start: Array  # [V] int64
    size: Array  # [V]
    room: Array  # [V]
    used: Array  # [1] of the pool
    other: Array  # [P] int32
    weight: Array  # [P] int64
    middle: Array  # [P] int32
    hops: Array  # [P] int32 turns of the network it stands for


class _Scratch(NamedTuple):
    """Of witness searches."""

    reached: Array  # [V] int64
    tick: Array  # [V] int64: `reached` is of this search
    wanted: Array  # [V] int64: a target of this search
    heap: Heap


@njit(cache=True)
def _contract(n: int, source: Array, target: Array, weight: Array) -> tuple[Any, Any, Any, Any]:
    """Order of contraction, level, and the arcs to more important vertices: leaving (up) and entering (down), as (a, b, weight, middle)."""
    out = _fill(n, source, target, weight)
    into = _fill(n, target, source, weight)
    scratch = _Scratch(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), make_heap(8 * n + 4096))
    ticks = np.zeros(2, np.int64)
    order = np.full(n, -1, np.int64)
    level = np.zeros(n, np.int64)
    priority = np.zeros(n, np.int64)
    stale = np.zeros(n, np.bool_)
    queue = make_heap(16 * n + 4096)
    queued = 0
    cuts = np.empty((4096, 4), np.int64)
    for v in range(n):
        count, hops, cuts = _shortcuts(v, out, into, scratch, ticks, cuts)
        priority[v] = _priority(v, out, into, level, count, hops)
        queued = push(queue, queued, priority[v], v)
    up = (np.empty(4 * n, np.int32), np.empty(4 * n, np.int32), np.empty(4 * n, np.int64), np.empty(4 * n, np.int32))
    down = (np.empty(4 * n, np.int32), np.empty(4 * n, np.int32), np.empty(4 * n, np.int64), np.empty(4 * n, np.int32))
    ups = downs = done = 0
    while queued > 0:
        key, v = queue.key[0], int(queue.vertex[0])
        queued = pop(queue, queued)
        if order[v] >= 0 or key != priority[v]:
            continue
        count, hops, cuts = _shortcuts(v, out, into, scratch, ticks, cuts)
        if stale[v]:
            stale[v] = False
            priority[v] = _priority(v, out, into, level, count, hops)
            if queued > 0 and priority[v] > queue.key[0]:
                queued = push(queue, queued, priority[v], v)
                continue
        order[v] = done
        done += 1
        up, ups = _keep(up, ups, v, out)
        down, downs = _keep(down, downs, v, into)
        _unlink(v, out, into, level, stale)
        _unlink(v, into, out, level, stale)
        for k in range(count):
            out = _join(out, cuts[k, 0], cuts[k, 1], cuts[k, 2], v, cuts[k, 3])
            into = _join(into, cuts[k, 1], cuts[k, 0], cuts[k, 2], v, cuts[k, 3])
        out.size[v] = into.size[v] = 0
    return (
        order,
        level,
        (up[0][:ups], up[1][:ups], up[2][:ups], up[3][:ups]),
        (down[0][:downs], down[1][:downs], down[2][:downs], down[3][:downs]),
    )


@njit(cache=True)
def _fill(n: int, source: Array, target: Array, weight: Array) -> _Links:
    """Links by source; of parallel ones the lightest, and none from a vertex to itself."""
    start, size, room = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for k in range(len(source)):
        room[source[k]] += 1
    total = 0
    for v in range(n):
        room[v] += 2
        start[v] = total
        total += room[v]
    pool = 2 * total + 1024
    other, middle, hops = np.empty(pool, np.int32), np.empty(pool, np.int32), np.empty(pool, np.int32)
    links = _Links(start, size, room, np.array([total]), other, np.empty(pool, np.int64), middle, hops)
    for k in range(len(source)):
        if source[k] != target[k]:
            links = _join(links, source[k], target[k], weight[k], -1, 1)
    return links


@njit(cache=True)
def _join(links: _Links, a: Any, b: Any, weight: Any, middle: Any, hops: Any) -> _Links:
    """Add a link, or make the one that is there lighter. The pool is made anew when it is full."""
    for k in range(links.start[a], links.start[a] + links.size[a]):
        if links.other[k] == b:
            if weight < links.weight[k]:
                links.weight[k] = weight
                links.middle[k] = middle
                links.hops[k] = hops
            return links
    if links.size[a] == links.room[a]:
        room = 2 * links.room[a]
        if links.used[0] + room > len(links.other):
            more = len(links.other) + room
            links = _Links(
                links.start,
                links.size,
                links.room,
                links.used,
                np.concatenate((links.other, np.empty(more, np.int32))),
                np.concatenate((links.weight, np.empty(more, np.int64))),
                np.concatenate((links.middle, np.empty(more, np.int32))),
                np.concatenate((links.hops, np.empty(more, np.int32))),
            )
        here, there = links.start[a], links.used[0]
        for k in range(links.size[a]):
            links.other[there + k] = links.other[here + k]
            links.weight[there + k] = links.weight[here + k]
            links.middle[there + k] = links.middle[here + k]
            links.hops[there + k] = links.hops[here + k]
        links.start[a] = there
        links.room[a] = room
        links.used[0] += room
    k = links.start[a] + links.size[a]
    links.other[k] = b
    links.weight[k] = weight
    links.middle[k] = middle
    links.hops[k] = hops
    links.size[a] += 1
    return links


@njit(cache=True)
def _shortcuts(v: int, out: _Links, into: _Links, scratch: _Scratch, ticks: Array, cuts: Array) -> tuple[int, int, Array]:
    """What contracting a vertex would add: rows (from, to, weight, hops) of `cuts`, which grows; their number and all their hops."""
    count = 0
    hops: Any = 0
    first, last = out.start[v], out.start[v] + out.size[v]
    for i in range(into.start[v], into.start[v] + into.size[v]):
        a, to_v = into.other[i], into.weight[i]
        ticks[1] += 1
        longest, left = np.int64(-1), 0
        for o in range(first, last):
            if out.other[o] != a:
                longest = max(longest, to_v + out.weight[o])
                scratch.wanted[out.other[o]] = ticks[1]
                left += 1
        if left == 0:
            continue
        ticks[0] += 1
        _witness(a, v, longest, left, out, scratch, ticks)
        for o in range(first, last):
            b = out.other[o]
            weight = to_v + out.weight[o]
            if b == a or (scratch.tick[b] == ticks[0] and scratch.reached[b] <= weight):
                continue
            if count == len(cuts):
                cuts = np.concatenate((cuts, np.empty_like(cuts)))
            cuts[count, 0], cuts[count, 1], cuts[count, 2] = a, b, weight
            cuts[count, 3] = into.hops[i] + out.hops[o]
            hops += cuts[count, 3]
            count += 1
    return count, hops, cuts


@njit(cache=True)
def _witness(source: Any, without: int, longest: Any, left: int, out: _Links, scratch: _Scratch, ticks: Array) -> None:
    """Dijkstra from `source` around a vertex, up to a weight, a number of settled vertices, or the last wanted one."""
    heap, reached, tick = scratch.heap, scratch.reached, scratch.tick
    now = ticks[0]
    reached[source] = 0
    tick[source] = now
    size = push(heap, 0, 0, source)
    settled = 0
    while size > 0:
        far, u = heap.key[0], int(heap.vertex[0])
        size = pop(heap, size)
        if far > reached[u]:
            continue
        if far > longest:
            break
        if scratch.wanted[u] == ticks[1]:
            left -= 1
            if left == 0:
                break
        settled += 1
        if settled > _WITNESS_LIMIT:
            break
        for k in range(out.start[u], out.start[u] + out.size[u]):
            w = out.other[k]
            along = far + out.weight[k]
            if w != without and along <= longest and (tick[w] != now or along < reached[w]):
                reached[w] = along
                tick[w] = now
                size = push(heap, size, along, w)


@njit(cache=True)
def _priority(v: int, out: _Links, into: _Links, level: Array, count: int, hops: int) -> int:
    """Smaller is contracted earlier."""
    removed = out.size[v] + into.size[v]
    removed_hops = 0
    for k in range(out.start[v], out.start[v] + out.size[v]):
        removed_hops += out.hops[k]
    for k in range(into.start[v], into.start[v] + into.size[v]):
        removed_hops += into.hops[k]
    return 1000 * level[v] + (1000 * count) // max(1, removed) + (1000 * hops) // max(1, removed_hops)


@njit(cache=True)
def _keep(rows: tuple[Array, Array, Array, Array], size: int, v: int, links: _Links) -> tuple[tuple[Array, Array, Array, Array], int]:
    """Write the links of a contracted vertex to the result."""
    need = size + links.size[v]
    if need > len(rows[0]):
        rows = (
            np.concatenate((rows[0], np.empty(need, np.int32))),
            np.concatenate((rows[1], np.empty(need, np.int32))),
            np.concatenate((rows[2], np.empty(need, np.int64))),
            np.concatenate((rows[3], np.empty(need, np.int32))),
        )
    for k in range(links.start[v], links.start[v] + links.size[v]):
        rows[0][size] = v
        rows[1][size] = links.other[k]
        rows[2][size] = links.weight[k]
        rows[3][size] = links.middle[k]
        size += 1
    return rows, size


@njit(cache=True)
def _unlink(v: int, links: _Links, back: _Links, level: Array, stale: Array) -> None:
    """Take a contracted vertex out of its neighbours' lists, which become deeper and stale."""
    for k in range(links.start[v], links.start[v] + links.size[v]):
        u = links.other[k]
        level[u] = max(level[u], level[v] + 1)
        stale[u] = True
        for j in range(back.start[u], back.start[u] + back.size[u]):
            if back.other[j] == v:
                last = back.start[u] + back.size[u] - 1
                back.other[j] = back.other[last]
                back.weight[j] = back.weight[last]
                back.middle[j] = back.middle[last]
                back.hops[j] = back.hops[last]
                back.size[u] -= 1
                break
