"""A route is as long as the matrix says, hangs together, obeys every ban, and can be followed by reading it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from routing.matrix import travel_times
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.route import Route, find_route
from routing.snap import Snapped, snap
from routing.units import EARTH_RADIUS_M, UNREACHABLE
from tests.routing.tiny import ROAD, Tiny, forbid, line, lonlat, snapped


def one(places: Snapped, k: int) -> Snapped:
    return Snapped(*(getattr(places, name)[k : k + 1] for name in Snapped.__dataclass_fields__))


def length_m(route: Route) -> float:
    lon, lat = np.radians(route.lonlat.T)
    h = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    return float((2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h))).sum())


@pytest.mark.parametrize("name", ["demo", "osm/monaco-2016.osm.pbf", "osm/andorra-2025.osm.pbf"])
def test_routes_are_what_the_matrix_says_and_hang_together(data_file: Callable[[str], Path], demo_roads: RoadNetwork, name: str) -> None:
    network = demo_roads if name == "demo" else build_network(load_extract(data_file(name)))
    places = snap(network, network.sample_points(np.random.default_rng(5), 40), limit_m=1e6)
    table = travel_times(network, places, places, metres=True)
    assert table.metres is not None
    for i in range(0, 40, 2):
        for j in range(1, 40, 6):
            route = find_route(network, one(places, i), one(places, j))
            if table.ms[i, j] == UNREACHABLE:
                assert route is None
                continue
            assert route is not None
            assert (route.ms, route.metres) == (table.ms[i, j], table.metres[i, j])
            assert (sum(step.ms for step in route.steps), sum(step.metres for step in route.steps)) == (route.ms, route.metres)
            assert length_m(route) == pytest.approx(route.metres, abs=2 + 0.003 * route.metres)
            assert snap(network, route.lonlat[[0, -1]], limit_m=1e6).distance_m.max() < 0.5


def streets() -> Tiny:
    """A cross of named streets; see test_turns."""
    nodes = {1: (0.0, 0.0), 2: (0.0, 500.0), 3: (500.0, 0.0), 4: (0.0, -500.0), 5: (-500.0, 0.0)}
    names = ("Rue du Nord", "Rue de l'Est", "Rue du Midi", "")
    return Tiny(nodes, [((1, arm + 2), {**ROAD, **({"name": name} if name else {})}) for arm, name in enumerate(names)])


@pytest.mark.parametrize(
    ("goal", "fr", "en"),
    [
        ((250.0, 0.0), "Tournez à droite : Rue de l'Est.", "Turn right: Rue de l'Est."),
        ((-250.0, 0.0), "Tournez à gauche.", "Turn left."),
        ((0.0, 250.0), "Continuez : Rue du Nord.", "Go on: Rue du Nord."),
    ],
)
def test_steps_say_where_to_turn_and_onto_what(tmp_path: Path, goal: tuple[float, float], fr: str, en: str) -> None:
    network = streets().network(tmp_path)
    route = find_route(network, snapped(network, (0.0, -250.0)), snapped(network, goal))
    assert route is not None
    assert [step.sentence for step in route.steps] == ["Partez vers le nord : Rue du Midi.", fr, "Vous êtes arrivé."]
    assert [step.sentence_en for step in route.steps][1] == en
    assert route.steps[1].lonlat == pytest.approx(lonlat(0, 0), abs=1e-6)
    assert route.steps[0].metres == pytest.approx(250, abs=2)


def test_a_banned_turn_is_driven_round_by_turning_at_the_end_of_the_street(tmp_path: Path) -> None:
    tiny = streets()
    tiny.relations = [forbid("no_left_turn", 2, 1, 3)]
    network = tiny.network(tmp_path)
    route = find_route(network, snapped(network, (0.0, -250.0)), snapped(network, (-250.0, 0.0)))
    assert route is not None
    assert "Faites demi-tour" in " ".join(step.sentence for step in route.steps)
    assert route.metres > 1400


def test_no_route_is_none_and_the_same_place_is_no_distance(tmp_path: Path) -> None:
    network = line(ROAD, ROAD).network(tmp_path)
    here, far = snapped(network, (300, 0)), snapped(network, (0, 30_000))
    assert find_route(network, here, far) is None
    assert find_route(network, far, here) is None
    stay = find_route(network, here, here)
    assert stay is not None
    assert (stay.ms, stay.metres, stay.steps[-1].sentence) == (0, 0, "Vous êtes arrivé.")


def test_a_route_is_a_geojson_line(tmp_path: Path) -> None:
    network = line(ROAD, ROAD).network(tmp_path)
    route = find_route(network, snapped(network, (300, 0)), snapped(network, (1700, 0)))
    assert route is not None
    feature = route.as_geojson()
    assert feature["geometry"]["type"] == "LineString"
    assert len(feature["geometry"]["coordinates"]) >= 2
    assert feature["properties"]["metres"] == pytest.approx(1400, abs=2)


def test_no_route_makes_a_turn_that_the_raw_extract_forbids(tmp_path: Path, demo_roads: RoadNetwork) -> None:
    """Every banned pair of arcs, by the coordinates of its junction: no route passes it from the first arc into the second."""
    assert len(demo_roads.banned) > 10
    for a, b in demo_roads.banned.tolist():
        source = Snapped(np.array([a // 2]), np.array([0.5]), np.array([0.5]), np.zeros(1))
        target = Snapped(np.array([b // 2]), np.array([0.5]), np.array([0.5]), np.zeros(1))
        route = find_route(demo_roads, source, target)
        assert route is not None
        forbidden = [middle_points(demo_roads, a)[-1], junction(demo_roads, a), middle_points(demo_roads, b)[0]]
        visited = [tuple(np.round(point, 6)) for point in route.lonlat]
        wanted = [tuple(np.round(point, 6)) for point in forbidden]
        assert not any(list(three) == wanted for three in zip(visited, visited[1:], visited[2:], strict=False)), (a, b)


def junction(network: RoadNetwork, arc: int) -> tuple[float, float]:
    node = (network.edge_to if arc % 2 == 0 else network.edge_from)[arc // 2]
    return float(network.node_lon[node]), float(network.node_lat[node])


def middle_points(network: RoadNetwork, arc: int) -> list[tuple[float, float]]:
    """Points of an arc in the order they are driven, without the junctions where there are others."""
    part = slice(network.pointer[arc // 2], network.pointer[arc // 2 + 1])
    points = list(zip(network.lon[part].tolist(), network.lat[part].tolist(), strict=True))
    points = points if arc % 2 == 0 else points[::-1]
    return points[1:-1] or points[:1]
