"""What is connected stays, what is not is dropped and counted; folding changes neither times nor shapes."""

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.errors import NoRoads
from routing.network import NO_WAY, build_network
from routing.osm import load_extract
from routing.speeds import speed_kmh
from tests.routing.tiny import ROAD, Tiny, line, same_network


def test_a_road_without_junctions_is_one_edge_with_all_its_bends(tmp_path: Path) -> None:
    nodes = {k: (k * 100.0, 30.0 * (k % 2)) for k in range(1, 12)}
    network = Tiny(nodes, [(tuple(range(1, 7)), ROAD), (tuple(range(6, 12)), ROAD)]).network(tmp_path)
    assert len(network.metres) == 1
    assert len(network.lon) == 11
    assert network.metres[0] == pytest.approx(10 * np.hypot(100, 30), rel=1e-3)
    assert network.ms_along[0] == network.ms_against[0] == pytest.approx(network.metres[0] * 3600 / speed_kmh(ROAD, forward=True), rel=2e-3)
    for share in (network.time_share, network.length_share):
        assert share[0] == 0
        assert share[-1] == pytest.approx(1)
        assert (np.diff(share) > 0).all()


def test_folding_stops_where_something_changes(tmp_path: Path) -> None:
    private, oneway = {**ROAD, "access": "private"}, {**ROAD, "oneway": "yes"}
    tiny = line(ROAD, ROAD, oneway, private)  # 1 - 2 - 3 > 4 - 5 and back 4 > 3 by 6
    tiny.nodes[6] = (2500.0, 500.0)
    tiny.ways.append(((4, 6, 3), oneway))
    network = tiny.network(tmp_path)
    shapes = sorted((int(network.pointer[k + 1] - network.pointer[k]), bool(network.end_only[k])) for k in range(len(network.metres)))
    assert shapes == [(2, False), (2, True), (3, False), (3, False)]


def test_an_island_is_dropped_and_its_share_told(tmp_path: Path) -> None:
    tiny = line(ROAD, ROAD, ROAD)
    tiny.nodes |= {10: (0.0, 9000.0), 11: (1000.0, 9000.0)}
    tiny.ways.append(((10, 11), ROAD))
    network = tiny.network(tmp_path)
    assert network.dropped_share == pytest.approx(0.25, abs=1e-3)
    assert network.bounds[3] < 46.31


def test_what_can_only_be_entered_or_only_be_left_is_dropped(tmp_path: Path) -> None:
    tiny = line(ROAD, {**ROAD, "oneway": "yes"})
    network = tiny.network(tmp_path)
    assert network.dropped_share == pytest.approx(0.5, abs=1e-3)
    assert len(network.node_lon) == 2


def test_nobody_passes_a_closed_barrier(tmp_path: Path) -> None:
    tiny = line(ROAD, ROAD, ROAD)
    tiny.node_tags[2] = {"barrier": "bollard"}
    network = tiny.network(tmp_path)
    assert network.dropped_share == pytest.approx(1 / 3, abs=1e-3)


def test_behind_a_private_gate_is_for_the_ends_of_a_journey(tmp_path: Path) -> None:
    tiny = line(ROAD, ROAD, ROAD, ROAD)
    tiny.node_tags[4] = {"barrier": "gate", "access": "private"}
    network = tiny.network(tmp_path)
    assert network.dropped_share == 0
    assert network.metres[~network.end_only].sum() == pytest.approx(2000, abs=2)
    assert network.metres[network.end_only].sum() == pytest.approx(2000, abs=2)


def test_a_ring_without_junctions_and_a_loop_are_kept(tmp_path: Path) -> None:
    square = {1: (0.0, 0.0), 2: (500.0, 0.0), 3: (500.0, 500.0), 4: (0.0, 500.0)}
    ring = Tiny(square, [((1, 2, 3, 4, 1), {**ROAD, "oneway": "yes"})]).network(tmp_path)
    assert ring.metres.sum() == pytest.approx(2000, abs=4)
    handle = Tiny({**square, 5: (-500.0, 0.0)}, [((1, 2, 3, 4, 1), ROAD), ((5, 1), ROAD)]).network(tmp_path)
    assert handle.metres.sum() == pytest.approx(2500, abs=4)


def test_roads_that_never_meet_are_no_network(tmp_path: Path) -> None:
    tiny = Tiny({1: (0, 0), 2: (1000, 0)}, [((1, 2), {**ROAD, "oneway": "yes"})])
    with pytest.raises(NoRoads, match="connected"):
        tiny.network(tmp_path)


def test_the_same_roads_have_the_same_version_and_others_another(tmp_path: Path) -> None:
    one, again = (line(ROAD, ROAD).network(tmp_path) for _ in range(2))
    slower = line(ROAD, {**ROAD, "maxspeed": "50"}).network(tmp_path)
    assert one.version == again.version != slower.version
    assert same_network(one, again)


WAYS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["both", "both", "yes", "-1"]), st.booleans()), min_size=1, max_size=18
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(WAYS)
def test_the_largest_strongly_connected_part_is_what_networkx_says(tmp_path: Path, ways: list[tuple[int, int, str, bool]]) -> None:
    nodes = {k: (500.0 * (k % 3) + 7 * k * k, 500.0 * (k // 3) + 3 * k) for k in range(1, 10)}
    tiny = Tiny(nodes, [((a, b), {**ROAD, **({} if way == "both" else {"oneway": way})}) for a, b, way, _ in ways if a != b])
    graph: nx.DiGraph[int] = nx.DiGraph()
    for a, b, way, _ in ways:
        if a != b:
            graph.add_edges_from(([(a, b)] if way != "-1" else []) + ([(b, a)] if way != "yes" else []))
    sizes = [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    if not sizes:
        with pytest.raises(NoRoads):
            tiny.network(tmp_path)
        return
    network = tiny.network(tmp_path)

    def length(part: set[int]) -> float:
        return sum(np.hypot(*np.subtract(nodes[a], nodes[b])) for a, b, _, _ in ways if a != b and {a, b} <= part)

    assert network.metres.sum() == pytest.approx(max(length(part) for part in sizes), rel=0.01)


@pytest.mark.parametrize(("name", "km", "most_dropped"), [("osm/andorra-2025.osm.pbf", 831, 0.05), ("osm/monaco-2016.osm.pbf", None, 0.2)])
def test_a_real_extract_is_whole(data_file: Callable[[str], Path], name: str, km: float | None, most_dropped: float) -> None:
    network = build_network(load_extract(data_file(name)))
    assert 0 <= network.dropped_share < most_dropped
    if km is not None:
        assert sum(network.km_by_class().values()) == pytest.approx(km, rel=0.01)
    known = [network.ms_along, network.ms_against]
    assert all(((ms == NO_WAY) | (ms > 0)).all() for ms in known)
    assert not ((network.ms_along == NO_WAY) & (network.ms_against == NO_WAY)).any()
    graph = nx.DiGraph()
    for a, b, along, against in zip(network.edge_from.tolist(), network.edge_to.tolist(), *known, strict=True):
        graph.add_edges_from(([(a, b)] if along != NO_WAY else []) + ([(b, a)] if against != NO_WAY else []))
    assert nx.is_strongly_connected(graph)
    assert graph.number_of_nodes() == len(network.node_lon)
    for share in (network.time_share, network.length_share):
        assert (share[network.pointer[:-1]] == 0).all()
        assert np.allclose(share[network.pointer[1:] - 1], 1, atol=1e-6)
