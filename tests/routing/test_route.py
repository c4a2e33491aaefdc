"""A route is as long as the matrix says, hangs together, obeys every ban, and can be followed by reading it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest

from routing.demo import make_demo_extract
from routing.matrix import travel_times
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.route import Route, find_route
from routing.snap import Snapped, snap
from routing.units import EARTH_RADIUS_M, UNREACHABLE
from tests.routing.tiny import ROAD, Tiny, forbid, line, lonlat, snapped


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
            route = find_route(network, places.one(i), places.one(j))
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


@pytest.mark.parametrize(
    ("door", "fr", "en"),
    [
        ((1700.0, 20.0), "Vous êtes arrivé : c'est à gauche.", "You have arrived: it is on the left."),
        ((1700.0, -20.0), "Vous êtes arrivé : c'est à droite.", "You have arrived: it is on the right."),
        ((1700.0, 1.0), "Vous êtes arrivé.", "You have arrived."),
    ],
)
def test_the_last_step_says_on_which_side_the_door_is(tmp_path: Path, door: tuple[float, float], fr: str, en: str) -> None:
    network = line(ROAD, ROAD).network(tmp_path)
    route = find_route(network, snapped(network, (300, 0)), snapped(network, door), lonlat(*door))
    assert route is not None
    assert (route.steps[-1].sentence, route.steps[-1].sentence_en) == (fr, en)
    back = find_route(network, snapped(network, (1900, 0)), snapped(network, door), lonlat(*door))
    assert back is not None
    swapped = fr.replace("à gauche", "à x").replace("à droite", "à gauche").replace("à x", "à droite")
    assert back.steps[-1].sentence == swapped


def roundabout() -> Tiny:
    """Four roads meet at a roundabout, driven anticlockwise; the one in the north may only be driven towards it."""
    ring = {1: (0.0, -20.0), 2: (20.0, 0.0), 3: (0.0, 20.0), 4: (-20.0, 0.0)}
    ends = {5: (0.0, -500.0), 6: (500.0, 0.0), 7: (0.0, 500.0), 8: (-500.0, 0.0)}
    arms = [((6, 2), {**ROAD, "name": "Rue de l'Est"}), ((7, 3), {**ROAD, "oneway": "yes"}), ((4, 8), {**ROAD, "name": "Rue d'Ouest"})]
    links = [((5, 1), {**ROAD, "name": "Rue du Midi"}), *arms, ((6, 7), ROAD)]
    return Tiny(ring | ends, [((1, 2, 3, 4, 1), {**ROAD, "junction": "roundabout"}), *links])


@pytest.mark.parametrize(
    ("goal", "fr", "en"),
    [
        ((250.0, 0.0), "Au rond-point, prenez la 1re sortie : Rue de l'Est.", "At the roundabout take the 1st exit: Rue de l'Est."),
        ((-250.0, 0.0), "Au rond-point, prenez la 2e sortie : Rue d'Ouest.", "At the roundabout take the 2nd exit: Rue d'Ouest."),
        ((0.0, 20.0), "Entrez dans le rond-point.", "Enter the roundabout."),
    ],
)
def test_a_roundabout_is_one_step_with_the_number_of_its_exit(tmp_path: Path, goal: tuple[float, float], fr: str, en: str) -> None:
    network = roundabout().network(tmp_path)
    route = find_route(network, snapped(network, (0.0, -250.0)), snapped(network, goal))
    assert route is not None
    assert [step.sentence for step in route.steps] == ["Partez vers le nord : Rue du Midi.", fr, "Vous êtes arrivé."]
    assert route.steps[1].sentence_en == en
    assert sum(step.ms for step in route.steps) == route.ms


def test_who_starts_on_a_roundabout_is_told_to_leave_it(tmp_path: Path) -> None:
    network = roundabout().network(tmp_path)
    route = find_route(network, snapped(network, (14.0, -14.0)), snapped(network, (250.0, 0.0)))
    assert route is not None
    assert "rond-point" not in route.steps[0].sentence
    assert route.steps[-2].name == "Rue de l'Est"


class RawRules:
    """Nodes, ways and turn restrictions of an extract, read without any of our code."""

    def __init__(self, path: Path) -> None:
        self.node_at: dict[tuple[float, float], set[int]] = {}
        self.ways_between: dict[tuple[int, int], set[int]] = {}
        self.no: set[tuple[int, int, int]] = set()
        self.only: dict[tuple[int, int], set[int]] = {}
        for thing in osmium.FileProcessor(str(path)).with_locations():
            if thing.is_way() and "highway" in thing.tags:
                nodes = [(n.ref, (round(n.lon, 7), round(n.lat, 7))) for n in thing.nodes if n.location.valid()]
                for ref, at in nodes:
                    self.node_at.setdefault(at, set()).add(ref)
                for (a, _), (b, _) in pairwise(nodes):
                    self.ways_between.setdefault((a, b), set()).add(thing.id)
                    self.ways_between.setdefault((b, a), set()).add(thing.id)
            elif thing.is_relation() and thing.tags.get("type") == "restriction" and "restriction" in thing.tags:
                self._add(thing)

    def _add(self, relation: Any) -> None:
        roles = [(m.role, m.type, m.ref) for m in relation.members]
        via = [ref for role, kind, ref in roles if role == "via"]
        said = relation.tags["restriction"]
        if len(via) != 1 or ("via", "w", via[0]) in roles or "motorcar" in relation.tags.get("except", ""):
            return
        for source in (ref for role, _, ref in roles if role == "from"):
            for target in (ref for role, _, ref in roles if role == "to"):
                if said.startswith("no_"):
                    self.no.add((source, via[0], target))
                elif said.startswith("only_"):
                    self.only.setdefault((source, via[0]), set()).add(target)

    def broken_by(self, route: Route) -> list[tuple[int, int, int]]:
        """Restrictions that a route breaks: at each node it passes, by the ways before and after."""
        stops = [self.node_at.get((round(x, 7), round(y, 7)), set()) for x, y in route.lonlat.tolist()]
        broken = []
        for before, here, after in zip(stops, stops[1:], stops[2:], strict=False):
            if len(before) != 1 or len(here) != 1 or len(after) != 1:
                continue  # the ends lie between nodes; nodes in one place cannot be told apart
            (a,), (n,), (b,) = before, here, after
            sources, targets = self.ways_between.get((a, n), set()), self.ways_between.get((n, b), set())
            if len(sources) != 1 or len(targets) != 1:
                continue
            (source,), (target,) = sources, targets
            if (source, n, target) in self.no or target not in self.only.get((source, n), {target}):
                broken.append((source, n, target))
        return broken


@pytest.mark.parametrize("name", ["demo", "osm/monaco-2016.osm.pbf", "osm/andorra-2025.osm.pbf"])
def test_no_route_breaks_a_restriction_of_the_raw_extract(data_file: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """Random routes, and one across every banned turn: from the road before it to the road after it."""
    path = data_file(name) if name != "demo" else tmp_path / "demo.osm.pbf"
    if name == "demo":
        make_demo_extract(path)
    network, rules = build_network(load_extract(path)), RawRules(path)
    assert len(rules.no) + len(rules.only) > 10
    assert len(network.banned) > 10
    places = snap(network, network.sample_points(np.random.default_rng(6), 60), limit_m=1e6)
    ways = [(places.one(k), places.one(k + 30)) for k in range(30)]
    middle = [np.full(1, 0.5), np.full(1, 0.5), np.zeros(1)]
    ways += [(Snapped(np.array([a // 2]), *middle), Snapped(np.array([b // 2]), *middle)) for a, b in network.banned.tolist()]
    found = [route for source, target in ways if (route := find_route(network, source, target)) is not None]
    assert len(found) > 0.8 * len(ways)
    assert [broken for route in found for broken in rules.broken_by(route)] == []


def test_the_judge_of_restrictions_sees_a_broken_one(tmp_path: Path) -> None:
    """The same routes on roads whose restrictions were taken out do break them."""
    tiny = streets()
    free = tiny.network(tmp_path)
    tiny.relations = [forbid("no_left_turn", 2, 1, 3), forbid("only_straight_on", 1, 1, 3)]
    rules = RawRules(tiny.write(tmp_path / "ruled.osm"))
    left = find_route(free, snapped(free, (0.0, -250.0)), snapped(free, (-250.0, 0.0)))
    right = find_route(free, snapped(free, (250.0, 0.0)), snapped(free, (0.0, 250.0)))
    assert left is not None
    assert right is not None
    assert (rules.no, rules.only) == ({(102, 1, 103)}, {(101, 1): {103}})
    # the ends lie between nodes; with the ends themselves the judge sees the turn
    whole = [
        find_route(free, snapped(free, a), snapped(free, b)) for a, b in (((0, -499.9999), (-499.9999, 0)), ((499.9999, 0), (0, 499.9999)))
    ]
    assert [len(rules.broken_by(route)) for route in whole if route is not None] == [1, 1]
