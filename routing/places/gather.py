"""What an extract says about places: settlements, destinations, named streets, house numbers, and the bounds of communes.

In: an extract. Out: a `Gathered`, for `routing.places.write`. Runs in the confined process (`routing.confined`).
Memory: some 60 bytes per house number and 100 per named way, besides osmium's node index.
"""

from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import shapely

from routing.access import Tags
from routing.errors import BadExtract
from routing.osm import Progress
from routing.places.kinds import DESTINATIONS, kind_of
from routing.places.port import one_line

SPOT_STEP = 0.0012  # degrees between two spots of a street, some 100 m: enough to say which street is near
_NOT_STREETS = {"bus_stop", "platform", "proposed", "construction", "abandoned", "elevator", "rest_area", "services", "crossing"}
_MOST_BETWEEN = 500  # house numbers on one interpolation way
_AREAS = [("boundary", "administrative"), *(("amenity", kind) for kind in DESTINATIONS["amenity"]), ("landuse", "cemetery")]


@dataclass(frozen=True, slots=True)
class Thing:
    """A settlement or a destination."""

    kind: str
    name: str
    called: str  # other words for its kind
    lon: float
    lat: float
    locality: str  # as its own address says
    postcode: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """A commune, or whatever the country has: the area of an administrative boundary."""

    level: int
    name: str
    postcode: str
    area: Any  # shapely polygons


@dataclass(slots=True)
class Gathered:
    """All of an extract. Houses and ways are columns; texts are numbers in `texts`."""

    texts: dict[str, int] = field(default_factory=lambda: {"": 0})
    things: list[Thing] = field(default_factory=list)
    bounds: list[Bounds] = field(default_factory=list)
    house: "array[int]" = field(default_factory=lambda: array("i"))  # [H, 4] number as written, street, city, postcode
    house_at: "array[float]" = field(default_factory=lambda: array("d"))  # [H, 2] lon, lat
    way: "array[int]" = field(default_factory=lambda: array("i"))  # [W, 2] name, index of its first spot
    spot_at: "array[float]" = field(default_factory=lambda: array("d"))  # [S, 2]
    source: str = ""
    data_date: str = ""

    def text(self, value: str) -> int:
        """A text's number."""
        return self.texts.setdefault(one_line(value), len(self.texts))


class Gatherer:
    """Takes objects one by one, nodes before ways before relations, as extracts are sorted."""

    def __init__(self) -> None:
        self.found = Gathered()
        self._way_names: dict[int, int] = {}  # of named streets, for relations that put houses to them
        self._homeless: dict[tuple[str, int], int] = {}  # houses that name no street, by their object
        self._numbered: dict[int, tuple[str, int]] = {}  # number and house by node, for those between them

    def take_node(self, node_id: int, tags: Tags, lon: float, lat: float) -> None:
        """A point."""
        self._take_thing(tags, lon, lat)
        if "addr:housenumber" in tags:
            self._numbered[node_id] = tags["addr:housenumber"], self._take_house("n", node_id, tags, lon, lat)

    def take_way(self, way_id: int, tags: Tags, nodes: list[tuple[int, float, float]]) -> None:
        """A street, a building, or a line of house numbers."""
        if not nodes:
            return
        highway = tags.get("highway")
        if highway is not None and highway not in _NOT_STREETS and len(nodes) > 1:
            if tags.get("name", "").strip():
                self._take_street(way_id, tags["name"], nodes)
            return
        if "addr:interpolation" in tags:
            self._take_between(tags["addr:interpolation"], nodes)
            return
        lon, lat = sum(n[1] for n in nodes) / len(nodes), sum(n[2] for n in nodes) / len(nodes)
        self._take_thing(tags, lon, lat)
        if "addr:housenumber" in tags:
            self._take_house("w", way_id, tags, lon, lat)

    def take_area(self, tags: Tags, area: Any) -> None:
        """Of a relation: a commune, or a destination of several buildings."""
        if tags.get("boundary") == "administrative":
            level = tags.get("admin_level", "")
            if tags.get("name") and level.isascii() and level.isdigit() and len(level) < 3:
                postcode = tags.get("addr:postcode") or tags.get("postal_code", "")
                self.found.bounds.append(Bounds(int(level), one_line(tags["name"]), _one(postcode), area))
            return
        middle = area.centroid
        self._take_thing(tags, middle.x, middle.y)

    def take_relation(self, tags: Tags, members: list[tuple[str, str, int]]) -> None:
        """Houses put to a street by a relation."""
        if tags.get("type") not in ("associatedStreet", "street"):
            return
        name = self.found.text(tags.get("name", ""))
        for role, kind, ref in members:
            if not name and role == "street" and kind == "w":
                name = self._way_names.get(ref, 0)
        for _, kind, ref in members:
            house = self._homeless.get((kind, ref))
            if house is not None and name:
                self.found.house[4 * house + 1] = name

    def _take_thing(self, tags: Tags, lon: float, lat: float) -> None:
        kind = kind_of(tags)
        if kind is not None:
            postcode = tags.get("addr:postcode") or tags.get("postal_code", "")
            what, name, called = kind
            self.found.things.append(Thing(what, one_line(name), called, lon, lat, one_line(tags.get("addr:city", "")), _one(postcode)))

    def _take_house(self, kind: str, ref: int, tags: Tags, lon: float, lat: float) -> int:
        found = self.found
        index = len(found.house) // 4
        street = found.text(tags.get("addr:street") or tags.get("addr:place", ""))
        city, postcode = found.text(tags.get("addr:city", "")), found.text(_one(tags.get("addr:postcode", "")))
        found.house.extend((found.text(tags["addr:housenumber"]), street, city, postcode))
        found.house_at.extend((lon, lat))
        if not street:
            self._homeless[kind, ref] = index
        return index

    def _take_street(self, way_id: int, name: str, nodes: list[tuple[int, float, float]]) -> None:
        """Its middle first, then spots along it."""
        found = self.found
        self._way_names[way_id] = found.text(name)
        found.way.extend((found.text(name), len(found.spot_at) // 2))
        _, *middle = nodes[len(nodes) // 2]
        found.spot_at.extend(middle)
        last = middle
        for _, lon, lat in nodes:
            if abs(lon - last[0]) + abs(lat - last[1]) >= SPOT_STEP:
                found.spot_at.extend((lon, lat))
                last = [lon, lat]

    def _take_between(self, how: str, nodes: list[tuple[int, float, float]]) -> None:
        """Numbers between the two ends of a line, evenly."""
        found, known = self.found, [self._numbered[node] for node in (nodes[0][0], nodes[-1][0]) if node in self._numbered]
        step = {"odd": 2, "even": 2, "all": 1}.get(how, 0)
        if len(known) != 2 or not step:
            return
        if not all(number.isascii() and number.isdigit() and len(number) < 5 for number, _ in known):
            return
        low, high = sorted((int(number), house) for number, house in known)
        count = (high[0] - low[0]) // step
        for k in range(1, min(count, _MOST_BETWEEN)):
            share = k / count
            a, b = ((found.house_at[2 * end], found.house_at[2 * end + 1]) for end in (low[1], high[1]))
            found.house.extend((found.text(str(low[0] + k * step)), *found.house[4 * low[1] + 1 : 4 * low[1] + 4]))
            found.house_at.extend((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))


def _one(postcode: str) -> str:
    """The first of several, such as « 63000;63100 »."""
    return one_line(postcode.partition(";")[0])


def gather_places(path: Path, progress: Progress | None = None) -> Gathered:
    """Read an extract.

    Raises
    ------
    BadExtract
        The file is absent, damaged or cut short.

    Notes
    -----
    Two passes, O(objects in the file): areas of relations need their members first.
    """
    gatherer, seen = Gatherer(), 0
    try:
        for thing in _relevant(path):
            _take(gatherer, thing)
            seen += 1
            if progress is not None and seen % 5000 == 0:
                progress(1 - 30_000 / (30_000 + seen), "places")
        with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as reader:
            header = reader.header()
    except (RuntimeError, ValueError, OSError) as error:
        raise BadExtract(f"{path.name}: the file is damaged, cut short or not OpenStreetMap data.") from error
    found = gatherer.found
    found.source, found.data_date = path.name, header.get("osmosis_replication_timestamp") or header.get("timestamp") or ""
    return found


def _relevant(path: Path) -> Iterator[Any]:
    keys = ("highway", "addr:housenumber", "addr:interpolation", "boundary", "type", "place", *DESTINATIONS)
    processor = osmium.FileProcessor(str(path)).with_areas(osmium.filter.TagFilter(*_AREAS))
    yield from processor.with_filter(osmium.filter.KeyFilter(*keys))


def _take(gatherer: Gatherer, thing: Any) -> None:
    if thing.is_node():
        if thing.location.valid():
            gatherer.take_node(thing.id, dict(thing.tags), thing.lon, thing.lat)
    elif thing.is_way():
        gatherer.take_way(thing.id, dict(thing.tags), [(n.ref, n.lon, n.lat) for n in thing.nodes if n.location.valid()])
    elif thing.is_relation():
        gatherer.take_relation(dict(thing.tags), [(m.role, m.type, m.ref) for m in thing.members])
    elif thing.is_area() and not thing.from_way():
        with suppress(RuntimeError):  # rings that do not close: cut by the extract's edge, or being mended by somebody
            gatherer.take_area(dict(thing.tags), shapely.from_wkb(_WKB.create_multipolygon(thing)))


_WKB = osmium.geom.WKBFactory()
