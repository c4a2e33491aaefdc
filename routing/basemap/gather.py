"""What an extract has to be drawn: lines, areas and points with their kinds, and the sea behind its coastline.

In: an extract. Out: `Drawn`s, in web mercator from 0 to 1 (x to the east, y to the south). Runs in the confined process.
Memory: a few hundred bytes per way and 16 bytes per point, besides osmium's node index and the areas it puts together.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import osmium
import shapely

from routing.basemap.kinds import AREAS, LINES, POINTS, Kind, area_kind, line_kind, one_line, point_kind, road_name
from routing.basemap.sea import sea_of
from routing.errors import BadExtract
from routing.osm import Progress

Floats = npt.NDArray[np.float64]
NORTHMOST = 85.05  # degrees: where web mercator ends


@dataclass(frozen=True, slots=True)
class Label:
    """What things that are drawn alike have in common."""

    kind: Kind
    name: str = ""
    people: int = 0


@dataclass(slots=True)
class Drawn:
    """Everything to draw: shapes by their label."""

    shapes: dict[Label, list[Any]] = field(default_factory=dict)
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # west, south, east, north
    source: str = ""
    data_date: str = ""

    def add(self, label: Label, shape: Any) -> None:
        """Take one shape."""
        self.shapes.setdefault(label, []).append(shape)


def gather_map(path: Path, progress: Progress | None = None) -> Drawn:
    """Read an extract.

    Raises
    ------
    BadExtract
        The file is absent, damaged or cut short.

    Notes
    -----
    Two passes, O(objects in the file): areas of relations need their members first.
    """
    drawn, coasts, seen = Drawn(source=path.name), list[Any](), 0
    try:
        for thing in _relevant(path):
            with suppress(RuntimeError, shapely.errors.GEOSException):  # cut by the extract's edge, or being mended by somebody
                _take(drawn, coasts, thing)
            seen += 1
            if progress is not None and seen % 5000 == 0:
                progress(1 - 30_000 / (30_000 + seen), "map")
        with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as reader:
            header = reader.header()
    except (RuntimeError, ValueError, OSError) as error:
        raise BadExtract(f"{path.name}: the file is damaged, cut short or not OpenStreetMap data.") from error
    drawn.data_date = header.get("osmosis_replication_timestamp") or header.get("timestamp") or ""
    roads = [shape for label, shapes in drawn.shapes.items() if label.kind.layer == "road" for shape in shapes]
    if roads:
        box = tuple(float(side) for side in shapely.total_bounds(np.array(roads)))
        drawn.bounds = (box[0], box[1], box[2], box[3])
        for sea in sea_of(coasts, drawn.bounds):
            drawn.add(Label(Kind("water", "sea", 6)), sea)
    for label, shapes in drawn.shapes.items():
        drawn.shapes[label] = list(to_mercator(np.array(shapes)))
    return drawn


def to_mercator(shapes: Any) -> Any:
    """Longitudes and latitudes become x and y from 0 to 1."""
    return shapely.transform(shapes, _project)


def _project(lonlat: Floats) -> Floats:
    lat = np.radians(lonlat[:, 1].clip(-NORTHMOST, NORTHMOST))
    return np.column_stack([(lonlat[:, 0] + 180) / 360, (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2])


def _relevant(path: Path) -> Iterator[Any]:
    keys = {*LINES, *POINTS, *(key for key, _ in AREAS)}
    processor = osmium.FileProcessor(str(path)).with_areas(osmium.filter.TagFilter(*AREAS))
    yield from processor.with_filter(osmium.filter.KeyFilter(*sorted(keys)))


def _take(drawn: Drawn, coasts: list[Any], thing: Any) -> None:
    tags = dict(thing.tags)
    if thing.is_node():
        if thing.location.valid():
            _take_point(drawn, tags, shapely.Point(thing.lon, thing.lat))
    elif thing.is_way():
        kind = line_kind(tags)
        coast = tags.get("natural") == "coastline"
        if kind is None and not coast:
            return
        nodes = [(n.lon, n.lat) for n in thing.nodes if n.location.valid()]  # an extract's edge cuts ways
        if len(nodes) > 1:
            line = shapely.LineString(nodes)
            if coast:
                coasts.append(line)
            elif kind is not None:
                drawn.add(Label(kind, road_name(tags) if kind.layer == "road" else ""), line)
    elif thing.is_area():
        kind = area_kind(tags)
        area = shapely.from_wkb(_WKB.create_multipolygon(thing))
        if kind is not None:
            drawn.add(Label(kind), area)
        _take_point(drawn, tags, area.representative_point())


def _take_point(drawn: Drawn, tags: dict[str, str], point: Any) -> None:
    kind = point_kind(tags)
    if kind is not None:
        said = tags.get("population", "")
        people = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0
        drawn.add(Label(kind, one_line(tags["name"]), people), point)


_WKB = osmium.geom.WKBFactory()
