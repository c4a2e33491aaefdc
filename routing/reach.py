"""Who can be reached from here: times from the nearest of some places to every road, and how much of each road lies within a limit.

In: a network and snapped places. Out: arrays over arcs or edges. Called by reports of coverage.

One climb of the hierarchy from all places together, then one sweep down over all vertices (Delling, Goldberg, Nowatzyk, Werneck 2013,
doi:10.1016/j.jpdc.2012.02.007).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.hierarchy import INFINITE, METRE_BITS, arc_weights, hierarchy_of
from routing.matrix import leaving_seeds
from routing.network import NO_WAY, RoadNetwork
from routing.route import upward_tree
from routing.snap import Snapped
from routing.units import UNREACHABLE

Array = npt.NDArray[Any]


def reach(network: RoadNetwork, origins: Snapped) -> npt.NDArray[np.int32]:
    """Milliseconds from the nearest origin to the end of every arc.

    Parameters
    ----------
    network : RoadNetwork
    origins : Snapped
        Those with edge -1 reach nothing.

    Returns
    -------
    int32[2E]
        By arc: 2 * edge at its end, driven along; 2 * edge + 1 at its start, driven against. UNREACHABLE where nobody comes, and where the
        arc is closed. O(V + arcs of the hierarchy), whatever the number of origins.
    """
    hierarchy = hierarchy_of(network)
    seeds, rest = leaving_seeds(network, origins)
    label = _sweep(
        seeds.vertex,
        seeds.weight,
        (hierarchy.up_pointer, hierarchy.up_vertex, hierarchy.up_weight),
        (hierarchy.down_pointer, hierarchy.down_vertex, hierarchy.down_weight),
    )
    best = np.full(2 * len(network.metres), INFINITE, np.int64)
    np.minimum.at(best, hierarchy.arc, label)
    known = origins.edge >= 0
    for side, duration in enumerate((network.ms_along, network.ms_against)):  # the rest of the edge that an origin stands on
        own = origins.edge[known]
        mine = np.where(duration[own] == NO_WAY, INFINITE, rest[known, side])
        np.minimum.at(best, 2 * own + side, mine)
    return np.where(best < INFINITE // 2, best >> METRE_BITS, UNREACHABLE).astype(np.int32)


def reached_shares(network: RoadNetwork, arrival_ms: npt.NDArray[np.int32], limit_ms: int) -> npt.NDArray[np.float64]:
    """How far into each edge one gets within a limit.

    Parameters
    ----------
    network : RoadNetwork
    arrival_ms : int32[2E]
        From `reach`.
    limit_ms : int

    Returns
    -------
    float64[E, 2]
        Share of the edge's duration reached from its start, driving along, and from its end, driving against; together at most 1 + what is
        reached from both sides. An edge on which an origin stands counts as if it were entered from outside.
    """
    duration = arc_weights(network) >> METRE_BITS
    entered = arrival_ms.astype(np.int64) - duration
    share = np.clip((limit_ms - entered) / np.maximum(duration, 1), 0.0, 1.0)
    return np.asarray(np.where(arrival_ms < UNREACHABLE, share, 0.0)).reshape(-1, 2)


@njit(cache=True, nogil=True)
def _sweep(seed_vertex: Array, seed_weight: Array, up: tuple[Array, Array, Array], down: tuple[Array, Array, Array]) -> Array:
    """Weight of every vertex from the nearest seed."""
    label, _ = upward_tree(seed_vertex, seed_weight, *up)
    for v in range(len(label) - 1, -1, -1):
        for e in range(down[0][v], down[0][v + 1]):
            label[v] = min(label[v], label[down[1][e]] + down[2][e])
    return label
