"""Reach agrees with the matrix: the nearest origin, to the millisecond."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.reach import reach, reached_shares
from routing.snap import Snapped, snap
from routing.units import UNREACHABLE
from tests.routing.tiny import ROAD, line, snapped


def at_ends(network: RoadNetwork, arcs: np.ndarray) -> Snapped:  # type: ignore[type-arg]
    """Places at the very end of arcs."""
    share = np.where(arcs % 2 == 0, 1.0, 0.0)
    return Snapped(arcs // 2, share, share, np.zeros(len(arcs)))


@pytest.mark.parametrize("count", [1, 5])
def test_the_end_of_every_street_is_reached_when_the_matrix_says(demo_roads: RoadNetwork, count: int) -> None:
    rng = np.random.default_rng(count)
    origins = snap(demo_roads, demo_roads.sample_points(rng, count))
    found = reach(demo_roads, origins)
    arcs = rng.choice(2 * len(demo_roads.metres), 400, replace=False)
    one_way = np.where(arcs % 2 == 0, demo_roads.ms_against[arcs // 2], demo_roads.ms_along[arcs // 2]) < 0
    arcs = arcs[one_way & (found[arcs] < UNREACHABLE)]  # the end of a one-way street is reached one way only
    assert len(arcs) > 10
    nearest = travel_times(demo_roads, origins, at_ends(demo_roads, arcs)).ms.min(0)
    np.testing.assert_array_equal(found[arcs], nearest)


def test_both_ends_of_two_way_streets_are_reached_as_early_as_either_arc(demo_roads: RoadNetwork) -> None:
    origins = snap(demo_roads, demo_roads.sample_points(np.random.default_rng(9), 3))
    found = reach(demo_roads, origins)
    middles = Snapped(np.arange(200), np.full(200, 0.5), np.full(200, 0.5), np.zeros(200))
    nearest = travel_times(demo_roads, origins, middles).ms.min(0)
    half = [found[2 * k + side] - 0.5 * (demo_roads.ms_along, demo_roads.ms_against)[side][k] for k in range(200) for side in (0, 1)]
    early = np.minimum(*np.where(found[:400] < UNREACHABLE, half, np.inf).reshape(-1, 2).T)
    own = np.isin(np.arange(200), origins.edge)
    np.testing.assert_allclose(early[~own], nearest[~own], atol=1)


def test_shares_grow_with_the_limit_until_everything_is_reached(demo_roads: RoadNetwork) -> None:
    origins = snap(demo_roads, demo_roads.sample_points(np.random.default_rng(2), 1))
    found = reach(demo_roads, origins)
    shares = [reached_shares(demo_roads, found, limit) for limit in (0, 600_000, 3_000_000, 10**9)]
    assert all((a <= b).all() for a, b in pairwise(shares))
    assert shares[0].sum() < 3
    open_arcs = np.stack([demo_roads.ms_along, demo_roads.ms_against], axis=1) >= 0
    assert (shares[-1][open_arcs] == 1).mean() > 0.99


def test_nobody_reaches_nothing_and_a_far_point_is_nobody(tmp_path: Path) -> None:
    network = line(ROAD, ROAD).network(tmp_path)
    assert (reach(network, snapped(network)) == UNREACHABLE).all()
    assert (reach(network, snapped(network, (0, 30_000))) == UNREACHABLE).all()
    assert (reach(network, snapped(network, (0, 30_000), (500, 0))) < UNREACHABLE).all()
