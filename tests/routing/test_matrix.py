"""Road times against plain searches: on the raw segments of random maps, and on the expanded graph of real ones."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from routing.errors import NoRoads
from routing.hierarchy import METRE_BITS, arc_weights
from routing.matrix import travel_times
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.snap import Snapped, snap
from routing.speeds import speed_kmh
from routing.turns import make_turn_graph, turn_cost_ms
from routing.units import EARTH_RADIUS_M, UNREACHABLE
from tests.routing.tiny import ROAD, Tiny, forbid, line, lonlat, snapped

NODES = {k: (700.0 * (k % 3) + 11 * k * k, 700.0 * (k // 3) + 5 * k) for k in range(1, 10)}
PAIRS = list(itertools.combinations(NODES, 2))
KINDS = st.tuples(st.sampled_from(["both", "both", "yes", "-1"]), st.sampled_from([False, False, False, True]))
WAYS = st.lists(st.tuples(st.sampled_from(PAIRS), KINDS), min_size=4, max_size=16, unique_by=lambda way: way[0]).map(
    lambda ways: [(pair, oneway, private) for pair, (oneway, private) in ways]
)
Way = tuple[tuple[int, int], str, bool]
KMH = speed_kmh(ROAD, forward=True)


class RawSearch:
    """Dijkstra on (segment, direction, stage) states of the ways as they were drawn: no folding, no hierarchy, no kernels."""

    def __init__(self, ways: Sequence[Way], kept: dict[int, bool], rules: Sequence[tuple[str, int, int, int]]) -> None:
        self.ends = {k: ways[k][0] for k in kept}
        self.private = kept
        self.open = {(k, way): way_open for k in kept for way, way_open in ((0, ways[k][1] != "-1"), (1, ways[k][1] != "yes"))}
        self.ms = {k: max(1, round(self._metres(*self.ends[k]) * 3600 / KMH)) for k in kept}
        self.rules = rules
        self.graph: nx.DiGraph[Any] = nx.DiGraph()
        self._connect()

    @staticmethod
    def _metres(a: int, b: int) -> float:
        (lon_a, lat_a), (lon_b, lat_b) = np.radians(lonlat(*NODES[a])), np.radians(lonlat(*NODES[b]))
        h = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
        return float(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))

    def _bearing(self, a: int, b: int) -> float:
        (lon_a, lat_a), (lon_b, lat_b) = lonlat(*NODES[a]), lonlat(*NODES[b])
        return float(np.degrees(np.arctan2((lon_b - lon_a) * np.cos(np.radians(lat_a)), lat_b - lat_a)))

    def _banned(self, k: int, node: int, other: int) -> bool:
        return any((source, via) == (k, node) and (target == other) != kind.startswith("only") for kind, source, via, target in self.rules)

    def exits(self, k: int, way: int) -> list[tuple[int, int, int]]:
        """(segment, direction, cost) of the turns at the end of a driven segment, stages left aside."""
        a, b = self.ends[k] if way == 0 else self.ends[k][::-1]
        roads = [other for other in self.ends if b in self.ends[other]]
        out = [(other, 0 if self.ends[other][0] == b else 1) for other in roads]
        out = [(other, way_out) for other, way_out in out if self.open[other, way_out] and not self._banned(k, b, other)]
        onward = [other for other, _ in out if other != k and (self.private[k] or not self.private[other])]
        turns = []
        for other, way_out in out:
            if other == k:
                if not onward:
                    turns.append((other, way_out, 20_000))
                continue
            far = next(end for end in self.ends[other] if end != b)
            angle = (self._bearing(b, far) - (self._bearing(b, a) + 180) + 540) % 360 - 180
            turns.append((other, way_out, int(turn_cost_ms(np.array([np.rint(angle)]))[0]) if len(roads) > 2 else 0))
        return turns

    def _connect(self) -> None:
        for (k, way), is_open in self.open.items():
            if not is_open:
                continue
            for stage in (0, 2) if self.private[k] else (1,):
                self.graph.add_node((k, way, stage))
                for other, way_out, cost in self.exits(k, way):
                    for after in (0, 2) if self.private[other] else (1,):
                        if after >= stage:
                            self.graph.add_edge((k, way, stage), (other, way_out, after), ms=cost + self.ms[other])

    def time(self, start: tuple[int, float], end: tuple[int, float]) -> float | None:
        """From a share of one segment to a share of another, in milliseconds."""
        (k, s), (j, t) = start, end
        found = []
        if k == j and self.open[k, 0] and t >= s:
            found.append((t - s) * self.ms[k])
        if k == j and self.open[k, 1] and t <= s:
            found.append((s - t) * self.ms[k])
        for way, way_in in itertools.product((0, 1), (0, 1)):
            if not self.open[k, way] or not self.open[j, way_in]:
                continue
            rest = (1 - s if way == 0 else s) * self.ms[k]
            beyond = (1 - t if way_in == 0 else t) * self.ms[j]
            source, target = (k, way, 0 if self.private[k] else 1), (j, way_in, 2 if self.private[j] else 1)
            for after, weight in self.graph[source].items():
                lengths = nx.single_source_dijkstra_path_length(self.graph, after, weight="ms")
                if target in lengths:
                    found.append(rest + weight["ms"] + lengths[target] - beyond)
        return min(found) if found else None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=120)
@given(WAYS, st.data())
def test_every_time_is_that_of_a_plain_search_over_what_was_drawn(tmp_path: Path, ways: Sequence[Way], data: st.DataObject) -> None:
    one = st.integers(0, len(ways) - 1)
    drawn = st.tuples(st.sampled_from(["no_left_turn", "only_right_turn"]), one, st.integers(0, 1), one)
    rules = [(kind, k, ways[k][0][end], j) for kind, k, end, j in data.draw(st.lists(drawn, max_size=3))]
    said = {"both": {}, "yes": {"oneway": "yes"}, "-1": {"oneway": "-1"}}
    tags = [{**ROAD, **said[way], **({"access": "private"} if private else {})} for _, way, private in ways]
    tiny = Tiny(NODES, [(pair, each) for (pair, _, _), each in zip(ways, tags, strict=True)], relations=[forbid(*rule) for rule in rules])
    try:
        network = tiny.network(tmp_path)
    except NoRoads:
        assume(False)
        raise
    kept = {}
    for e in range(len(network.metres)):
        for piece in range(network.pointer[e], network.pointer[e + 1] - 1):
            kept[int(network.way_id[network.way[piece]]) - 100] = bool(network.end_only[e])
    search = RawSearch(ways, kept, effective(rules, ways, kept))
    places = [(k, share) for k in list(kept)[:5] for share in (0.31, 0.77)]
    points = [tuple(np.add(np.multiply(NODES[ways[k][0][0]], 1 - s), np.multiply(NODES[ways[k][0][1]], s))) for k, s in places]
    on_road = snapped(network, *points)  # type: ignore[arg-type]
    assume(on_its_way(network, on_road, [k for k, _ in places]))
    found = travel_times(network, on_road, on_road)
    for (i, start), (j, end) in itertools.product(enumerate(places), enumerate(places)):
        expected = search.time(start, end)
        if expected is None:
            assert found.ms[i, j] == UNREACHABLE
        else:
            assert found.ms[i, j] == pytest.approx(expected, abs=60)  # coordinates are rounded to a centimetre


def effective(rules: Sequence[tuple[str, int, int, int]], ways: Sequence[Way], kept: dict[int, bool]) -> list[tuple[str, int, int, int]]:
    """Rules that mean something on the roads that are left: both ways meet there, may be driven so, and something is decided there."""

    def into(k: int, node: int) -> bool:
        return ways[k][1] != ("yes" if ways[k][0][0] == node else "-1")

    def out_of(k: int, node: int) -> bool:
        return ways[k][1] != ("-1" if ways[k][0][0] == node else "yes")

    def decided(there: list[int], node: int) -> bool:
        if len(there) != 2:
            return True
        one, other = there
        same = into(one, node) == out_of(other, node) and out_of(one, node) == into(other, node)
        return kept[one] != kept[other] or not same

    meeting = {via: [way for way in kept if via in ways[way][0]] for _, _, via, _ in rules}
    return [
        (kind, k, via, j)
        for kind, k, via, j in rules
        if k in meeting[via] and j in meeting[via] and into(k, via) and out_of(j, via) and decided(meeting[via], via)
    ]


def on_its_way(network: RoadNetwork, points: Snapped, ways: Sequence[int]) -> bool:
    """Whether each point stands on the way it was put on (ways cross each other, and rules at crossings of two ways fold away)."""
    for edge, fraction, way in zip(points.edge, points.fraction, ways, strict=True):
        part = np.arange(network.pointer[edge], network.pointer[edge + 1])
        piece = part[min(np.searchsorted(network.length_share[part], fraction, "right") - 1, len(part) - 2)]
        if int(network.way_id[network.way[piece]]) - 100 != way:
            return False
    return True


def by_scipy(network: RoadNetwork, places: Snapped) -> np.ndarray[Any, Any]:
    """Every cell in packed weights: scipy's Dijkstra on the expanded graph from each point's first turns, and straight along one edge."""
    graph, whole = make_turn_graph(network), arc_weights(network)
    v, n = len(graph.arc), len(places.edge)
    source = np.repeat(np.arange(v), np.diff(graph.pointer))
    weight = (graph.turn_ms.astype(np.int64) << METRE_BITS) + whole[graph.arc[graph.target]]
    rest = np.empty((n, 2), np.int64)  # from each point to the end of its edge, along and against
    rows: list[tuple[int, int, int]] = []
    for i, (e, f, t) in enumerate(zip(places.edge, places.fraction, places.time_fraction, strict=True)):
        metres, along, against = int(network.metres[e]), int(network.ms_along[e]), int(network.ms_against[e])
        rest[i, 0] = ((along - round(t * along)) << METRE_BITS) + metres - round(f * metres)
        rest[i, 1] = (round(t * against) << METRE_BITS) + round(f * metres)
        for side in range(2):
            begin = graph.start_vertex[2 * e + side]
            if begin >= 0:
                turns = slice(graph.pointer[begin], graph.pointer[begin + 1])
                rows += [(v + i, int(b), int(rest[i, side] + w)) for b, w in zip(graph.target[turns], weight[turns], strict=True)]
    known = (source, graph.target, weight)
    columns = [np.concatenate([old, np.array(new)]) for old, new in zip(known, zip(*rows, strict=True), strict=True)]
    order = np.lexsort(columns[::-1])
    tail, head, cost = (column[order] for column in columns)
    first = np.ones(len(tail), np.bool_)
    first[1:] = (np.diff(tail) != 0) | (np.diff(head) != 0)  # scipy would add parallel arcs up
    matrix = sp.csr_array((cost[first].astype(np.float64), (tail[first], head[first])), shape=(v + n, v + n))
    far = csgraph.dijkstra(matrix, indices=np.arange(v, v + n))
    found = np.full((n, n), np.inf)
    for side in range(2):
        end = graph.end_vertex[2 * places.edge + side]
        found = np.minimum(found, np.where(end >= 0, far[:, end] - rest[:, side], np.inf))
        beside = (places.edge[:, None] == places.edge[None, :]) & (end[None, :] >= 0) & (rest[:, side][:, None] >= rest[:, side][None, :])
        found = np.where(beside, np.minimum(found, rest[:, side][:, None] - rest[:, side][None, :]), found)
    return found


@pytest.mark.parametrize(("name", "points"), [("demo", 300), ("osm/monaco-2016.osm.pbf", 300), ("osm/andorra-2025.osm.pbf", 300)])
def test_every_cell_on_real_roads_is_that_of_scipy_to_the_millisecond_and_the_metre(
    data_file: Callable[[str], Path], demo_roads: RoadNetwork, name: str, points: int
) -> None:
    network = demo_roads if name == "demo" else build_network(load_extract(data_file(name)))
    rng = np.random.default_rng(7)
    spread, crowd = network.sample_points(rng, points - 40), network.sample_points(rng, 4).repeat(10, axis=0)
    places = snap(network, np.concatenate([spread, crowd + rng.normal(0, 4e-4, crowd.shape)]), limit_m=1e6)
    expected = by_scipy(network, places)
    for threads in (1, 3):
        found = travel_times(network, places, places, metres=True, threads=threads)
        assert found.metres is not None
        known = np.isfinite(expected)
        packed = np.where(known, expected, 0).astype(np.int64)
        assert (np.where(known, packed >> METRE_BITS, UNREACHABLE) == found.ms).all()
        assert (np.where(known, packed & ((1 << METRE_BITS) - 1), UNREACHABLE) == found.metres).all()
        assert known.mean() > 0.98
    assert (travel_times(network, places, places).ms == found.ms).all()


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
    tiny = line(ROAD, ROAD, ROAD)
    tiny.nodes[3] = tiny.nodes[2]
    tiny.ways.append(((2, 4), {**ROAD, "access": "private"}))
    network = tiny.network(tmp_path)
    ends = snapped(network, (0, 0), (3000, 0))
    assert 0 < travel_times(network, ends, ends).ms[0, 1] < UNREACHABLE


def test_real_times_obey_the_triangle_but_for_the_turn_in_the_middle(data_file: Callable[[str], Path]) -> None:
    """Stopping on the way may save a turn's cost, or turning round: no more than that."""
    network = build_network(load_extract(data_file("osm/andorra-2025.osm.pbf")))
    places = snap(network, network.sample_points(np.random.default_rng(1), 60))
    ms = travel_times(network, places, places).ms.astype(np.int64)
    assert (ms < UNREACHABLE).all()
    through = (ms[:, :, None] + ms[None, :, :])[:, ~network.end_only[places.edge], :]  # [i, via, j]
    assert (ms <= through.min(1) + 120_000).all()
