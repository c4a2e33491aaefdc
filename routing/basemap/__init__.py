"""The base map: roads, water, woods, built-up areas and names of an extract, as vector tiles that need nobody else.

In: an extract. Out: NAME.mbtiles beside NAME.roads, an SQLite file as the MBTiles specification 1.3 has it, which QGIS and others open too.
Made by `allons roads build` through `routing.confined`; `BaseMap` opens it for the API.

The way: `gather` takes what is to be drawn from the extract, `cut` simplifies it for each zoom and cuts it into tiles, `mvt` writes the
bytes of a tile, `write` the file, `tiles` reads it.
"""

from routing.basemap.tiles import BaseMap
from routing.basemap.write import SUFFIX, map_beside

__all__ = ["SUFFIX", "BaseMap", "map_beside"]
