"""Roads between places: départementales between communes and bridges, lanes to hamlets, tracks and private drives.

In: the `Land`. Out: `Line`s in metres with OpenStreetMap tags; they may cross without a shared point, which `junctions` mends.
None of them crosses the river, except by a bridge. Called by `make_demo_extract`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from routing.demo.land import HEIGHT_M, WIDTH_M, XY, Floats, Land, River

Tags = dict[str, str]
Link = tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A road, street or path."""

    points: Floats  # [n, 2] metres
    tags: Tags


@dataclass(frozen=True)
class _Knot:
    """Where départementales meet: the middle of a commune, or the head of a bridge."""

    xy: XY
    bank: int
    name: str
    radius_m: float


def make_roads(land: Land, rng: np.random.Generator) -> list[Line]:
    """All roads outside the settlements, and the through roads inside them."""
    departmental = list(_make_departmental(land, rng))
    lanes = list(_make_lanes(land, departmental, rng))
    return [*departmental, *lanes, *_make_tracks(land, lanes, rng), *_make_drives(land.river, lanes, rng)]


def _make_departmental(land: Land, rng: np.random.Generator) -> Iterator[Line]:
    knots = [_Knot(c.xy, c.bank, c.name, c.radius_m) for c in land.communes]
    for bridge in land.bridges:
        knots += [_Knot(bridge.south, -1, "", 0), _Knot(bridge.north, 1, "", 0)]
    xy = np.array([k.xy for k in knots])
    banks = np.array([k.bank for k in knots])
    links: list[Link] = []
    for bank in (-1, 1):
        here = np.flatnonzero(banks == bank)
        links += [(int(here[i]), int(here[j])) for i, j in thinned_links(xy[here], np.add)]
    first_bridge = len(links)
    links += [(k, k + 1) for k in range(len(land.communes), len(knots), 2)]
    for k, ((a, b), road) in enumerate(zip(links, _classify(xy, links), strict=True)):
        if k >= first_bridge:
            yield Line(xy[[a, b]], {**road, "bridge": "yes", "layer": "1", "maxspeed": "50"})
            continue
        points = bend(knots[a].xy, knots[b].xy, land.river, knots[a].bank, rng, sway=0.05)
        speed = {"maxspeed": "80"} if road["highway"] != "tertiary" or rng.random() < 0.5 else {}
        yield from _through_streets(points, {**road, **speed}, road, knots[a], knots[b])


def thinned_links(xy: Floats, combine: Callable[[Floats, Floats], Floats]) -> list[Link]:
    """Link each pair of points unless a third one lies between them.

    With `np.add` that is the Gabriel graph, with `np.maximum` the sparser relative neighbourhood graph; both are connected and have no
    crossings. O(n^3). Source: Jaromczyk & Toussaint, Relative neighborhood graphs and their relatives, 1992, doi:10.1109/5.163414.
    """
    squared = ((xy[:, None] - xy[None]) ** 2).sum(-1)
    links = []
    for i in range(len(xy)):
        between = (combine(squared[i][:, None], squared) < squared[i]).any(axis=0)
        links += [(i, int(j)) for j in np.flatnonzero(~between) if j > i]
    return links


def bend(start: XY, end: XY, river: River, bank: int, rng: np.random.Generator, *, sway: float, step_m: float = 140.0) -> Floats:
    """A road from start to end that sways by a share of its length and follows the river's bank rather than crossing it."""
    a, b = np.array(start), np.array(end)
    length = float(np.hypot(*(b - a)))
    t = np.linspace(0, 1, max(3, round(length / step_m) + 1))
    waves = np.arange(1, 2 + int(length / 900))
    size = rng.normal(0, 1, len(waves)) * sway * length / waves
    aside = (size[:, None] * np.sin(np.pi * waves[:, None] * t)).sum(0)
    points = a + t[:, None] * (b - a) + aside[:, None] * np.array([a[1] - b[1], b[0] - a[0]]) / length
    from_end = np.minimum(t, 1 - t) * length
    margin = 40 + rng.uniform(80, 380) * np.minimum(1, from_end / 400)
    margin[[0, -1]] = 0
    points[1:-1] = points[1:-1].clip((0, 0), (WIDTH_M, HEIGHT_M))
    return river.kept_on_bank(points, bank, margin)


def _classify(xy: Floats, links: list[Link]) -> list[Tags]:
    """Give each link its class and number.

    What runs straight on keeps its number, long roads are secondary, the way from the town to the border town is primary.
    """
    strokes = _straight_on(xy, links)
    i, j = np.array(links).T
    length = np.hypot(*(xy[i] - xy[j]).T)
    total = np.bincount(strokes, length)
    graph = coo_array((length, (i, j)), shape=(len(xy), len(xy)))
    _, before = dijkstra(graph, directed=False, indices=[0], return_predecessors=True)
    axis: set[Link] = set()
    at = 1
    while at != 0:
        axis.add((min(at, int(before[0, at])), max(at, int(before[0, at]))))
        at = int(before[0, at])
    roads = []
    for k, link in enumerate(links):
        if link in axis:
            roads.append({"highway": "primary", "ref": "D 906"})
        elif total[strokes[k]] >= 19_000:
            roads.append({"highway": "secondary", "ref": f"D {12 + 3 * strokes[k]}"})
        else:
            roads.append({"highway": "tertiary", "ref": f"D {212 + strokes[k]}"})
    return roads


def _straight_on(xy: Floats, links: list[Link]) -> list[int]:
    """Label links so that two which run straight on into each other (within 40 degrees) share a label."""
    pairs: list[Link] = []
    for v in range(len(xy)):
        arms = [k for k, link in enumerate(links) if v in link]
        away = {k: xy[sum(links[k]) - v] - xy[v] for k in arms}
        heading = {k: np.arctan2(*away[k]) for k in arms}
        turns = sorted((abs(abs((heading[p] - heading[q] + np.pi) % (2 * np.pi) - np.pi) - np.pi), p, q) for p, q in combinations(arms, 2))
        taken: set[int] = set()
        for turn, p, q in turns:
            if turn < np.radians(40) and not taken & {p, q}:
                pairs.append((p, q))
                taken |= {p, q}
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(links), len(links)))
    _, labels = connected_components(graph, directed=False)
    return [int(label) for label in labels]


def _through_streets(points: Floats, outside: Tags, road: Tags, a: _Knot, b: _Knot) -> Iterator[Line]:
    """Cut a road where it enters the built-up areas at its ends: 50 km/h and a street name inside."""
    enter = int((np.hypot(*(points - a.xy).T) >= a.radius_m).argmax())
    leave = len(points) - 1 - int((np.hypot(*(points[::-1] - b.xy).T) >= b.radius_m).argmax())
    for knot, towards, part in ((a, b, points[: enter + 1]), (b, a, points[leave:])):
        if len(part) > 1:
            named = {"name": f"Route de {towards.name}" if towards.name else "Route du Pont"}
            yield Line(part, {**road, **named, "maxspeed": "30" if knot.radius_m < 200 else "50"})
    if leave > enter:
        yield Line(points[enter : leave + 1], outside)


def _make_lanes(land: Land, roads: list[Line], rng: np.random.Generator) -> Iterator[Line]:
    """Each hamlet reaches the nearest road of its bank; some neighbouring hamlets are linked too."""
    for bank in (-1, 1):
        shapes = [shapely.LineString(r.points) for r in roads if _on_bank(land.river, r.points, bank)]
        tree = shapely.STRtree(shapes)
        hamlets = [h for h in land.hamlets if h.bank == bank]
        for hamlet in hamlets:
            road = shapes[int(tree.nearest(shapely.Point(hamlet.xy)))]
            x, y = shapely.get_coordinates(shapely.shortest_line(shapely.Point(hamlet.xy), road))[1]
            if np.hypot(x - hamlet.xy[0], y - hamlet.xy[1]) > 5:
                yield Line(bend(hamlet.xy, (float(x), float(y)), land.river, bank, rng, sway=0.08, step_m=95), _lane_tags(rng))
        for i, j in thinned_links(np.array([h.xy for h in hamlets]), np.maximum):
            if rng.random() < 0.8:
                yield Line(bend(hamlets[i].xy, hamlets[j].xy, land.river, bank, rng, sway=0.08, step_m=95), _lane_tags(rng))


def _lane_tags(rng: np.random.Generator) -> Tags:
    speed = rng.choice(["", "50", "70", "80"], p=[0.6, 0.1, 0.15, 0.15])
    return {"highway": "unclassified", **({"maxspeed": str(speed)} if speed else {})}


def _on_bank(river: River, points: Floats, bank: int) -> bool:
    return bool((river.gap(points) * bank > 0).all())


def _make_tracks(land: Land, lanes: list[Line], rng: np.random.Generator) -> Iterator[Line]:
    for line in _some(lanes, 70, rng):
        tags = {"highway": "track", "tracktype": f"grade{rng.integers(1, 5)}"}
        yield from _make_spur(land.river, line, rng, rng.uniform(300, 1_300), tags)


def _make_drives(river: River, lanes: list[Line], rng: np.random.Generator) -> Iterator[Line]:
    for line in _some(lanes, 90, rng):
        private = {"access": "private"} if rng.random() < 0.7 else {}
        yield from _make_spur(river, line, rng, rng.uniform(40, 160), {"highway": "service", "service": "driveway", **private})


def _some(lines: list[Line], count: int, rng: np.random.Generator) -> Iterable[Line]:
    return (lines[int(k)] for k in rng.integers(0, len(lines), count))


def _make_spur(river: River, line: Line, rng: np.random.Generator, length_m: float, tags: Tags) -> Iterator[Line]:
    """A dead end that leaves a line at one of its inner points, if there is dry land for it."""
    root = line.points[int(rng.integers(1, len(line.points) - 1))]
    heading = rng.uniform(0, 2 * np.pi)
    tip = root + length_m * np.array([np.cos(heading), np.sin(heading)])
    bank = 1 if river.gap(root[None])[0] > 0 else -1
    if _on_bank(river, np.linspace(root, tip, 20) - (0, 80 * bank), bank) and (tip > 0).all() and (tip < (WIDTH_M, HEIGHT_M)).all():
        yield Line(bend((root[0], root[1]), (tip[0], tip[1]), river, bank, rng, sway=0.06, step_m=60), tags)
