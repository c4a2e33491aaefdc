"""A base map that was written: its tiles, one by one.

In: a file made by `routing.basemap.write`. Out: tiles as they are stored, gzipped. Opened by whoever starts the service; called by the API.
"""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from routing.basemap.write import APPLICATION, ATTRIBUTION, FORMAT
from routing.errors import BadMap


class BaseMap:
    """One file, read only, by any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        except sqlite3.Error:
            raise BadMap(f"{path.name}: cannot be opened as a base map.") from None
        try:
            if self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                raise BadMap(f"{path.name}: this is not a base map.")
            if self._db.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
                raise BadMap(f"{path.name}: it was not made by this version of Allons.")
            about = dict(self._db.execute("SELECT name, value FROM metadata"))
            west, south, east, north = (float(side) for side in about["bounds"].split(","))
            self.bounds = west, south, east, north
            self.zooms = int(about["minzoom"]), int(about["maxzoom"])
            self.digest, self.attribution = about["digest"], ATTRIBUTION
            self.count = int(self._db.execute("SELECT count(*) FROM tiles").fetchone()[0])
        except BadMap:
            self._db.close()
            raise
        except (sqlite3.Error, KeyError, ValueError):
            self._db.close()
            raise BadMap(f"{path.name}: the file is damaged or cut short.") from None

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """A tile as it is stored, gzipped; None where there is nothing to see. Columns from the west, rows from the north. O(log tiles)."""
        if not 0 <= zoom <= 24 or not (0 <= x < 2**zoom and 0 <= y < 2**zoom):
            return None
        question = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
        with self._lock, closing(self._db.execute(question, (zoom, x, 2**zoom - 1 - y))) as rows:
            found = rows.fetchone()
        return None if found is None else bytes(found[0])

    def close(self) -> None:
        """The file is let go."""
        with self._lock:
            self._db.close()
