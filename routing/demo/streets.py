"""Streets inside settlements: a crooked grid, an old centre with one-ways behind a ring boulevard, roundabouts where main roads enter.

In: the settlements and the roads that pass through them. Out: all lines, those that run through a roundabout or a ring cut at its edge.
Called by `make_demo_extract`.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import shapely

from routing.demo import names
from routing.demo.land import Floats, Land, River, Settlement
from routing.demo.roads import Line

BANK_M = 70.0
OLD_CENTRE_M = 240.0
ROUNDABOUT_M = 18.0
_MAJOR = ("primary", "secondary")


def make_streets(land: Land, roads: list[Line], rng: np.random.Generator) -> list[Line]:
    """The roads, cut at roundabouts, and the streets of every commune."""
    lines = list(roads)
    for place in land.communes:
        streets = list(_make_grid(place, land.river, rng))
        if place.rank in ("town", "border town"):
            streets = [*_carved(streets, _disc(place.xy, OLD_CENTRE_M)), *_make_old_centre(place, rng)]
        lines += streets
    for place in land.communes[:2]:
        for centre in _entrances(place, roads):
            disc = _disc(centre, ROUNDABOUT_M)
            tags = {"highway": "tertiary", "junction": "roundabout", "oneway": "yes", "maxspeed": "30"}
            anticlockwise = shapely.get_coordinates(shapely.orient_polygons(disc))
            lines = [*_carved(lines, disc), Line(anticlockwise, tags)]
    return lines


def _make_grid(place: Settlement, river: River, rng: np.random.Generator) -> Iterator[Line]:
    """Two bundles of roughly parallel streets across the settlement's disc, on dry land only."""
    radius, called = place.radius_m, iter(rng.permutation(names.STREETS).tolist() * 2)
    angle = rng.uniform(0, np.pi / 2)
    spacing = 105.0 if radius < 800 else 125.0
    for turn in (angle, angle + np.pi / 2):
        along, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        for offset in np.arange(-radius + spacing / 2, radius, spacing):
            ends = np.sqrt(radius**2 - offset**2) * rng.uniform(0.55, 1.0, 2) * (-1, 1)
            if rng.random() < 0.15 or ends[1] - ends[0] < spacing:
                continue
            t = np.linspace(ends[0], ends[1], max(3, int((ends[1] - ends[0]) / 60)))
            crooked = offset + rng.normal(0, 7, len(t)).cumsum().clip(-25, 25)
            points = _dry(place.xy + t[:, None] * along + crooked[:, None] * aside, river, place.bank)
            if len(points) > 1:
                yield Line(points, {"highway": "residential", "name": next(called), **({"maxspeed": "30"} if rng.random() < 0.4 else {})})


def _make_old_centre(place: Settlement, rng: np.random.Generator) -> Iterator[Line]:
    """Narrow streets, every second one the other way, that end on a ring boulevard."""
    disc = _disc(place.xy, OLD_CENTRE_M)
    yield Line(shapely.get_coordinates(disc), {"highway": "tertiary", "name": "Boulevard Circulaire", "maxspeed": "50"})
    angle, called = rng.uniform(0, np.pi / 2), iter(names.STREETS[::-1])
    for turn in (angle, angle + np.pi / 2):
        along, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        for k, offset in enumerate(np.arange(-180, 181, 60) + rng.normal(0, 6, 7)):
            t = np.linspace(-1.2 * OLD_CENTRE_M, 1.2 * OLD_CENTRE_M, 12)
            points = place.xy + t[:, None] * along + (offset + rng.normal(0, 3, len(t)))[:, None] * aside
            inside = shapely.intersection(shapely.LineString(points if k % 2 else points[::-1]), disc)
            kind = {"highway": "living_street", "maxspeed": "20"} if k == 3 else {"highway": "residential", "maxspeed": "30"}
            yield Line(shapely.get_coordinates(inside), {**kind, "name": next(called), "oneway": "yes"})


def _entrances(place: Settlement, roads: Iterable[Line]) -> list[tuple[float, float]]:
    """Where main roads change into streets: the outer ends of their parts inside the settlement."""
    ends = []
    for road in roads:
        if road.tags["highway"] in _MAJOR and "name" in road.tags:
            away = np.hypot(*(road.points - place.xy).T)
            if away.min() < 1 and away.max() > place.radius_m:
                x, y = road.points[int(away.argmax())]
                ends.append((float(x), float(y)))
    return ends


def _carved(lines: Iterable[Line], disc: shapely.Polygon) -> Iterator[Line]:
    """Leave out what lies inside a disc; the cut ends lie on its edge."""
    shapely.prepare(disc)
    for line in lines:
        shape = shapely.LineString(line.points)
        if not disc.intersects(shape):
            yield line
            continue
        for part in shapely.get_parts(shapely.difference(shape, disc)):
            if part.length > 8:
                yield Line(shapely.get_coordinates(part), line.tags)


def _dry(points: Floats, river: River, bank: int) -> Floats:
    """The longest run of points that stand on the settlement's own bank."""
    wet = np.flatnonzero(bank * river.gap(points) < BANK_M)
    return max(np.split(np.delete(points, wet, axis=0), wet - np.arange(len(wet))), key=len)


def _disc(centre: tuple[float, float], radius_m: float) -> shapely.Polygon:
    return shapely.Point(centre).buffer(radius_m, quad_segs=5 if radius_m < 50 else 10)
