"""Places and addresses of the demo territory: communes and hamlets with their population, what people travel to, and house numbers.

In: the `Land` and its `Net` of streets. Out: `Spot`s in metres. Called by `make_demo_extract`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from routing.demo.junctions import Net, Street
from routing.demo.land import XY, Floats, Land, Rank, Settlement
from routing.demo.roads import Tags

NOTE = "territoire fictif / fictional territory"
HOUSE_GAP_M = 90.0
_URBAN = ("residential", "living_street", "primary", "secondary", "tertiary")
_PLACE_TAG: dict[Rank, str] = {"border town": "town", "town": "town", "market town": "village", "village": "village", "hamlet": "hamlet"}

# name, tags, and how many each rank of commune has; below one, the chance of having it
_KINDS: tuple[tuple[str, Tags, dict[Rank, float]], ...] = (
    ("Mairie de {}", {"amenity": "townhall"}, {"border town": 1, "town": 1, "market town": 1, "village": 1}),
    ("Cabinet médical de {}", {"amenity": "doctors"}, {"border town": 6, "town": 4, "market town": 2, "village": 0.25}),
    ("Pharmacie de {}", {"amenity": "pharmacy"}, {"border town": 5, "town": 3, "market town": 1, "village": 0.15}),
    ("Centre hospitalier de {}", {"amenity": "hospital"}, {"border town": 1, "town": 1}),
    ("Centre de dialyse de {}", {"amenity": "clinic"}, {"border town": 1, "town": 1}),
    ("Maison de santé de {}", {"amenity": "clinic"}, {"market town": 1}),
    ("Kinésithérapeute de {}", {"healthcare": "physiotherapist"}, {"border town": 2, "town": 2, "market town": 1, "village": 0.1}),
    ("Cabinet dentaire de {}", {"amenity": "dentist"}, {"border town": 3, "town": 2, "market town": 1}),
    ("Place du Marché de {}", {"amenity": "marketplace"}, {"border town": 1, "town": 1, "market town": 1}),
    ("Supermarché de {}", {"shop": "supermarket"}, {"border town": 4, "town": 2, "market town": 1}),
    ("Épicerie de {}", {"shop": "convenience"}, {"village": 0.25}),
    ("Gare de {}", {"railway": "station"}, {"border town": 1, "town": 1}),
    ("Mission locale de {}", {"office": "employment_agency"}, {"border town": 1, "town": 1}),
    ("Agence pour l’emploi de {}", {"office": "employment_agency"}, {"border town": 1, "town": 1}),
    ("Chantier d’insertion de {}", {"office": "association"}, {"border town": 1, "town": 1, "market town": 0.7}),
    ("Centre social de {}", {"amenity": "social_centre"}, {"border town": 1, "town": 1, "market town": 1}),
    ("Centre de formation de {}", {"amenity": "college"}, {"border town": 2, "town": 1}),
    ("Résidence des Anciens de {}", {"amenity": "social_facility"}, {"border town": 2, "town": 1, "market town": 1}),
)


@dataclass(frozen=True)
class Spot:
    """A tagged point: a commune, a pharmacy, a house number."""

    xy: XY
    tags: Tags


def make_spots(land: Land, net: Net, rng: np.random.Generator) -> list[Spot]:
    """Settlements first, then what stands in them, then house numbers."""
    communes = {c: _street_nodes(c, net) for c in land.communes}
    spots = [_settlement(s) for s in (*land.communes, *land.hamlets)]
    for commune, corners in communes.items():
        spots += _make_amenities(commune, corners, rng)
    return [*spots, *_make_houses(land, net, rng)]


def _settlement(place: Settlement) -> Spot:
    return Spot(place.xy, {"place": _PLACE_TAG[place.rank], "name": place.name, "population": str(place.population), "note": NOTE})


def _street_nodes(commune: Settlement, net: Net) -> Floats:
    """Nodes of streets in the inner part of a commune."""
    used = net.nodes[sorted({n for s in net.streets if _is_street(s) for n in s.nodes})]
    near: Floats = used[np.hypot(*(used - commune.xy).T) <= 0.7 * commune.radius_m]
    return near


def _is_street(street: Street) -> bool:
    return street.tags["highway"] in _URBAN and "name" in street.tags


def _make_amenities(commune: Settlement, corners: Floats, rng: np.random.Generator) -> Iterator[Spot]:
    for called, tags, often in _KINDS:
        share = often.get(commune.rank, 0.0)
        count = int(share) if share >= 1 else int(rng.random() < share)
        for k in range(count):
            corner = corners[int(rng.integers(len(corners)))] + rng.uniform(-1, 1, 2) * 18
            number = f" {k + 1}" if count > 1 else ""
            name = called.format(commune.name) + number
            yield Spot((corner[0], corner[1]), {**tags, "name": name, "addr:city": commune.name, "note": NOTE})


def _make_houses(land: Land, net: Net, rng: np.random.Generator) -> Iterator[Spot]:
    """House numbers along the named streets of each commune, left and right in turn, counted on from one way of a street to the next."""
    centres = cKDTree(np.array([c.xy for c in land.communes]))
    last: dict[tuple[int, str], int] = defaultdict(int)
    for street in filter(_is_street, net.streets):
        points = net.nodes[list(street.nodes)]
        middle = points[len(points) // 2]
        commune = int(centres.query(middle)[1])
        home = (commune, street.tags["name"])
        for house in _along(points, rng):
            last[home] += 1
            tags = {"addr:housenumber": str(last[home]), "addr:street": street.tags["name"], "addr:city": land.communes[commune].name}
            yield Spot(house, tags)


def _along(points: Floats, rng: np.random.Generator) -> Iterator[XY]:
    """Points beside a line, left and right in turn."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    walked = np.concatenate([[0], steps.cumsum()])
    at = np.arange(HOUSE_GAP_M / 2, walked[-1], HOUSE_GAP_M)
    at += rng.uniform(-8, 8, len(at))
    x, y = np.interp(at, walked, points[:, 0]), np.interp(at, walked, points[:, 1])
    segment = np.searchsorted(walked, at, side="right").clip(1, len(steps)) - 1
    ahead = np.diff(points, axis=0)[segment] / steps[segment][:, None]
    side = np.where(np.arange(len(at)) % 2 == 0, 1, -1) * rng.uniform(9, 16, len(at))
    return zip((x - side * ahead[:, 1]).tolist(), (y + side * ahead[:, 0]).tolist(), strict=True)
