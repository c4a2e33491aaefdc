"""The sea, which OpenStreetMap has only as its coast: land on the left of the line, water on the right.

In: pieces of coast and the bounds of a map. Out: polygons of water within those bounds. Called by `routing.basemap.gather`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

Bounds = tuple[float, float, float, float]
_BESIDE = 1e-6  # degrees, 0.1 m: a point so far to the right of the coast is in the sea


def sea_of(coasts: list[Any], bounds: Bounds) -> Iterator[Any]:
    """The map's box is cut along its coast; of the pieces those are sea that lie to the right of most of the coast around them.

    A coast that ends within the box divides nothing there: the extract was cut, and no water is better than water over a town.
    """
    if not coasts:
        return
    box = shapely.box(*bounds)
    coast = shapely.clip_by_rect(shapely.line_merge(shapely.MultiLineString(coasts)), *bounds)
    lines = [line for line in shapely.get_parts(coast) if line.length > 0]
    if not lines:
        return
    whole = shapely.node(shapely.MultiLineString([box.exterior, *lines]))
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(whole)))
    right, left = (np.concatenate([_beside(line, side) for line in lines]) for side in (1, -1))
    tree = shapely.STRtree(pieces)
    votes = np.zeros(len(pieces), np.int64)
    for points, vote in ((right, 1), (left, -1)):
        _, found = tree.query(shapely.points(points), predicate="within")
        np.add.at(votes, found, vote)
    yield from pieces[votes > 0]


def _beside(line: Any, side: int) -> Any:
    """Points a hair to the right (1) or to the left (-1) of the middle of each stretch of a line."""
    points = shapely.get_coordinates(line)
    ahead = np.diff(points, axis=0)
    length = np.hypot(*ahead.T)
    ahead, middle = ahead[length > 0] / length[length > 0, None], ((points[1:] + points[:-1]) / 2)[length > 0]
    return middle + side * _BESIDE * np.column_stack([ahead[:, 1], -ahead[:, 0]])
