"""Points become places on the road: the nearest edge, how far along it, and how far away.

In: a network and lon/lat pairs. Out: `Snapped`. Called by matrices' callers (`dispatch.engine`) and by `dispatch.service` at intake.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from routing.network import RoadNetwork
from routing.units import EARTH_RADIUS_M

_CACHE = "_snap_index"  # kept on the network itself: it lives as long as the roads do


@dataclass(frozen=True, slots=True)
class Snapped:
    """Places on the road. Shapes: [n]."""

    edge: npt.NDArray[np.int64]  # -1 where no road is near enough
    fraction: npt.NDArray[np.float64]  # of the edge's length, from edge_from
    time_fraction: npt.NDArray[np.float64]  # of the edge's duration
    distance_m: npt.NDArray[np.float64]  # from the point to the road, also when too far


@dataclass(frozen=True, slots=True)
class _Index:
    scale: tuple[float, float]  # metres per degree of lon and lat at the network's middle
    lines: npt.NDArray[Any]
    tree: shapely.STRtree


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
        O(n log E) after an index of O(E log E), which is kept with the network. Distances are measured on a plane that is
        true at the network's middle latitude: within 1 % over 150 km north to south.

    Raises
    ------
    ValueError
        Wrong shape, or a number that is not finite.
    """
    points = np.asarray(lonlat, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("lonlat must be finite and of shape [n, 2]")
    if len(points) == 0:
        empty = np.zeros(0)
        return Snapped(empty.astype(np.int64), empty, empty, empty)
    index = _index(network)
    plane = shapely.points(points * index.scale)
    edge = np.asarray(index.tree.nearest(plane), np.int64)
    lines = index.lines[edge]
    distance = shapely.distance(lines, plane)
    along = shapely.line_locate_point(lines, plane)
    fraction, time_fraction = np.empty(len(points)), np.empty(len(points))
    for k, e in enumerate(edge):
        part = slice(network.pointer[e], network.pointer[e + 1])
        steps = np.hypot(np.diff(network.lon[part]) * index.scale[0], np.diff(network.lat[part]) * index.scale[1])
        here = np.concatenate([[0.0], np.cumsum(steps)])
        fraction[k] = np.interp(along[k], here, network.length_share[part])
        time_fraction[k] = np.interp(along[k], here, network.time_share[part])
    return Snapped(np.where(distance <= limit_m, edge, -1), fraction, time_fraction, distance)


def _index(network: RoadNetwork) -> _Index:
    found = network.__dict__.get(_CACHE)
    if isinstance(found, _Index):
        return found
    middle = (network.bounds[1] + network.bounds[3]) / 2
    degree = np.pi / 180 * EARTH_RADIUS_M
    scale = (degree * float(np.cos(np.radians(middle))), degree)
    coordinates = np.column_stack([network.lon, network.lat]) * scale
    edge_of_point = np.repeat(np.arange(len(network.metres)), np.diff(network.pointer))
    lines: npt.NDArray[Any] = np.asarray(shapely.linestrings(coordinates, indices=edge_of_point))
    index = _Index(scale, lines, shapely.STRtree(lines))
    network.__dict__[_CACHE] = index
    return index
