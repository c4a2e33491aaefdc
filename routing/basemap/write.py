"""The base map's file: MBTiles 1.3, an SQLite file of gzipped vector tiles, written whole or not at all.

In: a `Drawn`. Out: NAME.mbtiles. Called by `routing.confined`; opened by `routing.basemap.tiles`. Same input, same tiles, same digest.
"""

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from routing.basemap.cut import cut_tiles, highest_zoom
from routing.basemap.gather import Drawn
from routing.basemap.kinds import LAYERS, LOWEST
from routing.errors import BadMap
from routing.osm import Progress

FORMAT = 1
APPLICATION = 0x4D504258  # MBTiles, as its specification says
SUFFIX = ".mbtiles"
ATTRIBUTION = "© OpenStreetMap contributors"
_TABLES = """
CREATE TABLE metadata (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tiles (zoom_level INTEGER NOT NULL, tile_column INTEGER NOT NULL, tile_row INTEGER NOT NULL, tile_data BLOB NOT NULL,
    PRIMARY KEY (zoom_level, tile_column, tile_row));
"""


def map_beside(roads: Path) -> Path:
    """Where the base map of a network is: NAME.mbtiles beside NAME.roads."""
    return roads.with_name(roads.name.removesuffix(".roads").partition(".osm")[0] + SUFFIX)


def write_map(drawn: Drawn, path: Path, progress: Progress | None = None) -> None:
    """Fill an empty file. BadMap when there is nothing to draw, or no room."""
    if not drawn.shapes or drawn.bounds == (0.0, 0.0, 0.0, 0.0):
        raise BadMap(f"{drawn.source}: there is no road to draw in it.")
    whole = hashlib.blake2b(digest_size=16)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA application_id={APPLICATION};")
            db.executescript(f"PRAGMA user_version={FORMAT}; {_TABLES}")
            db.execute("BEGIN")
            for zoom, x, y, data in cut_tiles(drawn, progress):
                packed = gzip.compress(data, 6, mtime=0)
                whole.update(f"{zoom}/{x}/{y} {len(data)} ".encode() + data)
                db.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (zoom, x, 2**zoom - 1 - y, packed))  # rows count from the south there
            db.executemany("INSERT INTO metadata VALUES (?, ?)", _about(drawn, whole.hexdigest()).items())
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise BadMap("The base map cannot be written; is there room?") from error


def _about(drawn: Drawn, digest: str) -> dict[str, str]:
    west, south, east, north = drawn.bounds
    highest = highest_zoom(drawn)
    layers = [{"id": name, "fields": {"kind": "String", "name": "String", "people": "Number"}} for name in LAYERS]
    return {
        "name": drawn.source,
        "format": "pbf",
        "type": "baselayer",
        "bounds": f"{west:.5f},{south:.5f},{east:.5f},{north:.5f}",
        "center": f"{(west + east) / 2:.5f},{(south + north) / 2:.5f},{min(10, highest)}",
        "minzoom": str(LOWEST),
        "maxzoom": str(highest),
        "attribution": ATTRIBUTION,
        "json": json.dumps({"vector_layers": layers}),
        "data_date": drawn.data_date,
        "digest": digest,
    }
