"""Turns: which may be made, and what they cost. Roads become a graph of directed edges with turns between them.

In: turn rules of the data, then a network. Out: banned pairs of arcs for the network, and the `TurnGraph` that the hierarchy is built on.
Called by `routing.network` and `routing.hierarchy`.

An *arc* is an edge driven one way: 2 * edge along it, 2 * edge + 1 against it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.osm import TurnRule

if TYPE_CHECKING:
    from routing.network import RoadNetwork

Array = npt.NDArray[Any]

#: Seconds, as in OSRM's car profile (profiles/car.lua, turn_penalty, turn_bias for driving on the right, u_turn_penalty,
#: traffic_light_penalty): a turn costs up to TURN_S along a logistic curve of its angle, to the left more than to the right.
TURN_S, TURN_BIAS, UTURN_S, SIGNAL_S = 7.5, 1.075, 20.0, 2.0

#: Stages of a journey: still on private roads, on public ones, on private ones again. It never goes back.
START, CORE, END = 0, 1, 2


@dataclass(frozen=True, slots=True)
class TurnGraph:
    """Vertices are arcs at a stage of the journey; a public arc is one vertex, a private one two. Shapes: V vertices, T turns, E edges."""

    arc: Array  # [V] int32
    start_vertex: Array  # [2E] int32: where a journey begins on this arc; -1 where it may not be driven
    end_vertex: Array  # [2E] where it ends
    pointer: Array  # [V + 1] int64
    target: Array  # [T] int32 vertex
    turn_ms: Array  # [T] int32 cost of the turn alone


def banned_turns(
    rules: Sequence[TurnRule],
    node_id: Array,
    way_id: Array,
    ends: tuple[Array, Array],
    ways: tuple[Array, Array],
    is_open: tuple[Array, Array],
) -> tuple[Array, Counter[str]]:
    """Rules of the data as banned pairs of arcs.

    Parameters
    ----------
    rules : sequence of TurnRule
    node_id : int64[N]
        Of the data, per node of the network.
    way_id : int64[W]
    ends : (int[E], int[E])
        Node at the start and at the end of each edge.
    ways : (int[E], int[E])
        Index of the way next to the start and next to the end.
    is_open : (bool[E], bool[E])
        Whether an edge may be driven along, against.

    Returns
    -------
    pairs : int32[K, 2]
        Arc in, arc out; each pair once, in order.
    left_out : Counter
        Rules without effect, by the reason: off the roads, where nothing is decided, or not clear from which end of a way.
    """
    node_at = {int(osm): k for k, osm in enumerate(node_id.tolist())}
    touching = _edge_ends(ends, {node_at[rule.via_node] for rule in rules if rule.via_node in node_at})
    pairs: set[tuple[int, int]] = set()
    left_out: Counter[str] = Counter()
    for rule in rules:
        here = touching.get(node_at.get(rule.via_node, -1), [])
        if not here:
            left_out["off the roads, or where nothing is decided"] += 1
            continue
        sources = [(e, side) for e, side in here if way_id[ways[side][e]] == rule.from_way]
        targets = [(e, side) for e, side in here if way_id[ways[side][e]] == rule.to_way]
        if len(sources) != 1 or len(targets) != 1:
            left_out["ways that do not end at the junction" if sources and targets else "off the roads, or where nothing is decided"] += 1
            continue
        # an edge is driven along towards its end (side 1), against towards its start (side 0); leaving is the other way round
        (edge_in, side_in), (edge_out, side_out) = sources[0], targets[0]
        if not is_open[1 - side_in][edge_in] or not is_open[side_out][edge_out]:
            left_out["turns that one-way streets rule out already"] += 1
            continue
        arc_in, arc_out = 2 * edge_in + (1 - side_in), 2 * edge_out + side_out
        out = {2 * e + side for e, side in here if is_open[side][e]}
        pairs |= {(arc_in, other) for other in (out - {arc_out} if rule.only else {arc_out})}
    return np.array(sorted(pairs), np.int32).reshape(-1, 2), left_out


def _edge_ends(ends: tuple[Array, Array], nodes: set[int]) -> dict[int, list[tuple[int, int]]]:
    """(edge, side) that touch each of some nodes."""
    found: dict[int, list[tuple[int, int]]] = {node: [] for node in nodes}
    wanted = np.array(sorted(nodes), np.int64)
    for side, column in enumerate(ends):
        for edge in np.nonzero(np.isin(column, wanted))[0].tolist():
            found[int(column[edge])].append((edge, side))
    return found


def turn_cost_ms(degrees: Array) -> Array:
    """Cost of turning by an angle, right positive, in whole milliseconds; see TURN_S for the source."""
    bend = np.abs(np.asarray(degrees, np.float64)) * 13 / 180
    easy = TURN_S / (1 + np.exp(-(bend / TURN_BIAS - 6.5 * TURN_BIAS)))
    hard = TURN_S / (1 + np.exp(-(bend * TURN_BIAS - 6.5 / TURN_BIAS)))
    return np.asarray(np.rint(1000 * np.where(np.asarray(degrees) >= 0, easy, hard)), np.int32)


def make_turn_graph(network: "RoadNetwork") -> TurnGraph:
    """Expand a network into arcs and turns.

    Returns
    -------
    TurnGraph
        O(sum of squared degrees). Turns cost where more than two roads meet. Turning round is possible only where there is no other way
        on, and costs UTURN_S. A banned turn is left out. Private arcs come before and after public ones, never between.
    """
    edges = len(network.metres)
    is_open = np.stack([network.ms_along >= 0, network.ms_against >= 0], axis=1).ravel()
    tail = np.stack([network.edge_from, network.edge_to], axis=1).ravel().astype(np.int64)
    private = np.repeat(network.end_only, 2)
    start_vertex, end_vertex, arc = _vertices(is_open, private)
    leaving = _bearings(network)
    order = np.argsort(np.where(is_open, tail, len(network.node_lon)), kind="stable")[: int(is_open.sum())]
    out_pointer = np.searchsorted(tail[order], np.arange(len(network.node_lon) + 1)).astype(np.int64)
    degree = np.bincount(np.concatenate([network.edge_from, network.edge_to]), minlength=len(network.node_lon))
    banned = network.banned[:, 0].astype(np.int64) * (2 * edges) + network.banned[:, 1]
    table = turn_cost_ms(np.arange(-180, 181))
    stage = np.where(private[arc], np.where(np.arange(len(arc)) == start_vertex[arc], START, END), CORE).astype(np.int8)
    pointer, target, turn = _expand(
        arc, stage, tail, private, start_vertex, end_vertex, order, out_pointer, degree, leaving, np.sort(banned), table
    )
    return TurnGraph(arc, start_vertex, end_vertex, pointer, target, turn)


def _vertices(is_open: Array, private: Array) -> tuple[Array, Array, Array]:
    """start_vertex, end_vertex and the arc of every vertex: neighbours in the arcs' order."""
    copies = np.where(is_open, np.where(private, 2, 1), 0)
    first = np.cumsum(copies) - copies
    start = np.where(is_open, first, -1).astype(np.int32)
    end = np.where(is_open, first + copies - 1, -1).astype(np.int32)
    return start, end, np.repeat(np.arange(len(is_open)), copies).astype(np.int32)


def _bearings(network: "RoadNetwork") -> Array:
    """Direction in which each arc leaves its first node, in degrees, clockwise from north. [2E]"""
    first, last = network.pointer[:-1], network.pointer[1:] - 1
    a, b = np.stack([first, last], axis=1).ravel(), np.stack([first + 1, last - 1], axis=1).ravel()
    east = (network.lon[b] - network.lon[a]) * np.cos(np.radians(network.lat[a]))
    return np.degrees(np.arctan2(east, network.lat[b] - network.lat[a]))


@njit(cache=True)
def _expand(  # noqa: C901 - the one place where every rule of turning stands together
    arc: Array,
    stage: Array,
    tail: Array,
    private: Array,
    start_vertex: Array,
    end_vertex: Array,
    out_arc: Array,
    out_pointer: Array,
    degree: Array,
    leaving: Array,
    banned: Array,
    table: Array,
) -> tuple[Array, Array, Array]:
    """Turns of every vertex, counted in a first round and written in a second. `table[k]` is the cost of turning by k - 180 degrees."""
    arcs = len(tail)
    pointer = np.zeros(len(arc) + 1, np.int64)
    target = np.empty(0, np.int32)
    turn = np.empty(0, np.int32)
    for writing in range(2):
        if writing == 1:
            for v in range(len(arc)):
                pointer[v + 1] += pointer[v]
            target = np.empty(pointer[-1], np.int32)
            turn = np.empty(pointer[-1], np.int32)
        for v in range(len(arc)):
            a = np.int64(arc[v])
            node = tail[a ^ 1]
            heading = leaving[a ^ 1] + 180.0
            onward = 0  # ways on that do not end the journey here
            for k in range(out_pointer[node], out_pointer[node + 1]):
                b = out_arc[k]
                if b != a ^ 1 and not _is_banned(banned, a * arcs + b) and (stage[v] != CORE or not private[b]):
                    onward += 1
            n = pointer[v] if writing == 1 else 0
            for k in range(out_pointer[node], out_pointer[node + 1]):
                b = out_arc[k]
                if (b == a ^ 1 and onward > 0) or _is_banned(banned, a * arcs + b):
                    continue
                cost: Any = 0
                if b == a ^ 1:
                    cost = np.int64(1000 * UTURN_S)
                elif degree[node] > 2:
                    angle = (leaving[b] - heading + 540.0) % 360.0 - 180.0
                    cost = np.int64(table[int(np.rint(angle)) + 180])
                for w in range(start_vertex[b], end_vertex[b] + 1):
                    if stage[w] < stage[v]:
                        continue
                    if writing == 1:
                        target[n] = w
                        turn[n] = cost
                    n += 1
            if writing == 0:
                pointer[v + 1] = n
    return pointer, target, turn


@njit(cache=True)
def _is_banned(banned: Array, pair: int) -> bool:
    k = np.searchsorted(banned, pair)
    return bool(k < len(banned) and banned[k] == pair)
