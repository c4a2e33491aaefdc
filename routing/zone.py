"""Where a road network can take people at all: the hull of its roads, for formats that want an area.

In: a network. Out: a ring of (lon, lat). Called by exports; O(nodes log nodes).
"""

import numpy as np
import shapely

from routing.network import RoadNetwork
from routing.units import LonLat

_DIGITS = 5  # of degrees: a metre
_SAMPLES = 20_000


def service_zone(network: RoadNetwork) -> list[LonLat]:
    """A closed ring around the roads, counter-clockwise, first point last again, as GeoJSON (RFC 7946) wants exterior rings."""
    points = network.sample_points(np.random.default_rng(1), _SAMPLES)
    hull = shapely.convex_hull(shapely.MultiPoint(np.asarray(points)))
    ring = shapely.get_coordinates(shapely.orient_polygons(hull))
    return [(round(float(lon), _DIGITS), round(float(lat), _DIGITS)) for lon, lat in ring]
