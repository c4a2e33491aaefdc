"""The demo territory is what it says: fictional, the same for a seed, and a road network like any other."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.demo import make_demo_extract
from routing.saved import open_roads
from routing.snap import snap


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.osm.pbf"
    make_demo_extract(path)
    return path


def _ways(path: Path) -> list[tuple[dict[str, str], shapely.LineString]]:
    found = osmium.FileProcessor(path).with_locations().with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    return [(dict(way.tags), shapely.LineString([(n.location.lon, n.location.lat) for n in way.nodes])) for way in found]


def _places(path: Path) -> list[tuple[dict[str, str], tuple[float, float]]]:
    found = osmium.FileProcessor(path).with_filter(osmium.filter.KeyFilter("place"))
    return [(dict(node.tags), (node.location.lon, node.location.lat)) for node in found]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_territory(extract: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.osm.pbf", tmp_path / "other.osm.pbf"
    make_demo_extract(again)
    make_demo_extract(other, seed=2)
    assert again.read_bytes() == extract.read_bytes()
    assert other.read_bytes() != extract.read_bytes()


def test_an_older_file_is_replaced(extract: Path, tmp_path: Path) -> None:
    path = tmp_path / "demo.osm.pbf"
    path.write_bytes(b"old")
    make_demo_extract(path)
    assert path.read_bytes() == extract.read_bytes()


def test_the_header_and_every_place_say_that_it_is_fictional(extract: Path) -> None:
    with osmium.io.Reader(extract) as reader:
        assert "fictional" in reader.header().get("generator")
    assert all("fictif / fictional" in tags["note"] for tags, _ in _places(extract))


def test_it_has_forty_communes_with_distinct_names_and_their_hamlets(extract: Path) -> None:
    kinds = Counter(tags["place"] for tags, _ in _places(extract))
    assert kinds["town"] == 2
    assert kinds["village"] == 38
    assert kinds["hamlet"] > 150
    called = [tags["name"] for tags, _ in _places(extract) if tags["place"] != "hamlet"]
    assert len(set(called)) == 40
    assert all(int(tags["population"]) > 0 for tags, _ in _places(extract))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_roads_cross_the_river_on_its_five_bridges_only(seed: int, tmp_path: Path) -> None:
    make_demo_extract(tmp_path / "demo.osm.pbf", seed=seed)
    ways = _ways(tmp_path / "demo.osm.pbf")
    (river,) = [line for tags, line in ways if tags.get("waterway") == "river"]
    over = [tags for tags, line in ways if "highway" in tags and line.intersects(river)]
    assert len(over) == 5
    assert all(tags["bridge"] == "yes" for tags in over)


def test_every_road_class_and_facility_that_a_day_needs_is_there(extract: Path) -> None:
    roads = Counter(tags.get("highway") for tags, _ in _ways(extract))
    assert {"primary", "secondary", "tertiary", "unclassified", "residential"} <= set(roads)
    assert {"living_street", "track", "service"} <= set(roads)
    tagged = Counter(f"{tag.k}={tag.v}" for thing in osmium.FileProcessor(extract) for tag in thing.tags)
    for fact in ("amenity=hospital", "office=employment_agency", "railway=station", "shop=supermarket", "amenity=marketplace"):
        assert tagged[fact] >= 2, fact
    assert tagged["oneway=yes"] > 10
    assert tagged["amenity=doctors"] > 10
    assert tagged["restriction=no_left_turn"] == 8
    assert tagged["restriction=only_straight_on"] == 4
    assert tagged["access=private"] > 10


def test_roundabouts_turn_anticlockwise_as_in_france(extract: Path) -> None:
    rings = [line for tags, line in _ways(extract) if tags.get("junction") == "roundabout"]
    assert rings
    assert all(shapely.is_ccw(line) for line in rings)


def test_a_restriction_joins_two_ways_that_end_at_its_node(extract: Path) -> None:
    ends = {way.id: (way.nodes[0].ref, way.nodes[-1].ref) for way in osmium.FileProcessor(extract, osmium.osm.WAY)}
    relations = [{m.role: m.ref for m in relation.members} for relation in osmium.FileProcessor(extract, osmium.osm.RELATION)]
    assert len(relations) == 14
    for member in relations:
        assert member["via"] in ends[member["from"]]
        assert member["via"] in ends[member["to"]]


def test_roads_wind_and_speed_limits_are_on_part_of_them_only(extract: Path) -> None:
    roads = [(tags, line) for tags, line in _ways(extract) if tags.get("highway") in ("secondary", "tertiary") and "name" not in tags]
    longer = [line.length / np.hypot(*np.subtract(line.coords[0], line.coords[-1])) for _, line in roads if line.length > 0.02]
    assert 1.02 < float(np.median(longer)) < 1.3
    assert 0.2 < np.mean(["maxspeed" in tags for tags, _ in roads]) < 0.95


def test_nearly_all_public_roads_can_be_reached_from_each_other(extract: Path) -> None:
    arcs, metres = [], []
    for way in osmium.FileProcessor(extract, osmium.osm.NODE | osmium.osm.WAY).with_locations():
        if way.is_way() and way.tags.get("highway") not in (None, "track") and way.tags.get("access") != "private":
            steps = [(a.ref, b.ref, osmium.geom.haversine_distance(a.location, b.location)) for a, b in pairwise(way.nodes)]
            arcs += [(a, b) for a, b, _ in steps] + [(b, a) for a, b, _ in steps if way.tags.get("oneway") != "yes"]
            metres += [(a, length) for a, _, length in steps]
    numbers, index = np.unique(np.array(arcs), return_inverse=True)
    tail, head = index.reshape(-1, 2).T
    _, piece = connected_components(coo_array((np.ones(len(tail)), (tail, head)), shape=(len(numbers),) * 2), connection="strong")
    largest = set(numbers[piece == np.bincount(piece).argmax()].tolist())
    kept = sum(length for a, length in metres if a in largest)
    assert kept > 0.97 * sum(length for _, length in metres)


def test_it_loads_like_any_extract_and_every_commune_is_within_500_metres_of_a_road(extract: Path) -> None:
    roads = open_roads(extract)
    communes = np.array([at for tags, at in _places(extract) if tags["place"] != "hamlet"])
    assert (snap(roads, communes, limit_m=500).edge >= 0).all()
    assert roads.dropped_share < 0.03
    assert (len(roads.banned), roads.rules_left_out) == (22, {})  # of 14 restrictions, some of them only_...
    assert {place.name for place in roads.places} >= {tags["name"] for tags, _ in _places(extract)}
