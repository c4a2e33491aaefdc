"""Many-to-many road times between snapped points, over the contraction hierarchy.

In: a network and two sets of snapped points. Out: `TravelTimes`, exact to the millisecond. Called by `dispatch.engine` and
`dispatch.service`.

Buckets (Knopp, Sanders, Schultes, Schulz, Wagner 2007, doi:10.1137/1.9781611972870.4): every destination climbs the hierarchy against
the traffic and leaves its distance at each vertex it meets; every origin climbs with the traffic and picks them up. A journey leaves the
edge it begins on by a turn, in every direction that may be driven, and ends part of the way along an edge; two points on one edge are
also joined straight along it.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.heap import make_heap, pop, push
from routing.hierarchy import INFINITE, METRE_BITS, Hierarchy, arc_weights, hierarchy_of
from routing.network import NO_WAY, RoadNetwork
from routing.snap import Snapped
from routing.units import UNREACHABLE

Array = npt.NDArray[Any]
_LEAST_ROWS = 64  # per thread: fewer do not pay for starting it


@dataclass(frozen=True, slots=True)
class TravelTimes:
    """`ms[i, j]` from origin i to destination j; `metres[i, j]` of the same path. UNREACHABLE where there is none."""

    ms: npt.NDArray[np.int32]
    metres: npt.NDArray[np.int32] | None


class RoadTimes(Protocol):
    """What `travel_times` answers on one network; with a cache before it, `routing.cache.CachedTravelTimes`."""

    def __call__(self, origins: Snapped, destinations: Snapped, metres: bool = False) -> TravelTimes:
        """The same numbers."""


class Seeds(NamedTuple):
    """Where the climb of each point begins. Shapes: n points, S seeds."""

    pointer: Array  # [n + 1]
    vertex: Array  # [S]
    weight: Array  # [S] int64; of a destination negative: what is not driven of the last arc


class _Slope(NamedTuple):
    """One way up the hierarchy."""

    pointer: Array
    vertex: Array
    weight: Array


class _Buckets(NamedTuple):
    """What the destinations left behind, by vertex. Shapes: V vertices, C entries."""

    pointer: Array  # [V + 1]
    destination: Array  # [C] int32
    weight: Array  # [C] int64


def travel_times(network: RoadNetwork, origins: Snapped, destinations: Snapped, metres: bool = False, threads: int = 1) -> TravelTimes:
    """Fastest times from every origin to every destination.

    Parameters
    ----------
    network : RoadNetwork
    origins, destinations : Snapped
        Of n and m points; edge -1 gives a row or column of UNREACHABLE.
    metres : bool
        Also return lengths.
    threads : int
        At most so many; the numbers are the same for any.

    Returns
    -------
    TravelTimes
        int32[n, m]; of the fastest paths the shortest. Turn restrictions and turn costs are obeyed, private roads serve only at the ends
        of a journey. O((n + m) climbs + n m); a climb meets some hundred vertices whatever the network. Memory: what is returned, and a
        few hundred entries per destination.
    """
    hierarchy = hierarchy_of(network)
    up = _Slope(hierarchy.up_pointer, hierarchy.up_vertex, hierarchy.up_weight)
    down = _Slope(hierarchy.down_pointer, hierarchy.down_vertex, hierarchy.down_weight)
    n, m = len(origins.edge), len(destinations.edge)
    ms = np.empty((n, m), np.int32)
    length = np.empty((n, m) if metres else (n, 0), np.int32)
    leaving, start = leaving_seeds(network, origins)
    arriving, end = arriving_seeds(network, destinations)
    buckets = _fill_buckets(arriving, down, up)
    beside = _same_edge(network, origins.edge, destinations.edge)

    def rows(first: int, last: int) -> None:
        is_open = (network.ms_along, network.ms_against)
        _pick_up(first, last, leaving, up, down, buckets, beside, origins.edge, start, end, *is_open, ms, length)

    shares = np.linspace(0, n, min(threads, max(1, n // _LEAST_ROWS)) + 1).astype(int).tolist()
    if len(shares) == 2:
        rows(0, n)
    else:
        with ThreadPoolExecutor(len(shares) - 1) as pool:
            list(pool.map(rows, shares[:-1], shares[1:]))
    return TravelTimes(ms, length if metres else None)


def leaving_seeds(network: RoadNetwork, points: Snapped) -> tuple[Seeds, Array]:
    """Where journeys from some points begin, and the weights to the ends of their edges (`_parts`)."""
    hierarchy, rest = hierarchy_of(network), _parts(network, points)
    return _leave(points.edge, rest, arc_weights(network), hierarchy.start_vertex, *_turns(hierarchy)), rest


def arriving_seeds(network: RoadNetwork, points: Snapped) -> tuple[Seeds, Array]:
    """Where journeys to some points end, and the weights from there to the ends of their edges."""
    rest = _parts(network, points)
    return _arrive(points.edge, rest, hierarchy_of(network).end_vertex), rest


def _turns(hierarchy: Hierarchy) -> tuple[Array, Array, Array, Array]:
    return hierarchy.turn_pointer, hierarchy.turn_target, hierarchy.turn_ms, hierarchy.arc


def _parts(network: RoadNetwork, points: Snapped) -> Array:
    """Weight from each point to the end of its edge (column 0, along) and to its start (column 1, against). int64[n, 2]"""
    edge = np.maximum(points.edge, 0)
    if len(network.metres) == 0 or len(edge) == 0:
        return np.zeros((len(edge), 2), np.int64)
    ms_along, ms_against, metres = (column[edge].astype(np.int64) for column in (network.ms_along, network.ms_against, network.metres))
    done_m = np.rint(points.fraction * metres).astype(np.int64)
    ahead_ms = ms_along - np.rint(points.time_fraction * ms_along).astype(np.int64)
    behind_ms = np.rint(points.time_fraction * ms_against).astype(np.int64)
    return np.stack([(ahead_ms << METRE_BITS) + metres - done_m, (behind_ms << METRE_BITS) + done_m], axis=1)


def _same_edge(network: RoadNetwork, origin_edge: Array, destination_edge: Array) -> tuple[Array, Array, Array]:
    """Destinations in order of their edges, and for each origin which of them lie on its edge."""
    order = np.argsort(destination_edge, kind="stable")
    ordered = destination_edge[order]
    left, right = (np.searchsorted(ordered, origin_edge, side) for side in ("left", "right"))
    return order, left, np.where(origin_edge >= 0, right, left)


@njit(cache=True, nogil=True)
def _leave(
    edge: Array, part: Array, arc_weight: Array, start_vertex: Array, turn_pointer: Array, turn_target: Array, turn_ms: Array, arc: Array
) -> Seeds:
    """Seeds of origins: every arc that can be turned into at the ends of the edge."""
    pointer = np.zeros(len(edge) + 1, np.int64)
    vertex = np.empty(8 * len(edge) + 8, np.int32)
    weight = np.empty(8 * len(edge) + 8, np.int64)
    n = 0
    for k in range(len(edge)):
        for side in range(2):
            v = start_vertex[2 * edge[k] + side] if edge[k] >= 0 else -1
            if v < 0:
                continue
            for t in range(turn_pointer[v], turn_pointer[v + 1]):
                if n == len(vertex):
                    vertex = np.concatenate((vertex, np.empty(n, np.int32)))
                    weight = np.concatenate((weight, np.empty(n, np.int64)))
                vertex[n] = turn_target[t]
                weight[n] = part[k, side] + (np.int64(turn_ms[t]) << METRE_BITS) + arc_weight[arc[turn_target[t]]]
                n += 1
        pointer[k + 1] = n
    return Seeds(pointer, vertex[:n], weight[:n])


@njit(cache=True, nogil=True)
def _arrive(edge: Array, part: Array, end_vertex: Array) -> Seeds:
    """Seeds of destinations: the arcs of the edge, less what lies beyond the point."""
    pointer = np.zeros(len(edge) + 1, np.int64)
    vertex = np.empty(2 * len(edge), np.int32)
    weight = np.empty(2 * len(edge), np.int64)
    n = 0
    for k in range(len(edge)):
        for side in range(2):
            v = end_vertex[2 * edge[k] + side] if edge[k] >= 0 else -1
            if v >= 0:
                vertex[n] = v
                weight[n] = -part[k, side]
                n += 1
        pointer[k + 1] = n
    return Seeds(pointer, vertex[:n], weight[:n])


@njit(cache=True, nogil=True)
def climb(seeds: Seeds, k: int, slope: _Slope, against: _Slope, label: Array, tick: Array, now: int, heap: Any, met: Array) -> int:
    """Dijkstra upwards from the seeds of point k; vertices that a detour over a more important one reaches earlier are stalled.

    Settled vertices are written to `met`, their weights to `label`; their number is returned.
    """
    size = n = 0
    for s in range(seeds.pointer[k], seeds.pointer[k + 1]):
        v, weight = seeds.vertex[s], seeds.weight[s]
        if tick[v] != now or weight < label[v]:
            tick[v] = now
            label[v] = weight
            size = push(heap, size, weight, v)
    while size > 0:
        far, u = heap.key[0], heap.vertex[0]
        size = pop(heap, size)
        if far > label[u]:
            continue
        stalled = False
        for e in range(against.pointer[u], against.pointer[u + 1]):
            v = against.vertex[e]
            if tick[v] == now and label[v] + against.weight[e] < far:
                stalled = True
                break
        if stalled:
            continue
        met[n] = u
        n += 1
        for e in range(slope.pointer[u], slope.pointer[u + 1]):
            v = slope.vertex[e]
            weight = far + slope.weight[e]
            if tick[v] != now or weight < label[v]:
                tick[v] = now
                label[v] = weight
                size = push(heap, size, weight, v)
    return n


@njit(cache=True, nogil=True)
def _fill_buckets(seeds: Seeds, down: _Slope, up: _Slope) -> _Buckets:
    """Every destination's climb against the traffic, sorted by vertex."""
    vertices = len(up.pointer) - 1
    label, tick = np.empty(vertices, np.int64), np.full(vertices, -1, np.int32)
    met = np.empty(vertices, np.int32)
    heap = make_heap(len(down.vertex) + 1024)
    points = len(seeds.pointer) - 1
    room = 256 * points + 256
    at, destination, weight = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int64)
    pointer = np.zeros(vertices + 1, np.int64)
    n = 0
    for k in range(points):
        found = climb(seeds, k, down, up, label, tick, k, heap, met)
        if n + found > room:
            more = room + found
            at = np.concatenate((at, np.empty(more, np.int32)))
            destination = np.concatenate((destination, np.empty(more, np.int32)))
            weight = np.concatenate((weight, np.empty(more, np.int64)))
            room += more
        for i in range(found):
            at[n] = met[i]
            destination[n] = k
            weight[n] = label[met[i]]
            pointer[met[i] + 1] += 1
            n += 1
    for v in range(vertices):
        pointer[v + 1] += pointer[v]
    place = pointer[:-1].copy()
    sorted_destination, sorted_weight = np.empty(n, np.int32), np.empty(n, np.int64)
    for i in range(n):
        j = place[at[i]]
        place[at[i]] += 1
        sorted_destination[j] = destination[i]
        sorted_weight[j] = weight[i]
    return _Buckets(pointer, sorted_destination, sorted_weight)


@njit(cache=True, nogil=True)
def _pick_up(
    first: int,
    last: int,
    seeds: Seeds,
    up: _Slope,
    down: _Slope,
    buckets: _Buckets,
    beside: tuple[Array, Array, Array],
    edge: Array,
    start: Array,
    end: Array,
    ms_along: Array,
    ms_against: Array,
    ms: Array,
    metres: Array,
) -> None:
    """Rows of the result: each origin's climb with the traffic, meeting the buckets."""
    vertices = len(up.pointer) - 1
    label, tick = np.empty(vertices, np.int64), np.full(vertices, -1, np.int32)
    met = np.empty(vertices, np.int32)
    heap = make_heap(len(up.vertex) + len(seeds.vertex) + 1024)
    row = np.empty(ms.shape[1], np.int64)
    order, left, right = beside
    for k in range(first, last):
        row[:] = INFINITE
        found = climb(seeds, k, up, down, label, tick, k, heap, met)
        for i in range(found):
            far = label[met[i]]
            for e in range(buckets.pointer[met[i]], buckets.pointer[met[i] + 1]):
                whole = far + buckets.weight[e]
                row[buckets.destination[e]] = min(row[buckets.destination[e]], whole)
        for i in range(left[k], right[k]):
            j = order[i]
            if ms_along[edge[k]] != NO_WAY and end[j, 0] <= start[k, 0]:
                row[j] = min(row[j], start[k, 0] - end[j, 0])
            if ms_against[edge[k]] != NO_WAY and end[j, 1] <= start[k, 1]:
                row[j] = min(row[j], start[k, 1] - end[j, 1])
        for j in range(len(row)):
            if row[j] >= INFINITE // 2:
                ms[k, j] = UNREACHABLE
            else:
                ms[k, j] = row[j] >> METRE_BITS
        for j in range(metres.shape[1]):
            metres[k, j] = UNREACHABLE if row[j] >= INFINITE // 2 else row[j] & ((1 << METRE_BITS) - 1)
