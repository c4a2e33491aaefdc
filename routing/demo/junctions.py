"""Make crossing lines meet: every crossing becomes a shared point, what hangs in the air is left out, and no one-way traps a car.

In: lines in metres, drawn without regard for each other. Out: a `Net` of nodes and streets. Called by `make_demo_extract`.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from routing.demo.land import XY, Floats
from routing.demo.roads import Line, Tags

TOUCH_M = 1.0  # an end this near to another line is meant to meet it
MERGE_M = 4.0  # crossings nearer than this are one junction


@dataclass(frozen=True)
class Street:
    """A line as OpenStreetMap has it: numbers of nodes, and tags."""

    nodes: tuple[int, ...]
    tags: Tags


@dataclass(frozen=True)
class Net:
    """Streets in one piece, and the places of their nodes."""

    nodes: Floats  # [m, 2] metres
    streets: list[Street]


def join_lines(lines: list[Line]) -> Net:
    """Make one net of many lines. O(crossings log crossings)."""
    joined = _largest_piece(_with_shared_points(lines))
    every, index = np.unique(np.concatenate([line.points for line in joined]), axis=0, return_inverse=True)
    cuts = np.cumsum([len(line.points) for line in joined])[:-1]
    streets = [Street(tuple(part.tolist()), line.tags) for line, part in zip(joined, np.split(index, cuts), strict=True)]
    return Net(every, _without_traps(streets, len(every)))


def _with_shared_points(lines: list[Line]) -> list[Line]:
    shapes = [shapely.LineString(line.points) for line in lines]
    found: list[list[XY]] = [[_xy(line.points[0]), _xy(line.points[-1])] for line in lines]
    near = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_M)
    for a, b in sorted((int(a), int(b)) for a, b in near.T if a < b):
        for point in _meeting_points(shapes[a], shapes[b]):
            found[a].append(point)
            found[b].append(point)
    merged = iter(_merged(np.array([p for points in found for p in points])))
    rebuilt = []
    for line, shape, points in zip(lines, shapes, found, strict=True):
        path = _rebuilt(shape, np.array([next(merged) for _ in points]))
        if len(path) > 1:
            rebuilt.append(replace(line, points=path))
    return rebuilt


def _meeting_points(a: shapely.LineString, b: shapely.LineString) -> list[XY]:
    """Crossings, the ends of stretches in common, and ends of one that touch the other."""
    points = [_xy(p) for p in shapely.get_coordinates(shapely.intersection(a, b))]
    for one, other in ((a, b), (b, a)):
        ends = shapely.get_coordinates(one)[[0, -1]]
        points += [_xy(end) for end in ends if shapely.distance(shapely.Point(end), other) < TOUCH_M]
    return points


def _merged(points: Floats) -> Floats:
    """Move points that stand closer than MERGE_M onto the first of them, all to a grid of a centimetre."""
    pairs = cKDTree(points).query_pairs(MERGE_M, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    snapped: Floats = np.round(points[first][label], 2)
    return snapped


def _rebuilt(shape: shapely.LineString, junctions: Floats) -> Floats:
    """The line through its junctions (its two ends first) and its own points, without those that stand on a junction."""
    along = np.concatenate([[0, shape.length], shapely.line_locate_point(shape, shapely.points(junctions[2:]))])
    own = shapely.get_coordinates(shape)[1:-1]
    clear = np.hypot(*(own[:, None] - junctions[None]).transpose(2, 0, 1)).min(1) > MERGE_M
    own = own[clear]
    points: Floats = np.concatenate([junctions, np.round(own, 2)])
    order = np.argsort(np.concatenate([along, shapely.line_locate_point(shape, shapely.points(own))]), kind="stable")
    path = points[order]
    moved: Floats = path[np.concatenate([[True], (np.diff(path, axis=0) != 0).any(1)])]
    return moved


def _largest_piece(lines: list[Line]) -> list[Line]:
    _, index = np.unique(np.concatenate([line.points for line in lines]), axis=0, return_inverse=True)
    parts = np.split(index, np.cumsum([len(line.points) for line in lines])[:-1])
    labels = _components([(part[:-1], part[1:]) for part in parts], int(index.max()) + 1, strong=False)
    largest = np.bincount(labels).argmax()
    return [line for line, part in zip(lines, parts, strict=True) if labels[part[0]] == largest]


def _without_traps(streets: list[Street], count: int) -> list[Street]:
    """Open a one-way in both directions where following it would leave a car unable to go on, or to come."""
    arcs = []
    for street in streets:
        path = np.array(street.nodes)
        arcs.append((path[:-1], path[1:]))
        if "oneway" not in street.tags:
            arcs.append((path[1:], path[:-1]))
    labels = _components(arcs, count, strong=True)
    largest = np.bincount(labels).argmax()
    return [_opened(s) if "oneway" in s.tags and (labels[list(s.nodes)] != largest).any() else s for s in streets]


def _opened(street: Street) -> Street:
    return replace(street, tags={k: v for k, v in street.tags.items() if k != "oneway"})


def _components(arcs: list[tuple[NDArray[np.int64], NDArray[np.int64]]], count: int, *, strong: bool) -> NDArray[np.int32]:
    tail, head = np.concatenate([a for a, _ in arcs]), np.concatenate([b for _, b in arcs])
    graph = coo_array((np.ones(len(tail)), (tail, head)), shape=(count, count))
    labels: NDArray[np.int32] = connected_components(graph, directed=strong, connection="strong" if strong else "weak")[1]
    return labels


def _xy(point: Floats) -> XY:
    return float(point[0]), float(point[1])
