"""Road times against a plain search on the unfolded roads, with private roads at the ends of a journey only."""

from collections.abc import Callable, Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routing.errors import NoRoads
from routing.matrix import travel_times
from routing.network import NO_WAY, RoadNetwork, build_network
from routing.osm import load_extract
from routing.snap import Snapped, snap
from routing.speeds import speed_kmh
from routing.units import UNREACHABLE
from tests.routing.tiny import ROAD, Tiny, line, snapped

Wish = tuple[int, int, str, bool]
NODES = {k: (700.0 * (k % 3) + 11 * k * k, 700.0 * (k // 3) + 5 * k) for k in range(1, 10)}
WAYS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["both", "both", "yes", "-1"]), st.booleans()), min_size=3, max_size=22
)


def layered(network: RoadNetwork) -> "nx.DiGraph[tuple[int, int]]":
    """Every edge of the network three times: private before, public between, private after. (node, stage) as vertices."""
    graph: nx.DiGraph[tuple[int, int]] = nx.DiGraph()
    for node in range(len(network.node_lon)):
        graph.add_edge((node, 0), (node, 1), ms=0)
        graph.add_edge((node, 1), (node, 2), ms=0)
    for e in range(len(network.metres)):
        a, b = int(network.edge_from[e]), int(network.edge_to[e])
        for source, target, ms in ((a, b, int(network.ms_along[e])), (b, a, int(network.ms_against[e]))):
            for stage in (0, 2) if network.end_only[e] else (1,):
                if ms != NO_WAY and ms < graph.get_edge_data((source, stage), (target, stage), {"ms": ms + 1})["ms"]:
                    graph.add_edge((source, stage), (target, stage), ms=ms)
    return graph


def plain(network: RoadNetwork, a: Snapped, i: int, b: Snapped, j: int) -> int | None:
    """One journey, by networkx, with the partial edges of the two points added by hand."""
    graph = layered(network)

    def parts(points: Snapped, k: int) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
        e, share = int(points.edge[k]), float(points.time_fraction[k])
        along, against = int(network.ms_along[e]), int(network.ms_against[e])
        head, tail = int(network.edge_from[e]), int(network.edge_to[e])
        out = [(tail, along - round(share * along))] if along != NO_WAY else []
        into = [(head, round(share * along))] if along != NO_WAY else []
        if against != NO_WAY:
            done = against - round(share * against)  # driven from the far end
            out.append((head, against - done))
            into.append((tail, done))
        for node, end in ((head, 0.0), (tail, 1.0)):  # at a junction one is at the junction, wherever the street may lead
            if abs(points.fraction[k] - end) < 1e-6:
                out.append((node, 0))
                into.append((node, 0))
        return (0 if network.end_only[e] else 1), out, into

    start_stage, out, _ = parts(a, i)
    end_stage, _, into = parts(b, j)
    end_stage = 2 if end_stage == 0 else 1
    for node, ms in out:
        if ms < graph.get_edge_data("from", (node, start_stage), {"ms": ms + 1})["ms"]:
            graph.add_edge("from", (node, start_stage), ms=ms)  # type: ignore[arg-type]
    for node, ms in into:
        if ms < graph.get_edge_data((node, end_stage), "to", {"ms": ms + 1})["ms"]:
            graph.add_edge((node, end_stage), "to", ms=ms)  # type: ignore[arg-type]
    found = []
    if "from" in graph and "to" in graph and nx.has_path(graph, "from", "to"):
        found.append(nx.shortest_path_length(graph, "from", "to", weight="ms"))
    if a.edge[i] == b.edge[j]:
        e, s, t = int(a.edge[i]), float(a.time_fraction[i]), float(b.time_fraction[j])
        along, against = int(network.ms_along[e]), int(network.ms_against[e])
        if along != NO_WAY and t >= s:
            found.append(round(t * along) - round(s * along))
        if against != NO_WAY and t <= s:
            found.append(round(s * against) - round(t * against))
    return min(found) if found else None


def network_of(folder: Path, ways: Sequence[Wish]) -> RoadNetwork:
    tags = [
        (a, b, {**ROAD, **({} if way == "both" else {"oneway": way}), **({"access": "private"} if private else {})})
        for a, b, way, private in ways
        if a != b
    ]
    assume(tags)
    try:
        return Tiny(NODES, [((a, b), each) for a, b, each in tags]).network(folder)
    except NoRoads:
        assume(False)
        raise


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much], max_examples=120)
@given(WAYS, st.integers(0, 2**32 - 1))
def test_every_time_is_that_of_a_plain_search(tmp_path: Path, ways: list[Wish], seed: int) -> None:
    network = network_of(tmp_path, ways)
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(network.lon.min(), network.lon.max(), 6), rng.uniform(network.lat.min(), network.lat.max(), 6)])
    places = snap(network, points, limit_m=1e9)
    found = travel_times(network, places, places, metres=True)
    for i in range(6):
        for j in range(6):
            expected = plain(network, places, i, places, j)
            assert found.ms[i, j] == (UNREACHABLE if expected is None else expected), (i, j)
    assert found.metres is not None
    assert ((found.metres == UNREACHABLE) == (found.ms == UNREACHABLE)).all()
    assert (np.diag(found.ms) == 0).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much], max_examples=60)
@given(WAYS)
def test_folding_changes_no_time(tmp_path: Path, ways: list[Wish]) -> None:
    """Each way is drawn with bends; times from junction to junction are those of the unfolded segments."""
    pairs = list({(a, b): (a, b, way, False) for a, b, way, _ in ways if a != b}.values())
    assume(pairs)
    nodes, drawn = dict(NODES), []
    raw: nx.DiGraph[int] = nx.DiGraph()
    for k, (a, b, way, _) in enumerate(pairs):
        bends = list(range(100 + 3 * k, 103 + 3 * k))
        for n, bend in enumerate(bends, 1):
            nodes[bend] = tuple(np.add(np.multiply(NODES[a], 1 - n / 4), np.multiply(NODES[b], n / 4)) + 9 * (n % 2))  # type: ignore[assignment]
        drawn.append(((a, *bends, b), {**ROAD, **({} if way == "both" else {"oneway": way})}))
        for one, other in zip((a, *bends), (*bends, b), strict=True):
            raw.add_edges_from(([(one, other)] if way != "-1" else []) + ([(other, one)] if way != "yes" else []))
    core = max(nx.strongly_connected_components(raw), key=len)
    assume(len(core) > 4)
    network = Tiny(nodes, drawn).network(tmp_path)
    kmh = speed_kmh(ROAD, forward=True)
    for a, b in raw.edges:
        raw[a][b]["s"] = np.hypot(*np.subtract(nodes[a], nodes[b])) / kmh * 3.6
    corners = [k for k in sorted(core) if k in NODES]
    places = snapped(network, *(nodes[k] for k in corners), limit_m=1.0)
    assume((places.edge >= 0).all())  # the largest by length is not always the largest by nodes
    found = travel_times(network, places, places)
    for i, a in enumerate(corners):
        lengths = nx.single_source_dijkstra_path_length(raw.subgraph(core), a, weight="s")
        for j, b in enumerate(corners):
            assert found.ms[i, j] / 1000 == pytest.approx(lengths[b], rel=2e-3, abs=0.3)


def test_metres_are_those_of_the_fastest_way_not_of_the_shortest(tmp_path: Path) -> None:
    lane, road = {"highway": "track"}, {"highway": "primary", "maxspeed": "80"}
    tiny = line(ROAD, lane, ROAD)
    tiny.nodes[9] = (1500.0, 1500.0)
    tiny.ways += [((2, 9), road), ((9, 3), road)]
    network = tiny.network(tmp_path)
    ends = snapped(network, (0, 0), (3000, 0))
    found = travel_times(network, ends, ends, metres=True)
    assert found.metres is not None
    assert found.metres[0, 1] == pytest.approx(2000 + 2 * np.hypot(500, 1500), rel=5e-3)


def test_private_roads_serve_at_the_ends_but_are_no_short_cut(tmp_path: Path) -> None:
    private = {**ROAD, "access": "private"}
    tiny = line(ROAD, private, ROAD)  # 1 - 2 = 3 - 4, and the public way round by 9
    tiny.nodes[9] = (1500.0, 4000.0)
    tiny.ways += [((2, 9), ROAD), ((9, 3), ROAD)]
    network = tiny.network(tmp_path)
    outside, inside = snapped(network, (200, 0), (2800, 0)), snapped(network, (1500, 0))
    across = travel_times(network, outside, outside, metres=True).metres
    to = travel_times(network, outside, inside, metres=True).metres
    out = travel_times(network, inside, outside, metres=True).metres
    assert across is not None
    assert to is not None
    assert out is not None
    assert across[0, 1] > 8000
    assert (to.ravel().tolist(), out.ravel().tolist()) == ([pytest.approx(1300, abs=3)] * 2, [pytest.approx(1300, abs=3)] * 2)


def test_on_a_one_way_street_one_drives_round_the_block_to_what_lies_behind(tmp_path: Path) -> None:
    square = {1: (0.0, 0.0), 2: (1000.0, 0.0), 3: (1000.0, 1000.0), 4: (0.0, 1000.0)}
    network = Tiny(square, [((1, 2, 3, 4, 1), {**ROAD, "oneway": "yes"})]).network(tmp_path)
    two = snapped(network, (300, 0), (700, 0))
    metres = travel_times(network, two, two, metres=True).metres
    assert metres is not None
    assert metres.tolist() == [[0, pytest.approx(400, abs=2)], [pytest.approx(3600, abs=6), 0]]


def test_points_off_the_roads_are_unreachable_and_no_points_are_no_rows(tmp_path: Path) -> None:
    network = line(ROAD).network(tmp_path)
    some = snapped(network, (0, 0), (0, 30_000))
    found = travel_times(network, some, some, metres=True)
    assert found.ms.tolist() == [[0, UNREACHABLE], [UNREACHABLE, UNREACHABLE]]
    assert travel_times(network, snapped(network), some).ms.shape == (0, 2)
    assert travel_times(network, some, snapped(network)).ms.shape == (2, 0)


def test_two_nodes_in_one_place_do_not_break_the_way(tmp_path: Path) -> None:
    """An edge of no length takes a millisecond at least; free steps between layers survive in the sparse matrix as explicit zeros."""
    tiny = line(ROAD, ROAD, ROAD)
    tiny.nodes[3] = tiny.nodes[2]
    tiny.ways.append(((2, 4), {**ROAD, "access": "private"}))
    network = tiny.network(tmp_path)
    ends = snapped(network, (0, 0), (3000, 0))
    assert travel_times(network, ends, ends).ms[0, 1] > 0


def test_real_times_obey_the_triangle(data_file: Callable[[str], Path]) -> None:
    network = build_network(load_extract(data_file("osm/andorra-2025.osm.pbf")))
    places = snap(network, network.sample_points(np.random.default_rng(1), 60))
    ms = travel_times(network, places, places).ms.astype(np.int64)
    assert (ms < UNREACHABLE).all()
    public = ~network.end_only[places.edge]
    through = (ms[:, :, None] + ms[None, :, :])[:, public, :]  # [i, via, j]
    assert (ms <= through.min(1) + 2).all()  # each partial edge is rounded to the millisecond once
