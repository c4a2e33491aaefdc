"""The base map: what an extract draws is found again in its tiles, where it is on earth."""

import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from routing.basemap import BaseMap
from routing.basemap.cut import MOST_TILES, highest_zoom
from routing.basemap.gather import Drawn, gather_map
from routing.basemap.mvt import LINE, POINT, POLYGON, Layer, encode_tile, varints
from routing.basemap.sea import sea_of
from routing.basemap.write import write_map
from routing.confined import write_map_confined
from routing.errors import BadExtract, BadMap
from tests.routing.basemap.reading import lonlat_of, read_tile, tile_of
from tests.routing.tiny import ROAD, Tiny, line, lonlat


def village() -> Tiny:
    """A named road of three pieces, a wood with a clearing, a pond, a place and a hospital."""
    tiny = line(*[{**ROAD, "name": "Rue du Puits"}] * 3)
    corners = {10: (200, 200), 11: (1800, 200), 12: (1800, 1800), 13: (200, 1800), 20: (800, 800), 21: (1200, 800), 22: (1000, 1200)}
    tiny.nodes |= {node: (float(x), float(y)) for node, (x, y) in corners.items()}
    tiny.nodes |= {30: (100.0, 100.0), 31: (500.0, 90.0), 40: (2500.0, 50.0), 41: (2600.0, 60.0), 42: (2600.0, 150.0)}
    tiny.ways += [((10, 11, 12, 13, 10), {}), ((20, 21, 22, 20), {}), ((40, 41, 42, 40), {"natural": "water"})]
    tiny.node_tags |= {
        30: {"place": "village", "name": "Évaux\nle Bas", "population": "412"},
        31: {"amenity": "hospital", "name": "Hôpital"},
    }
    tiny.relations = [({"type": "multipolygon", "landuse": "forest"}, [("outer", "w", 103), ("inner", "w", 104)])]
    return tiny


def made(tiny: Tiny, folder: Path) -> BaseMap:
    """Written, read and drawn as `allons roads build` does."""
    path = folder / "t.mbtiles"
    write_map_confined(tiny.write(folder / "t.osm.pbf"), path)
    return BaseMap(path)


def near(base: BaseMap, x: float, y: float, zoom: int = 14) -> tuple[tuple[int, int], dict[str, list[dict[str, object]]]]:
    """The tile around a point in metres."""
    at = tile_of(zoom, *lonlat(x, y))
    data = base.tile(zoom, *at)
    return at, read_tile(gzip.decompress(data)) if data else {}


def test_roads_water_woods_and_names_are_drawn_where_they_are(tmp_path: Path) -> None:
    base = made(village(), tmp_path)
    at, tile = near(base, 100, 100)
    assert {feature["about"]["name"] for feature in tile["road"]} == {"Rue du Puits"}
    assert len(tile["road"]) == 1, "pieces of one road are one line"
    ((point,),) = tile["place"][0]["parts"]
    assert lonlat_of(14, *at, point) == pytest.approx(lonlat(100, 100), abs=1e-5)
    assert tile["place"][0]["about"] == {"kind": "village", "name": "Évaux le Bas", "people": 412}
    assert near(base, 500, 90)[1]["spot"][0]["about"] == {"kind": "hospital", "name": "Hôpital"}
    assert near(base, 2550, 80)[1]["water"][0]["shape"] == POLYGON
    at, tile = near(base, 1000, 1000)
    wood = shapely.union_all([_area(14, at, feature["parts"]) for feature in tile["land"]])
    assert not wood.contains(shapely.Point(lonlat(1000, 1000))), "the clearing"
    assert wood.contains(shapely.Point(lonlat(1000, 700)))


def _area(zoom: int, at: tuple[int, int], parts: list[list[tuple[int, int]]]) -> shapely.Polygon:
    rings = [[lonlat_of(zoom, *at, point) for point in part] for part in parts]
    for ring, part in zip(rings, parts, strict=True):
        twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(part))
        assert (twice > 0) == (ring is rings[0]), "rings outside and inside are turned differently"
    return shapely.Polygon(rings[0], rings[1:])


def test_the_same_extract_makes_the_same_map_and_what_no_tile_shows_is_no_tile(tmp_path: Path) -> None:
    first = made(village(), tmp_path)
    (tmp_path / "again").mkdir()
    assert made(village(), tmp_path / "again").digest == first.digest
    assert first.tile(14, 0, 0) is None
    assert first.tile(30, 0, 0) is None
    assert first.tile(6, -1, 0) is None
    assert first.zooms == (6, 14)


point = st.tuples(st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20))
about = st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=5), st.integers(0, 2**40)), max_size=3)


@given(st.lists(st.tuples(st.lists(point, min_size=4, max_size=9, unique=True), about), min_size=1, max_size=5))
def test_what_is_written_into_a_tile_is_read_again(features: list[tuple[list[tuple[int, int]], dict[str, str | int]]]) -> None:
    layer = Layer("all")
    for points, words in features:
        for shape, k in ((POINT, 1), (LINE, len(points)), (POLYGON, len(points))):
            layer.add(shape, [np.array(points[:k], np.int64)], words)
    read = read_tile(encode_tile([layer, Layer("empty")]))
    expected = [
        {"shape": shape, "parts": [part], "about": words}
        for points, words in features
        for shape, part in ((POINT, points[:1]), (LINE, points), (POLYGON, [*points, points[0]]))
    ]
    assert read == {"all": expected}


@given(st.lists(st.integers(0, 2**63), max_size=20))
def test_numbers_take_seven_bits_a_byte(numbers: list[int]) -> None:
    written = varints(np.array(numbers, np.uint64))
    assert sum(byte < 128 for byte in written) == len(numbers)
    assert len(written) == sum(max(1, -(-number.bit_length() // 7)) for number in numbers)


def test_the_sea_is_to_the_right_of_the_coast_and_a_cut_coast_drowns_nobody() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    northward, island = shapely.LineString([(4, -1), (4, 11)]), shapely.LineString([(7, 4), (8, 4), (8, 5), (7, 4)])
    (sea,) = sea_of([northward, island], box)
    assert sea.contains(shapely.Point(6, 2))
    assert not sea.contains(shapely.Point(2, 2))
    assert not sea.contains(shapely.Point(7.8, 4.3)), "an island"
    assert list(sea_of([shapely.LineString([(4, 3), (4, 6)])], box)) == []


def test_a_map_of_half_the_world_is_written_less_deep() -> None:
    drawn = Drawn(bounds=(-90.0, -40.0, 90.0, 60.0))
    assert highest_zoom(drawn) < 10
    assert highest_zoom(Drawn(bounds=(2.0, 46.0, 3.0, 47.0))) == 14
    assert MOST_TILES < 2**20


def test_what_cannot_be_drawn_is_refused_and_the_old_map_stays(tmp_path: Path) -> None:
    base = made(village(), tmp_path)
    before = (tmp_path / "t.mbtiles").read_bytes()
    base.close()
    (tmp_path / "bad.osm.pbf").write_bytes((tmp_path / "t.osm.pbf").read_bytes()[:-40])
    with pytest.raises(BadExtract, match=r"^bad\.osm\.pbf: "):
        write_map_confined(tmp_path / "bad.osm.pbf", tmp_path / "t.mbtiles")
    with pytest.raises(BadMap, match="no road"):
        write_map(gather_map(line({"waterway": "river"}).write(tmp_path / "r.osm.pbf")), tmp_path / "new")
    with pytest.raises(BadMap, match=r"t\.mbtiles: cannot be written"):
        write_map_confined(tmp_path / "t.osm.pbf", tmp_path / "absent" / "t.mbtiles")
    assert (tmp_path / "t.mbtiles").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    for content in (b"", b"nothing of the kind" * 40, before[:3000]):
        (tmp_path / "t.mbtiles").write_bytes(content)
        with pytest.raises(BadMap, match=r"^t\.mbtiles: "):
            BaseMap(tmp_path / "t.mbtiles")
