"""Road graphs of a few nodes, written as real extracts: shared by the tests of this room.

Coordinates are metres east and north of a point in central France.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from osmium.osm.mutable import Node, Relation, Way

from routing.network import RoadNetwork, build_network
from routing.osm import RawRoads, load_extract
from routing.snap import Snapped, snap
from routing.units import EARTH_RADIUS_M

LON, LAT = 2.3, 46.3
_DEGREE = np.pi / 180 * EARTH_RADIUS_M


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Metres to degrees, as precise as OpenStreetMap stores them."""
    return round(LON + x / (_DEGREE * np.cos(np.radians(LAT))), 7), round(LAT + y / _DEGREE, 7)


@dataclass
class Tiny:
    """An extract in the making."""

    nodes: dict[int, tuple[float, float]]
    ways: list[tuple[Sequence[int], Mapping[str, str]]]
    node_tags: dict[int, Mapping[str, str]] = field(default_factory=dict)
    relations: list[tuple[Mapping[str, str], Sequence[tuple[str, str, int]]]] = field(default_factory=list)  # tags; role, kind, id

    def write(self, path: Path) -> Path:
        """As the suffix says."""
        writer = osmium.SimpleWriter(str(path), overwrite=True)
        for node, (x, y) in self.nodes.items():
            writer.add_node(Node(id=node, location=lonlat(x, y), tags=dict(self.node_tags.get(node, {})), version=1))
        for k, (refs, tags) in enumerate(self.ways):
            writer.add_way(Way(id=100 + k, nodes=list(refs), tags=dict(tags), version=1))
        for k, (tags, members) in enumerate(self.relations):
            ordered = [(kind, ref, role) for role, kind, ref in members]
            writer.add_relation(Relation(id=900 + k, members=ordered, tags=dict(tags), version=1))
        writer.close()
        return path

    def raw(self, folder: Path, suffix: str = ".osm") -> RawRoads:
        """Written and read again."""
        return load_extract(self.write(folder / f"tiny{suffix}"))

    def network(self, folder: Path) -> RoadNetwork:
        """Written, read and built."""
        return build_network(self.raw(folder))


ROAD = {"highway": "tertiary", "maxspeed": "60"}


def forbid(kind: str, from_way: int, via: int, to_way: int) -> tuple[Mapping[str, str], Sequence[tuple[str, str, int]]]:
    """A turn restriction between ways by their position."""
    members = [("from", "w", 100 + from_way), ("via", "n", via), ("to", "w", 100 + to_way)]
    return {"type": "restriction", "restriction": kind}, members


def line(*tags: Mapping[str, str], step_m: float = 1000.0) -> Tiny:
    """Nodes 1, 2, 3... in a row, a way of its own tags between each two."""
    nodes = {k + 1: (k * step_m, 0.0) for k in range(len(tags) + 1)}
    return Tiny(nodes, [((k + 1, k + 2), each) for k, each in enumerate(tags)])


def snapped(network: RoadNetwork, *points: tuple[float, float], limit_m: float = 500.0) -> Snapped:
    """Points in metres, on the roads."""
    return snap(network, np.array([lonlat(x, y) for x, y in points], np.float64).reshape(-1, 2), limit_m)


def same_network(a: RoadNetwork, b: RoadNetwork) -> bool:
    """Every array and text."""
    for name in RoadNetwork.__dataclass_fields__:
        one: Any = getattr(a, name)
        other: Any = getattr(b, name)
        if isinstance(one, np.ndarray):
            if one.dtype != other.dtype or not np.array_equal(one, other):
                return False
        elif name != "source" and one != other:
            return False
    return True
