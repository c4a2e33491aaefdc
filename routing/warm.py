"""Compile the kernels of this room, or load them from numba's cache: run once after an installation, so that nobody waits later.

python -m routing.warm
"""

import tempfile
from pathlib import Path

import numpy as np

from routing.demo import make_demo_extract
from routing.matrix import travel_times
from routing.network import build_network
from routing.osm import load_extract
from routing.reach import reach
from routing.route import find_route
from routing.saved import load_network, save_network
from routing.snap import snap


def warm() -> None:
    """Walk the way of roads once: build, contract, save, open, snap, measure."""
    with tempfile.TemporaryDirectory() as folder:
        extract, roads = Path(folder) / "demo.osm.pbf", Path(folder) / "demo.roads"
        make_demo_extract(extract)
        save_network(build_network(load_extract(extract)), roads)
        network = load_network(roads)
        places = snap(network, network.sample_points(np.random.default_rng(1), 4))
        travel_times(network, places, places, metres=True)
        reach(network, places)
        find_route(network, places.one(0), places.one(1))


if __name__ == "__main__":
    warm()
