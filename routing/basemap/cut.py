"""What is drawn becomes tiles: simplified as far as a zoom shows, cut at the tiles' edges, written as bytes.

In: a `Drawn`. Out: zoom, column, row and bytes of every tile that shows something. Called by `routing.basemap.write`.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely

from routing.basemap.gather import Drawn, Label, to_mercator
from routing.basemap.kinds import HIGHEST, LAYERS, LOWEST
from routing.basemap.mvt import EXTENT, LINE, POINT, POLYGON, Layer, Value, encode_tile
from routing.osm import Progress

MOST_TILES = 100_000  # of the highest zoom; a map as large as a country is written less deep
_PIXEL = EXTENT / 512
_BUFFER = 8 * _PIXEL  # around a tile, so that wide lines do not end at its edge
_ROUGH, _FINE = 0.6 * _PIXEL, 0.15 * _PIXEL  # how far a simplified line may lie beside the true one; at the highest zoom
_SMALLEST = 24 * _PIXEL**2  # areas that are not drawn, but at the highest zoom
_NAMED = 12  # zoom from which roads are told apart by name
_MARGIN = 0.02  # degrees around the roads, in which things are still drawn


class Tile(NamedTuple):
    """One tile: column from the west, row from the north."""

    zoom: int
    x: int
    y: int
    data: bytes


def highest_zoom(drawn: Drawn) -> int:
    """The last zoom that is written."""
    west, north, east, south = _box(drawn)
    for zoom in range(HIGHEST, LOWEST, -1):
        if ((east - west) * 2**zoom + 1) * ((south - north) * 2**zoom + 1) <= MOST_TILES:
            return zoom
    return LOWEST


def cut_tiles(drawn: Drawn, progress: Progress | None = None) -> Iterator[Tile]:
    """All tiles, zoom by zoom. O(points x zooms) time; the memory of one zoom's pieces."""
    highest = highest_zoom(drawn)
    box = _box(drawn)
    for zoom in range(LOWEST, highest + 1):
        if progress is not None:
            progress((2.0 ** (zoom - highest)) / 2, "tiles")
        pieces: dict[tuple[int, int], list[tuple[Label, Any]]] = defaultdict(list)
        for label, shapes in _simplified(drawn, zoom, last=zoom == highest):
            for shape in shapes:
                for x, y, piece in _cut(shape, zoom, box):
                    pieces[x, y].append((label, piece))
        for (x, y), here in sorted(pieces.items(), key=lambda item: item[0]):
            data = _encode(x, y, here)
            if data:
                yield Tile(zoom, x, y, data)


def _box(drawn: Drawn) -> tuple[float, float, float, float]:
    """What is drawn, in web mercator from 0 to 1: west, north, east, south."""
    west, south, east, north = drawn.bounds
    ends = shapely.get_coordinates(to_mercator(shapely.points([[west - _MARGIN, north + _MARGIN], [east + _MARGIN, south - _MARGIN]])))
    (left, top), (right, bottom) = ends.clip(0, 1 - 1e-9).tolist()
    return left, top, right, bottom


def _simplified(drawn: Drawn, zoom: int, *, last: bool) -> Iterator[tuple[Label, Any]]:
    """Shapes in the units of this zoom's tiles, pieces of one line joined."""
    alike: dict[Label, list[Any]] = defaultdict(list)
    for label, raw in drawn.shapes.items():
        if label.kind.zoom <= zoom or last:
            named = zoom >= _NAMED or label.kind.layer != "road"
            alike[label if named else Label(label.kind)] += raw
    for label, found in alike.items():
        shapes: Any = shapely.transform(np.array(found), lambda xy: xy * (2**zoom * EXTENT))
        kind = int(shapely.get_dimensions(shapes[0]))
        if kind == 1:
            shapes = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapes)))
            shapes = shapely.simplify(shapes, _FINE if last else _ROUGH, preserve_topology=False)
        elif kind == 2:
            shapes = shapes if last else shapes[shapely.area(shapes) >= _SMALLEST]
            shapes = shapely.simplify(shapes, _FINE if last else _ROUGH)
        yield label, shapes[~shapely.is_empty(shapes)]


def _cut(shape: Any, zoom: int, box: tuple[float, float, float, float]) -> Iterator[tuple[int, int, Any]]:
    """Pieces of a shape by the tiles it touches: halved and halved again, O(points x log tiles)."""
    left, top, right, bottom = (int(side * 2**zoom) for side in box)
    buffer = 0.0 if shape.geom_type == "Point" else _BUFFER
    waiting = [(shape, left, top, right, bottom)]
    while waiting:
        shape, left, top, right, bottom = waiting.pop()
        if shape.is_empty:
            continue
        west, north, east, south = shape.bounds
        within = left * EXTENT - buffer <= west and east <= (right + 1) * EXTENT + buffer
        within = within and top * EXTENT - buffer <= north and south <= (bottom + 1) * EXTENT + buffer
        left, right = max(left, int((west - buffer) // EXTENT)), min(right, int((east + buffer) // EXTENT))
        top, bottom = max(top, int((north - buffer) // EXTENT)), min(bottom, int((south + buffer) // EXTENT))
        if left > right or top > bottom:
            continue
        if left == right and top == bottom:
            yield left, top, shape if within else _clip(shape, left, top, right, bottom)
        elif right - left >= bottom - top:
            middle = (left + right) // 2
            waiting += [(_clip(shape, *half), *half) for half in ((left, top, middle, bottom), (middle + 1, top, right, bottom))]
        else:
            middle = (top + bottom) // 2
            waiting += [(_clip(shape, *half), *half) for half in ((left, top, right, middle), (left, middle + 1, right, bottom))]


def _clip(shape: Any, left: int, top: int, right: int, bottom: int) -> Any:
    """What lies in these tiles, and a little around them."""
    if shape.geom_type == "Point":
        x, y = shape.x // EXTENT, shape.y // EXTENT
        return shape if left <= x <= right and top <= y <= bottom else shapely.Point()
    ends = left * EXTENT - _BUFFER, top * EXTENT - _BUFFER, (right + 1) * EXTENT + _BUFFER, (bottom + 1) * EXTENT + _BUFFER
    return shapely.clip_by_rect(shape, *ends)


def _encode(x: int, y: int, pieces: list[tuple[Label, Any]]) -> bytes:
    layers = {name: Layer(name) for name in LAYERS}
    corner = np.array([x * EXTENT, y * EXTENT], np.float64)
    for label, piece in pieces:
        about: dict[str, Value] = {"kind": label.kind.kind}
        if label.name:
            about["name"] = label.name
        if label.people:
            about["people"] = label.people
        layer = layers[label.kind.layer]
        for part in shapely.get_parts(piece):
            shape = {"Point": POINT, "LineString": LINE, "Polygon": POLYGON}.get(part.geom_type)
            if shape is not None and not part.is_empty:
                layer.add(shape, [(shapely.get_coordinates(line) - corner).round().astype(np.int64) for line in _lines(part)], about)
    return encode_tile(layers.values())


def _lines(part: Any) -> list[Any]:
    """Of an area its rings, as the tile's writing wants them turned: outside the other way round than holes."""
    if part.geom_type != "Polygon":
        return [part]
    turned = shapely.orient_polygons(part, exterior_cw=False)
    return [turned.exterior, *turned.interiors]
