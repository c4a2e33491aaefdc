"""The nearest edge, against measuring every segment; and how far is too far."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.network import RoadNetwork
from routing.snap import snap
from routing.units import EARTH_RADIUS_M
from tests.routing.tiny import ROAD, Tiny, line, snapped


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    """Bent roads of different speeds, with junctions."""
    rng = np.random.default_rng(3)
    nodes = {k: (float(x), float(y)) for k, (x, y) in enumerate(rng.uniform(-3000, 3000, (40, 2)), 1)}
    ways = [(tuple(range(k, k + 7)), {**ROAD, "maxspeed": str(30 + 10 * (k % 5))}) for k in range(1, 34, 6)]
    return Tiny(nodes, [*ways, ((1, 20, 37), ROAD)]).network(tmp_path_factory.mktemp("snap"))


def nearest(network: RoadNetwork, lon: float, lat: float) -> float:
    """Distance to the nearest segment, one by one, on a plane at the network's middle latitude."""
    scale = np.pi / 180 * EARTH_RADIUS_M * np.array([np.cos(np.radians((network.bounds[1] + network.bounds[3]) / 2)), 1.0])
    best = np.inf
    for e in range(len(network.metres)):
        part = slice(network.pointer[e], network.pointer[e + 1])
        line_xy = np.column_stack([network.lon[part], network.lat[part]]) * scale
        here = np.array([lon, lat]) * scale
        for a, b in itertools.pairwise(line_xy):
            share = np.clip(np.dot(here - a, b - a) / max(np.dot(b - a, b - a), 1e-12), 0, 1)
            best = min(best, float(np.hypot(*(here - a - share * (b - a)))))
    return best


@settings(max_examples=60)
@given(st.floats(2.25, 2.35), st.floats(46.26, 46.34))
def test_the_edge_found_is_the_nearest(network: RoadNetwork, lon: float, lat: float) -> None:
    found = snap(network, np.array([[lon, lat]]), limit_m=1e9)
    assert found.distance_m[0] == pytest.approx(nearest(network, lon, lat), abs=0.01)
    assert 0 <= found.fraction[0] <= 1
    assert 0 <= found.time_fraction[0] <= 1
    part = slice(network.pointer[found.edge[0]], network.pointer[found.edge[0] + 1])
    at = [np.interp(found.fraction[0], network.length_share[part], axis[part]) for axis in (network.lon, network.lat)]
    assert nearest(network, at[0], at[1]) < 0.5  # the place it stands for lies on the road


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_points_on_a_road_snap_to_where_they_are(network: RoadNetwork, seed: int) -> None:
    points = network.sample_points(np.random.default_rng(seed), 10)
    assert snap(network, points).distance_m.max() < 0.5


def test_too_far_is_refused_but_measured(tmp_path: Path) -> None:
    network = line(ROAD).network(tmp_path)
    found = snapped(network, (500, 499), (500, 501), (500, -30_000))
    assert found.edge.tolist() == [0, -1, -1]
    assert found.distance_m == pytest.approx([499, 501, 30_000], rel=2e-3)


def test_a_slow_piece_takes_its_share_of_the_time(tmp_path: Path) -> None:
    network = line(ROAD, {**ROAD, "maxspeed": "30"}).network(tmp_path)
    assert len(network.metres) == 1
    found = snapped(network, (1000, 0))
    assert found.fraction[0] == pytest.approx(0.5, abs=1e-3)
    assert found.time_fraction[0] == pytest.approx(1 / 3, abs=1e-3)


def test_no_points_are_no_answer(tmp_path: Path) -> None:
    found = snapped(line(ROAD).network(tmp_path))
    assert [len(column) for column in (found.edge, found.fraction, found.time_fraction, found.distance_m)] == [0, 0, 0, 0]


@pytest.mark.parametrize("points", [[[np.nan, 46.3]], [[2.3, np.inf]], [[2.3]], [2.3, 46.3], [[2.3, 46.3, 0.0]]])
def test_what_is_no_point_is_an_error(tmp_path: Path, points: object) -> None:
    with pytest.raises(ValueError, match="lonlat"):
        snap(line(ROAD).network(tmp_path), np.array(points, np.float64))
