"""One way through the roads: its line, seconds, metres, and what to do at each turn, in French and English.

In: a network and two snapped places. Out: a `Route`, or None. Called for run sheets and maps.

Both ends climb the hierarchy until they meet; shortcuts are unpacked through their middles into the arcs that are really driven.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.heap import make_heap, pop, push
from routing.hierarchy import INFINITE, METRE_BITS, Hierarchy, arc_weights, hierarchy_of
from routing.matrix import Seeds, arriving_seeds, leaving_seeds
from routing.network import NO_WAY, RoadNetwork
from routing.snap import Snapped

Array = npt.NDArray[Any]
_TURN_DEGREES, _SHARP_DEGREES, _BACK_DEGREES = 35, 120, 170


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do at one place, and how far it carries."""

    sentence: str  # French
    sentence_en: str
    name: str  # of the road that is driven then; may be empty
    lonlat: tuple[float, float]
    ms: int  # turning and driving until the next step
    metres: int


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


class _Leg(NamedTuple):
    """Part of an edge: from one share of its length to another, and the weight of getting there and driving it."""

    edge: int
    begins: float
    ends: float
    weight: int


def find_route(network: RoadNetwork, origin: Snapped, destination: Snapped) -> Route | None:
    """The fastest way between two places (of one point each); None where there is none. As exact as `travel_times`.

    About the square of a few hundred vertices; a millisecond.
    """
    if origin.edge[0] < 0 or destination.edge[0] < 0:
        return None
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
                weight, legs = straight, [_Leg(e, float(origin.fraction[0]), float(destination.fraction[0]), straight)]
    if not legs:
        return None
    pieces = [piece for leg in legs for piece in _pieces(network, leg)]
    line = np.array([pieces[0][1], *(piece[2] for piece in pieces)])
    ms, metres = _split(weight)
    return Route(ms=ms, metres=metres, lonlat=line, steps=tuple(_steps(network, legs)))


def _meet(hierarchy: Hierarchy, leaving: Seeds, arriving: Seeds) -> tuple[int, list[int]]:
    """The lightest weight, and every vertex on the way, shortcuts unpacked."""
    up = (hierarchy.up_pointer, hierarchy.up_vertex, hierarchy.up_weight)
    down = (hierarchy.down_pointer, hierarchy.down_vertex, hierarchy.down_weight)
    forth, forth_from = _tree(leaving.vertex, leaving.weight, *up)
    back, back_from = _tree(arriving.vertex, arriving.weight, *down)
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
) -> Iterator[_Leg]:
    """The rest of the first edge, whole edges, and part of the last one; a turn's cost belongs to the edge turned into."""
    whole = arc_weights(network)
    e, last = int(origin.edge[0]), int(destination.edge[0])
    costs = {side: _turn(hierarchy, int(hierarchy.start_vertex[2 * e + side]), vertices[0]) for side in (0, 1)}
    side = min((side for side in (0, 1) if costs[side] is not None), key=lambda side: int(rest[side]) + (costs[side] or 0))
    yield _Leg(e, float(origin.fraction[0]), 1.0 - side, int(rest[side]))
    turn = costs[side] or 0
    for k, v in enumerate(vertices):
        arc = int(hierarchy.arc[v])
        begins, ends, weight = float(arc % 2), 1.0 - arc % 2, int(whole[arc])
        if k == len(vertices) - 1:
            ends, weight = float(destination.fraction[0]), weight - int(beyond[arc % 2])
            if arc // 2 != last:
                raise AssertionError("the way does not end at the destination")
        yield _Leg(arc // 2, begins, ends, weight + turn)
        if k < len(vertices) - 1:
            turn = _turn(hierarchy, v, vertices[k + 1]) or 0


def _turn(hierarchy: Hierarchy, u: int, v: int) -> int | None:
    """Weight of turning from a vertex into another; None where that cannot be."""
    if u < 0:
        return None
    turns = slice(hierarchy.turn_pointer[u], hierarchy.turn_pointer[u + 1])
    found = np.nonzero(hierarchy.turn_target[turns] == v)[0]
    return int(hierarchy.turn_ms[turns][found[0]]) << METRE_BITS if len(found) else None


def _pieces(network: RoadNetwork, leg: _Leg) -> list[tuple[int, tuple[float, float], tuple[float, float], float]]:
    """(index of the name, from, to, share of the edge) of each straight piece of a leg, in the order they are driven."""
    part = slice(int(network.pointer[leg.edge]), int(network.pointer[leg.edge + 1]))
    share, lon, lat = (column[part].astype(np.float64) for column in (network.length_share, network.lon, network.lat))
    low, high = min(leg.begins, leg.ends), max(leg.begins, leg.ends)
    cuts = np.unique(np.concatenate([[low], share[(share > low) & (share < high)], [high]]))
    at = np.stack([np.interp(cuts, share, lon), np.interp(cuts, share, lat)], axis=1)
    rows = []
    for k in range(len(cuts) - 1):
        piece = part.start + min(max(int(np.searchsorted(share, (cuts[k] + cuts[k + 1]) / 2, "right")) - 1, 0), len(share) - 2)
        name = int(network.way_name[network.way[piece]])
        rows.append((name, (float(at[k, 0]), float(at[k, 1])), (float(at[k + 1, 0]), float(at[k + 1, 1])), float(cuts[k + 1] - cuts[k])))
    if leg.begins > leg.ends:
        rows = [(name, b, a, length) for name, a, b, length in reversed(rows)]
    return rows or [(0, (float(at[0, 0]), float(at[0, 1])), (float(at[0, 0]), float(at[0, 1])), 0.0)]


def _steps(network: RoadNetwork, legs: list[_Leg]) -> Iterator[Step]:
    """A step where the road's name changes or one turns; straight on along the same road is no step."""
    step: Step | None = None
    heading, end = 0.0, (0.0, 0.0)
    for leg in legs:
        pieces = _pieces(network, leg)
        done = np.cumsum([0.0, *(piece[3] for piece in pieces)])
        done = done / done[-1] if done[-1] > 0 else np.linspace(0, 1, len(done))
        ms, metres = (np.diff(np.rint(done * whole)).astype(int) for whole in _split(leg.weight))
        for k, (name, a, b, _) in enumerate(pieces):
            bearing = _bearing(a, b) if a != b else heading
            bend = (bearing - heading + 540) % 360 - 180
            road = network.names[name]
            if step is None or road != step.name or (k == 0 and abs(bend) > _TURN_DEGREES):
                if step is not None:
                    yield step
                fr, en = _depart(bearing) if step is None else _sentences(bend)
                named = (f"{fr} : {road}.", f"{en}: {road}.") if road else (f"{fr}.", f"{en}.")
                step = Step(sentence=named[0], sentence_en=named[1], name=road, lonlat=a, ms=0, metres=0)
            step = replace(step, ms=step.ms + int(ms[k]), metres=step.metres + int(metres[k]))
            heading, end = bearing, b
    if step is not None:
        yield step
    yield Step(sentence="Vous êtes arrivé.", sentence_en="You have arrived.", name="", lonlat=end, ms=0, metres=0)


def _split(weight: int) -> tuple[int, int]:
    """Milliseconds and metres."""
    return weight >> METRE_BITS, weight & ((1 << METRE_BITS) - 1)


def _depart(bearing: float) -> tuple[str, str]:
    quarter = round(bearing % 360 / 90) % 4
    fr = ("le nord", "l'est", "le sud", "l'ouest")[quarter]
    return f"Partez vers {fr}", f"Leave towards the {('north', 'east', 'south', 'west')[quarter]}"


def _sentences(bend: float) -> tuple[str, str]:
    """By the angle, right positive."""
    if abs(bend) > _BACK_DEGREES:
        return "Faites demi-tour", "Turn round"
    fr, en = ("à droite", "right") if bend > 0 else ("à gauche", "left")
    if abs(bend) > _SHARP_DEGREES:
        return f"Tournez franchement {fr}", f"Turn sharp {en}"
    return (f"Tournez {fr}", f"Turn {en}") if abs(bend) > _TURN_DEGREES else ("Continuez", "Go on")


def _bearing(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(np.degrees(np.arctan2((b[0] - a[0]) * np.cos(np.radians(a[1])), b[1] - a[1])))


@njit(cache=True)
def _tree(seed_vertex: Array, seed_weight: Array, pointer: Array, vertex: Array, weight: Array) -> tuple[Array, Array]:
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
