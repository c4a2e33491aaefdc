"""Write the demo territory as a real OpenStreetMap file: nodes, ways, turn restrictions, places and addresses.

In: the `Net` of streets, the `Land` and its `Spot`s. Out: an .osm.pbf file that says it is fictional in its header and on its places.
Called by `make_demo_extract`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from osmium.osm import mutable

from routing.demo.areas import make_areas
from routing.demo.junctions import Net, Street
from routing.demo.land import HEIGHT_M, WIDTH_M, Floats, Land
from routing.demo.names import RIVER
from routing.demo.spots import NOTE, Spot

CENTRE = (2.4, 46.3)  # lon, lat
GENERATOR = "allons-demo (fictional)"
RESTRICTIONS = (("no_left_turn", 8), ("no_right_turn", 2), ("only_straight_on", 4))
_METRES_PER_DEGREE = 111_195.0
_MAJOR = ("primary", "secondary", "tertiary")
_STAMP: dict[str, Any] = {"version": 1, "timestamp": "2026-01-01T00:00:00Z", "changeset": 1, "uid": 1, "user": "allons-demo"}


@dataclass(frozen=True)
class Ban:
    """A turn restriction, by the numbers of its ways and node."""

    kind: str
    from_way: int
    via: int
    to_way: int


def write_extract(path: Path, land: Land, net: Net, spots: list[Spot], rng: np.random.Generator) -> None:
    """Write the file; an older one is replaced. Same input, same bytes."""
    ways, bans = _make_bans(net, rng)
    x = np.linspace(0, WIDTH_M, 600)
    river = np.column_stack([x, land.river.north_of(x)])
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    places = _lonlat(np.concatenate([net.nodes, river, np.array([s.xy for s in spots])]))
    first_river = len(net.nodes)
    first_spot = first_river + len(river)
    first_field = len(places)
    areas = make_areas(land)
    places += _lonlat(np.concatenate([area.ring for area in areas]))
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf"), header=header, overwrite=True) as writer:
        for k, place in enumerate(places):
            tags = spots[k - first_spot].tags if first_spot <= k < first_field else {}
            writer.add_node(mutable.Node(id=k + 1, location=place, tags=tags, **_STAMP))
        for k, way in enumerate(ways):
            writer.add_way(mutable.Way(id=k + 1, nodes=[n + 1 for n in way.nodes], tags=way.tags, **_STAMP))
        waterway = {"waterway": "river", "name": RIVER, "note": NOTE}
        writer.add_way(mutable.Way(id=len(ways) + 1, nodes=list(range(first_river + 1, first_spot + 1)), tags=waterway, **_STAMP))
        first = first_field
        for k, area in enumerate(areas):
            ring = [*range(first + 1, first + len(area.ring) + 1), first + 1]
            writer.add_way(mutable.Way(id=len(ways) + 2 + k, nodes=ring, tags={**area.tags, "note": NOTE}, **_STAMP))
            first += len(area.ring)
        for k, ban in enumerate(bans):
            members = [("w", ban.from_way + 1, "from"), ("n", ban.via + 1, "via"), ("w", ban.to_way + 1, "to")]
            tags = {"type": "restriction", "restriction": ban.kind}
            writer.add_relation(mutable.Relation(id=k + 1, members=members, tags=tags, **_STAMP))


def _lonlat(points: Floats) -> list[tuple[float, float]]:
    lat = CENTRE[1] + (points[:, 1] - HEIGHT_M / 2) / _METRES_PER_DEGREE
    lon = CENTRE[0] + (points[:, 0] - WIDTH_M / 2) / (_METRES_PER_DEGREE * np.cos(np.radians(CENTRE[1])))
    return list(zip(lon.round(7).tolist(), lat.round(7).tolist(), strict=True))


def _make_bans(net: Net, rng: np.random.Generator) -> tuple[list[Street], list[Ban]]:
    """Choose junctions of small with main streets in built-up areas, cut the ways there, and forbid a turn at each."""
    meets: dict[int, list[Street]] = defaultdict(list)
    for street in net.streets:
        for node in set(street.nodes):
            meets[node].append(street)
    vias = [n for n, here in sorted(meets.items()) if len(here) == 2 and _is_small_with_main(here)]
    vias = [int(v) for v in rng.permutation(vias)[:60]]
    ways = [piece for street in net.streets for piece in _cut_at(street, set(vias))]
    bans = []
    for kind, count in RESTRICTIONS:
        made = 0
        while vias and made < count:
            turns = _turns(net.nodes, ways, vias.pop(0), kind)
            bans += turns[:1]
            made += len(turns[:1])
    return ways, bans


def _is_small_with_main(streets: list[Street]) -> bool:
    small = any(s.tags["highway"] == "residential" and "oneway" not in s.tags for s in streets)
    return small and any(s.tags["highway"] in _MAJOR and "ref" in s.tags and "name" in s.tags for s in streets)


def _cut_at(street: Street, vias: set[int]) -> Iterator[Street]:
    start = 0
    for k, node in enumerate(street.nodes[1:-1], 1):
        if node in vias:
            yield Street(street.nodes[start : k + 1], street.tags)
            start = k
    yield Street(street.nodes[start:], street.tags)


def _turns(nodes: Floats, ways: list[Street], via: int, kind: str) -> list[Ban]:
    """The restrictions of this kind that make sense at a junction: from a small street, to a main one or straight across."""
    low, high = {"no_left_turn": (45, 135), "no_right_turn": (-135, -45), "only_straight_on": (-30, 30)}[kind]
    ends = [(w, way.nodes) for w, way in enumerate(ways) if via in (way.nodes[0], way.nodes[-1])]
    arms = [(w, path[1] if path[0] == via else path[-2]) for w, path in ends]
    bans = []
    for w, a in arms:
        for u, b in arms:
            if w == u or ways[w].tags["highway"] != "residential" or (kind != "only_straight_on" and ways[u].tags["highway"] not in _MAJOR):
                continue
            if low < _turn_degrees(nodes[a], nodes[via], nodes[b]) < high:
                bans.append(Ban(kind, w, via, u))
    return bans


def _turn_degrees(a: Floats, via: Floats, b: Floats) -> float:
    """Change of heading, positive to the left."""
    into, out = np.arctan2(*(via - a)[::-1]), np.arctan2(*(b - via)[::-1])
    return float(np.degrees((out - into + np.pi) % (2 * np.pi) - np.pi))
