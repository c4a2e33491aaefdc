"""The demo territory: a fictional rural pays of forty communes around the river Serline, as a real OpenStreetMap extract.

In: a path and a seed. Out: an .osm.pbf file of about 45 x 40 km, read by the very same code as any other extract. Nothing in it exists:
names are invented, and header and places say so. Called by the demo command, by tests and benchmarks that want roads without a download.
"""

from pathlib import Path

import numpy as np

from routing.demo.extract import write_extract
from routing.demo.junctions import join_lines
from routing.demo.land import make_land
from routing.demo.roads import make_roads
from routing.demo.spots import make_spots
from routing.demo.streets import make_streets

__all__ = ["make_demo_extract"]


def make_demo_extract(path: Path, seed: int = 1) -> None:
    """Write the demo territory.

    Parameters
    ----------
    path
        The file to write, `.osm.pbf`; an older one is replaced.
    seed
        Another seed is another territory; the same seed gives the same bytes.

    Notes
    -----
    Takes about two seconds. Roads meet the river only on bridges, all public roads are one strongly connected piece.
    """
    rng = np.random.default_rng(seed)
    land = make_land(rng)
    net = join_lines(make_streets(land, make_roads(land, rng), rng))
    write_extract(path, land, net, make_spots(land, net, rng), rng)
