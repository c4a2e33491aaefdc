"""Points become places on the road: the nearest edge, how far along it, and how far away.

In: a network and lon/lat pairs. Out: `Snapped`. Called by matrices' callers (`dispatch.engine`) and by `dispatch.service` at intake.

Pieces of road lie in a grid of square cells; a search looks at rings of cells around the point until no nearer piece can come.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.network import NO_WAY, RoadNetwork
from routing.units import EARTH_RADIUS_M

Array = npt.NDArray[Any]
_CACHE = "_snap_index"  # kept on the network itself: it lives as long as the roads do
_CELL_M = 150.0
#: Roads that meet in a point are equally near; a public road driven both ways is the better place to stand on.
_TIE_M = 0.01


@dataclass(frozen=True, slots=True)
class Snapped:
    """Places on the road. Shapes: [n]."""

    edge: npt.NDArray[np.int64]  # -1 where no road is near enough
    fraction: npt.NDArray[np.float64]  # of the edge's length, from edge_from
    time_fraction: npt.NDArray[np.float64]  # of the edge's duration
    distance_m: npt.NDArray[np.float64]  # from the point to the road, also when too far

    def one(self, k: int) -> "Snapped":
        """The k-th of them alone."""
        return Snapped(*(getattr(self, item.name)[k : k + 1] for item in fields(self)))


@dataclass(frozen=True, slots=True)
class _Index:
    """Shapes: G points of the network, C cells."""

    scale: tuple[float, float]  # metres per degree of lon and lat at the network's middle
    x: Array  # [G] metres
    y: Array  # [G]
    edge: Array  # [G] of the piece that starts here, -1 at the last point of an edge
    rank: Array  # [E] smaller is preferred among equally near edges
    grid: tuple[float, float, float, int, int]  # west, south, cell size, columns, rows
    pointer: Array  # [C + 1]
    piece: Array  # pieces by cell


def snap(network: RoadNetwork, lonlat: npt.NDArray[np.float64], limit_m: float = 500.0) -> Snapped:
    """Find the nearest edge of each point.

    Parameters
    ----------
    network : RoadNetwork
    lonlat : float64[n, 2]
        WGS 84, finite.
    limit_m : float
        Farther points are not snapped.

    Returns
    -------
    Snapped
        Some microseconds a point, after an index of O(G), which is kept with the network. Distances are measured on a plane that is
        true at the network's middle latitude: within 1 % over 150 km north to south.

    Raises
    ------
    ValueError
        Wrong shape, or a number that is not finite.
    """
    points = np.asarray(lonlat, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("lonlat must be finite and of shape [n, 2]")
    index = _index(network)
    plane = points * index.scale
    roads = (index.x, index.y, index.edge, index.rank, index.grid, index.pointer, index.piece)
    piece, share, distance = _nearest(plane[:, 0], plane[:, 1], *roads)
    fraction, time_fraction = (
        (1 - share) * column[piece].astype(np.float64) + share * column[piece + 1].astype(np.float64)
        for column in (network.length_share, network.time_share)
    )
    edge = np.where(distance <= limit_m, index.edge[piece], -1).astype(np.int64)
    return Snapped(edge, fraction, time_fraction, distance)


def _index(network: RoadNetwork) -> _Index:
    found = network.__dict__.get(_CACHE)
    if isinstance(found, _Index):
        return found
    middle = (network.bounds[1] + network.bounds[3]) / 2
    degree = np.pi / 180 * EARTH_RADIUS_M
    scale = (degree * float(np.cos(np.radians(middle))), degree)
    x, y = network.lon * scale[0], network.lat * scale[1]
    edge = np.repeat(np.arange(len(network.metres), dtype=np.int32), np.diff(network.pointer))
    edge[network.pointer[1:] - 1] = -1
    width, height = float(np.ptp(x)), float(np.ptp(y))
    cell = max(_CELL_M, float(np.sqrt(width * height / (2 * len(x)))))  # at most about two cells per piece
    grid = (float(x.min()), float(y.min()), cell, int(width // cell) + 1, int(height // cell) + 1)
    one_way = (network.ms_along == NO_WAY) | (network.ms_against == NO_WAY)
    index = _Index(scale, x, y, edge, 2 * network.end_only.astype(np.int8) + one_way, grid, *_fill_grid(x, y, edge, grid))
    network.__dict__[_CACHE] = index
    return index


@njit(cache=True)
def _fill_grid(x: Array, y: Array, edge: Array, grid: tuple[float, float, float, int, int]) -> tuple[Array, Array]:
    """Pieces by the cells that their bounding boxes touch: counted in a first round, written in a second."""
    west, south, cell, columns, rows = grid
    pointer = np.zeros(columns * rows + 1, np.int64)
    piece = np.empty(0, np.int32)
    place = pointer
    for writing in range(2):
        if writing == 1:
            for c in range(columns * rows):
                pointer[c + 1] += pointer[c]
            piece = np.empty(pointer[-1], np.int32)
            place = pointer.copy()
        for k in range(len(edge)):
            if edge[k] < 0:
                continue
            for row in range(int((min(y[k], y[k + 1]) - south) // cell), int((max(y[k], y[k + 1]) - south) // cell) + 1):
                for column in range(int((min(x[k], x[k + 1]) - west) // cell), int((max(x[k], x[k + 1]) - west) // cell) + 1):
                    c = min(row, rows - 1) * columns + min(column, columns - 1)
                    if writing == 0:
                        pointer[c + 1] += 1
                    else:
                        piece[place[c]] = k
                        place[c] += 1
    return pointer, piece


@njit(cache=True)
def _nearest(
    px: Array,
    py: Array,
    x: Array,
    y: Array,
    edge: Array,
    rank: Array,
    grid: tuple[float, float, float, int, int],
    pointer: Array,
    piece: Array,
) -> tuple[Array, Array, Array]:
    """The nearest piece of each point, the share of the piece before the nearest place, and the distance."""
    west, south, cell, columns, rows = grid
    n = len(px)
    best, share, distance = np.zeros(n, np.int64), np.zeros(n), np.full(n, np.inf)
    for i in range(n):
        column = min(max(int((px[i] - west) // cell), 0), columns - 1)
        row = min(max(int((py[i] - south) // cell), 0), rows - 1)
        for ring in range(max(columns, rows) + 1):
            # whatever lies beyond the rings seen is farther than this from the point (for a point outside: from the grid's edge)
            if distance[i] + _TIE_M < (ring - 1) * cell:
                break
            for r in range(max(row - ring, 0), min(row + ring, rows - 1) + 1):
                whole = abs(r - row) == ring
                for c in range(column - ring, column + ring + 1, 1 if whole or ring == 0 else 2 * ring):
                    if c < 0 or c >= columns:
                        continue
                    for k in piece[pointer[r * columns + c] : pointer[r * columns + c + 1]]:
                        dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
                        square = dx * dx + dy * dy
                        t = 0.0 if square == 0 else ((px[i] - x[k]) * dx + (py[i] - y[k]) * dy) / square
                        t = min(1.0, max(0.0, t))
                        d = np.hypot(px[i] - x[k] - t * dx, py[i] - y[k] - t * dy)
                        lead = int(rank[edge[best[i]]]) - int(rank[edge[k]])
                        if d < distance[i] + (_TIE_M if lead > 0 else 0.0 if lead == 0 else -_TIE_M):
                            best[i], share[i], distance[i] = k, t, d
    return best, share, distance
