"""One way through the roads: its line, seconds, metres, and what to do at each turn, in French and English.

In: a network and two snapped places. Out: a `Route`, or None. Called for run sheets and maps; `find_legs` alone for calibration.

Both ends climb the hierarchy until they meet; shortcuts are unpacked through their middles into the arcs that are really driven.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.heap import make_heap, pop, push
from routing.hierarchy import INFINITE, METRE_BITS, Hierarchy, arc_weights, hierarchy_of
from routing.matrix import Seeds, arriving_seeds, leaving_seeds
from routing.network import NO_WAY, RoadNetwork
from routing.snap import Snapped
from routing.steps import Leg, Step, make_steps, pieces_of, split

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """From one place to another."""

    ms: int
    metres: int
    lonlat: npt.NDArray[np.float64]  # [k, 2]
    steps: tuple[Step, ...]

    def as_geojson(self) -> dict[str, Any]:
        """A GeoJSON feature (RFC 7946)."""
        geometry = {"type": "LineString", "coordinates": self.lonlat.round(7).tolist()}
        return {"type": "Feature", "geometry": geometry, "properties": {"seconds": round(self.ms / 1000), "metres": self.metres}}


def find_route(network: RoadNetwork, origin: Snapped, destination: Snapped, door: tuple[float, float] | None = None) -> Route | None:
    """The fastest way between two places; None where there is none. As exact as `travel_times`.

    Parameters
    ----------
    network : RoadNetwork
    origin, destination : Snapped
        Of one point each.
    door : (lon, lat), optional
        Where the destination really is: the last step says on which side of the road.

    Returns
    -------
    Route or None
        About the square of a few hundred vertices; a millisecond.
    """
    legs = find_legs(network, origin, destination)
    if not legs:
        return None
    pieces = [piece for leg in legs for piece in pieces_of(network, leg)]
    line = np.array([pieces[0].start, *(piece.end for piece in pieces)])
    ms, metres = split(sum(leg.weight for leg in legs))
    return Route(ms=ms, metres=metres, lonlat=line, steps=tuple(make_steps(network, legs, door)))


def find_legs(network: RoadNetwork, origin: Snapped, destination: Snapped) -> list[Leg]:
    """The parts of edges that are driven, in order; none where there is no way."""
    if origin.edge[0] < 0 or destination.edge[0] < 0:
        return []
    hierarchy = hierarchy_of(network)
    leaving, start = leaving_seeds(network, origin)
    arriving, end = arriving_seeds(network, destination)
    weight, vertices = _meet(hierarchy, leaving, arriving)
    legs = [] if weight >= INFINITE // 2 else list(_legs(network, hierarchy, vertices, origin, destination, start[0], end[0]))
    e = int(origin.edge[0])
    if e == int(destination.edge[0]):
        for side, duration in enumerate((network.ms_along, network.ms_against)):
            straight = int(start[0, side] - end[0, side])
            if duration[e] != NO_WAY and 0 <= straight < weight:
                weight, legs = straight, [Leg(e, float(origin.fraction[0]), float(destination.fraction[0]), straight, 0)]
    return legs


def _meet(hierarchy: Hierarchy, leaving: Seeds, arriving: Seeds) -> tuple[int, list[int]]:
    """The lightest weight, and every vertex on the way, shortcuts unpacked."""
    up = (hierarchy.up_pointer, hierarchy.up_vertex, hierarchy.up_weight)
    down = (hierarchy.down_pointer, hierarchy.down_vertex, hierarchy.down_weight)
    forth, forth_from = upward_tree(leaving.vertex, leaving.weight, *up)
    back, back_from = upward_tree(arriving.vertex, arriving.weight, *down)
    both = np.where((forth < INFINITE) & (back < INFINITE), forth + back, INFINITE)
    top = int(both.argmin()) if len(both) else -1
    if top < 0 or both[top] >= INFINITE:
        return int(INFINITE), []
    way = [top]
    while forth_from[way[0]] >= 0:
        way.insert(0, int(forth_from[way[0]]))
    while back_from[way[-1]] >= 0:
        way.append(int(back_from[way[-1]]))
    return int(both[top]), _unpack(hierarchy, way)


def _unpack(hierarchy: Hierarchy, way: list[int]) -> list[int]:
    """Vertices with every shortcut's middles between them."""
    unpacked = [way[0]]
    for a, b in pairwise(way):
        stack = [(a, b)]
        while stack:
            u, v = stack.pop()
            middle = _middle(hierarchy, u, v)
            if middle < 0:
                unpacked.append(v)
            else:
                stack += [(middle, v), (u, middle)]
    return unpacked


def _middle(hierarchy: Hierarchy, u: int, v: int) -> int:
    low, high, side = (u, v, "up") if u < v else (v, u, "down")
    first, last = getattr(hierarchy, f"{side}_pointer")[low : low + 2]
    return int(getattr(hierarchy, f"{side}_middle")[first + np.searchsorted(getattr(hierarchy, f"{side}_vertex")[first:last], high)])


def _legs(
    network: RoadNetwork, hierarchy: Hierarchy, vertices: list[int], origin: Snapped, destination: Snapped, rest: Array, beyond: Array
) -> Iterator[Leg]:
    """The rest of the first edge, whole edges, and part of the last one; a turn's cost belongs to the edge turned into."""
    whole = arc_weights(network)
    e, last = int(origin.edge[0]), int(destination.edge[0])
    costs = {side: _turn(hierarchy, int(hierarchy.start_vertex[2 * e + side]), vertices[0]) for side in (0, 1)}
    side = min((side for side in (0, 1) if costs[side] is not None), key=lambda side: int(rest[side]) + (costs[side] or 0))
    yield Leg(e, float(origin.fraction[0]), 1.0 - side, int(rest[side]), 0)
    turn = costs[side] or 0
    for k, v in enumerate(vertices):
        arc = int(hierarchy.arc[v])
        begins, ends, weight = float(arc % 2), 1.0 - arc % 2, int(whole[arc])
        if k == len(vertices) - 1:
            ends, weight = float(destination.fraction[0]), weight - int(beyond[arc % 2])
            if arc // 2 != last:
                raise AssertionError("the way does not end at the destination")
        yield Leg(arc // 2, begins, ends, weight + turn, turn)
        if k < len(vertices) - 1:
            turn = _turn(hierarchy, v, vertices[k + 1]) or 0


def _turn(hierarchy: Hierarchy, u: int, v: int) -> int | None:
    """Weight of turning from a vertex into another; None where that cannot be."""
    if u < 0:
        return None
    turns = slice(hierarchy.turn_pointer[u], hierarchy.turn_pointer[u + 1])
    found = np.nonzero(hierarchy.turn_target[turns] == v)[0]
    return int(hierarchy.turn_ms[turns][found[0]]) << METRE_BITS if len(found) else None


@njit(cache=True, nogil=True)
def upward_tree(seed_vertex: Array, seed_weight: Array, pointer: Array, vertex: Array, weight: Array) -> tuple[Array, Array]:
    """Dijkstra upwards: the weight of every vertex it meets, and which vertex it was reached from."""
    label, reached_from = np.full(len(pointer) - 1, INFINITE, np.int64), np.full(len(pointer) - 1, -1, np.int32)
    heap = make_heap(len(vertex) + len(seed_vertex) + 64)
    size = 0
    for s in range(len(seed_vertex)):
        if seed_weight[s] < label[seed_vertex[s]]:
            label[seed_vertex[s]] = seed_weight[s]
            size = push(heap, size, seed_weight[s], seed_vertex[s])
    while size > 0:
        far, u = heap.key[0], heap.vertex[0]
        size = pop(heap, size)
        if far > label[u]:
            continue
        for e in range(pointer[u], pointer[u + 1]):
            if far + weight[e] < label[vertex[e]]:
                label[vertex[e]] = far + weight[e]
                reached_from[vertex[e]] = u
                size = push(heap, size, far + weight[e], vertex[e])
    return label, reached_from
