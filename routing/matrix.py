"""Many-to-many road times between snapped points.

In: a network and two sets of snapped points. Out: `TravelTimes`, exact to the millisecond. Called by `dispatch.engine` and
`dispatch.service`.

The inside is one Dijkstra per distinct source node (1959, doi:10.1007/BF01386390) on the folded graph, by scipy. The graph has
three layers, so that end_only edges serve only at the ends of a journey: start (end_only edges), core (public edges), end (end_only
edges), with free steps down from one layer to the next at every node.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse import csgraph

from routing.network import NO_WAY, RoadNetwork
from routing.snap import Snapped
from routing.units import UNREACHABLE

#: One float64 holds milliseconds and metres: w = ms * _METRE_ROOM + metres. Exact below 2**53, that is up to 16,777 km and 149 hours, and
#: the shortest path by w is the fastest, the shortest among the fastest.
_METRE_ROOM = float(2**24)
_SOURCES_AT_ONCE = 64
_AT_JUNCTION = 1e-6  # of an edge's length
_CACHE = "_matrix_graph"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TravelTimes:
    """`ms[i, j]` from origin i to destination j; `metres[i, j]` of the same path. UNREACHABLE where there is none."""

    ms: npt.NDArray[np.int32]
    metres: npt.NDArray[np.int32] | None


@dataclass(frozen=True, slots=True)
class _Graph:
    weights: sp.csr_array  # over layered nodes
    start_node: Ints  # [N] the node's place in the start layer (the core where it touches no end_only edge)
    end_node: Ints  # [N]


def travel_times(network: RoadNetwork, origins: Snapped, destinations: Snapped, metres: bool = False) -> TravelTimes:
    """Fastest times from every origin to every destination.

    Parameters
    ----------
    network : RoadNetwork
    origins, destinations : Snapped
        Of n and m points; edge -1 gives a row or column of UNREACHABLE.
    metres : bool
        Also return lengths.

    Returns
    -------
    TravelTimes
        int32[n, m]. Parts of the first and last edge are counted in the directions that may be driven; two points on one edge are joined
        along it where its direction allows, round the block where not. O((E log N) x distinct source nodes), and O(n m + 64 N) memory.
    """
    graph = _graph(network)
    exits = _ends(network, graph.start_node, origins, leaving=True)
    entries = _ends(network, graph.end_node, destinations, leaving=False)
    best = np.full((len(origins.edge), len(destinations.edge)), np.inf)
    sources, back = np.unique(exits[0], return_inverse=True)
    back = back.reshape(exits[0].shape)
    for first in range(0, len(sources), _SOURCES_AT_ONCE):
        chunk = sources[first : first + _SOURCES_AT_ONCE]
        distance = csgraph.dijkstra(graph.weights, directed=True, indices=chunk)
        for side in range(2):
            rows = np.nonzero((back[side] >= first) & (back[side] < first + len(chunk)))[0]
            here = distance[back[side, rows] - first]
            for other in range(2):
                whole = here[:, entries[0][other]] + exits[1][side, rows][:, None] + entries[1][other][None, :]
                best[rows] = np.minimum(best[rows], whole)
    _along_one_edge(network, origins, destinations, best)
    best[origins.edge < 0, :] = np.inf
    best[:, destinations.edge < 0] = np.inf
    road = np.isfinite(best)
    whole = np.where(road, best, 0.0)
    ms = np.floor(whole / _METRE_ROOM)
    length = whole - ms * _METRE_ROOM
    return TravelTimes(
        np.where(road, ms, UNREACHABLE).astype(np.int32),
        np.where(road, length, UNREACHABLE).astype(np.int32) if metres else None,
    )


def _weight(ms: npt.NDArray[np.generic], metres: npt.NDArray[np.generic]) -> Floats:
    return np.asarray(ms, np.float64) * _METRE_ROOM + np.asarray(metres, np.float64)


def _graph(network: RoadNetwork) -> _Graph:
    """The layered graph, built once per network."""
    found = network.__dict__.get(_CACHE)
    if isinstance(found, _Graph):
        return found
    n = len(network.node_lon)
    private = network.end_only
    touched = np.unique(np.concatenate([network.edge_from[private], network.edge_to[private]])).astype(np.int64)
    start, end = np.arange(n), np.arange(n)
    start[touched] = n + np.arange(len(touched))
    end[touched] = n + len(touched) + np.arange(len(touched))
    source, target, weight = _arcs(network, ~private)
    down = [(start[touched], touched), (touched, end[touched])]
    inside, outside, hidden = _arcs(network, private)
    source = np.concatenate([source, start[inside], end[inside], *(a for a, _ in down)])
    target = np.concatenate([target, start[outside], end[outside], *(b for _, b in down)])
    weight = np.concatenate([weight, hidden, hidden, np.zeros(2 * len(touched))])
    graph = _Graph(_cheapest(source, target, weight, n + 2 * len(touched)), start, end)
    network.__dict__[_CACHE] = graph
    return graph


def _arcs(network: RoadNetwork, mask: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Directed arcs of some edges."""
    a, b = network.edge_from[mask].astype(np.int64), network.edge_to[mask].astype(np.int64)
    along, against, metres = network.ms_along[mask], network.ms_against[mask], network.metres[mask]
    f, g = along != NO_WAY, against != NO_WAY
    weight = np.concatenate([_weight(along[f], metres[f]), _weight(against[g], metres[g])])
    return np.concatenate([a[f], b[g]]), np.concatenate([b[f], a[g]]), weight


def _cheapest(source: Ints, target: Ints, weight: Floats, n: int) -> sp.csr_array:
    """Of parallel arcs the cheapest one: scipy would add them up."""
    order = np.lexsort((weight, target, source))
    source, target, weight = source[order], target[order], weight[order]
    first = np.ones(len(source), np.bool_)
    first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    return sp.csr_array((weight[first], (source[first], target[first])), shape=(n, n))


def _ends(network: RoadNetwork, layer: Ints, points: Snapped, *, leaving: bool) -> tuple[Ints, Floats]:
    """For each point the nodes at both ends of its edge and the weight to (leaving) or from them: shapes [2, n]; inf where closed."""
    edge = np.maximum(points.edge, 0)
    ends = [network.edge_to[edge], network.edge_from[edge]]
    node = np.stack(ends if leaving else ends[::-1])
    along_ms, against_ms, along_m = _parts(network, points, edge)
    ahead = network.ms_along[edge] - along_ms, network.metres[edge] - along_m
    behind = network.ms_against[edge] - against_ms
    if leaving:  # forward to edge_to, backward to edge_from
        weight = np.stack([_weight(*ahead), _weight(behind, along_m)])
    else:  # forward from edge_from, backward from edge_to
        weight = np.stack([_weight(along_ms, along_m), _weight(against_ms, ahead[1])])
    # a point at a junction is at the junction, whichever of its streets it was snapped to, and whichever way that one leads
    at_from, at_to = points.fraction < _AT_JUNCTION, points.fraction > 1 - _AT_JUNCTION
    beside = (at_to, at_from) if leaving else (at_from, at_to)
    for side, duration in enumerate((network.ms_along[edge], network.ms_against[edge])):
        weight[side, duration == NO_WAY] = np.inf
        weight[side, beside[side]] = 0.0
    where = np.where(network.end_only[edge], layer[node], node)
    return where.astype(np.int64), weight


def _parts(network: RoadNetwork, points: Snapped, edge: Ints) -> tuple[Ints, Ints, Ints]:
    """Whole milliseconds and metres from the edge's start to each point: driven along, driven against (from the end), and metres."""
    along = np.rint(points.time_fraction * network.ms_along[edge]).astype(np.int64)
    against = network.ms_against[edge] - np.rint(points.time_fraction * network.ms_against[edge]).astype(np.int64)
    return along, against, np.rint(points.fraction * network.metres[edge]).astype(np.int64)


def _along_one_edge(network: RoadNetwork, origins: Snapped, destinations: Snapped, best: Floats) -> None:
    """Points on the same edge: straight along it, where its direction allows."""
    order = np.argsort(destinations.edge, kind="stable")
    left = np.searchsorted(destinations.edge[order], origins.edge, "left")
    right = np.searchsorted(destinations.edge[order], origins.edge, "right")
    rows = np.repeat(np.arange(len(origins.edge)), right - left)
    count = right - left
    columns = order[np.arange(len(rows)) - np.repeat(np.cumsum(count) - count - left, count)]
    known = origins.edge[rows] >= 0
    rows, columns = rows[known], columns[known]
    edge = origins.edge[rows]
    here = [part[rows] for part in _parts(network, origins, np.maximum(origins.edge, 0))]
    there = [part[columns] for part in _parts(network, destinations, np.maximum(destinations.edge, 0))]
    length = np.abs(there[2] - here[2])
    forward = (network.ms_along[edge] != NO_WAY) & (destinations.time_fraction[columns] >= origins.time_fraction[rows])
    backward = (network.ms_against[edge] != NO_WAY) & (destinations.time_fraction[columns] <= origins.time_fraction[rows])
    weight = np.where(forward, _weight(there[0] - here[0], length), np.inf)
    weight = np.minimum(weight, np.where(backward, _weight(there[1] - here[1], length), np.inf))
    best[rows, columns] = np.minimum(best[rows, columns], weight)
