"""Turns: what they cost, which are banned, and where one may turn round."""

from pathlib import Path

import numpy as np
import pytest

from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.turns import CORE, END, START, make_turn_graph, turn_cost_ms
from routing.units import UNREACHABLE
from tests.routing.tiny import ROAD, Tiny, forbid, snapped

#: Four arms around node 1: north 2, east 3, south 4, west 5, each a way of its own of 500 m, in this order.
CROSS = {1: (0.0, 0.0), 2: (0.0, 500.0), 3: (500.0, 0.0), 4: (0.0, -500.0), 5: (-500.0, 0.0)}
NORTH, EAST, SOUTH, WEST = range(4)
MIDDLES = ((0.0, 250.0), (250.0, 0.0), (0.0, -250.0), (-250.0, 0.0))


def cross(*relations: object, oneway: int | None = None, private: int | None = None) -> Tiny:
    tags = [
        {**ROAD, **({"oneway": "yes"} if arm == oneway else {}), **({"access": "private"} if arm == private else {})} for arm in range(4)
    ]
    ways = [((1, arm + 2), each) for arm, each in enumerate(tags)]
    tiny = Tiny(dict(CROSS), ways, relations=list(relations))  # type: ignore[arg-type]
    if oneway is not None:  # so that the one-way arm can be left again
        tiny.ways.append(((oneway + 2, (oneway + 1) % 4 + 2), ROAD))
    return tiny


def between(network: RoadNetwork, a: int, b: int) -> int:
    """Milliseconds from the middle of one arm to that of another."""
    points = snapped(network, MIDDLES[a], MIDDLES[b])
    return int(travel_times(network, points, points).ms[0, 1])


def test_left_costs_more_than_right_and_straight_on_next_to_nothing(tmp_path: Path) -> None:
    network = cross().network(tmp_path)
    straight, right, left = between(network, SOUTH, NORTH), between(network, SOUTH, EAST), between(network, SOUTH, WEST)
    assert right - straight == pytest.approx(2100, abs=150)
    assert left - straight == pytest.approx(5400, abs=150)


@pytest.mark.parametrize(("degrees", "ms"), [(0, 7), (90, 2102), (180, 7455), (-1, 19), (-90, 5401), (-180, 7498)])
def test_costs_are_those_of_the_published_curve(degrees: int, ms: int) -> None:
    """7.5 / (1 + exp(6.5 b - 13 a / (180 b))) seconds with b = 1.075 to the right; b becomes 1 / b to the left."""
    assert int(turn_cost_ms(np.array([degrees]))[0]) == pytest.approx(ms, abs=8)


def test_a_banned_turn_is_not_made_and_the_way_round_is_longer(tmp_path: Path) -> None:
    free, banned = cross().network(tmp_path), cross(forbid("no_left_turn", SOUTH, 1, WEST)).network(tmp_path)
    assert len(banned.banned) == 1
    assert between(banned, SOUTH, WEST) > between(free, SOUTH, WEST) + 40_000  # to the end of an arm, and back
    for a, b in ((SOUTH, NORTH), (SOUTH, EAST), (WEST, SOUTH), (EAST, WEST)):
        assert between(banned, a, b) == between(free, a, b)


def test_only_straight_on_bans_every_other_turn(tmp_path: Path) -> None:
    free, only = cross().network(tmp_path), cross(forbid("only_straight_on", SOUTH, 1, NORTH)).network(tmp_path)
    assert between(only, SOUTH, NORTH) == between(free, SOUTH, NORTH)
    for arm in (EAST, WEST):
        assert between(only, SOUTH, arm) > between(free, SOUTH, arm) + 40_000


def test_one_turns_round_at_a_dead_end_for_twenty_seconds_and_nowhere_else(tmp_path: Path) -> None:
    network = cross().network(tmp_path)
    graph = make_turn_graph(network)
    source = np.repeat(np.arange(len(graph.arc)), np.diff(graph.pointer))
    back = (graph.arc[source] ^ 1) == graph.arc[graph.target]
    assert back.sum() == 4
    assert set(graph.turn_ms[back].tolist()) == {20_000}


def test_an_explicit_ban_on_turning_round_holds_even_at_a_dead_end(tmp_path: Path) -> None:
    network = cross(forbid("no_u_turn", NORTH, 2, NORTH)).network(tmp_path)
    points = snapped(network, (0.0, 400.0), (0.0, 100.0))
    assert travel_times(network, points, points).ms[0, 1] < UNREACHABLE  # straight along the edge
    graph = make_turn_graph(network)
    source = np.repeat(np.arange(len(graph.arc)), np.diff(graph.pointer))
    assert ((graph.arc[source] ^ 1) == graph.arc[graph.target]).sum() == 3


def test_rules_without_effect_are_told_by_the_reason(tmp_path: Path) -> None:
    tiny = cross(
        forbid("no_left_turn", SOUTH, 1, EAST),  # into a one-way street from its start: allowed, so banned for real
        forbid("no_left_turn", EAST, 1, WEST),  # out of a one-way street against its direction
        forbid("no_left_turn", SOUTH, 77, WEST),  # nobody knows this node
        forbid("no_left_turn", 55, 1, WEST),  # nor this way
        oneway=EAST,
    )
    network = tiny.network(tmp_path)
    assert len(network.banned) == 1
    assert network.rules_left_out == {
        "off the roads, or where nothing is decided": 2,
        "turns that one-way streets rule out already": 1,
    }


def test_a_way_that_passes_the_junction_is_no_clear_from(tmp_path: Path) -> None:
    tiny = Tiny(dict(CROSS), [((2, 1, 4), ROAD), ((1, 3), ROAD), ((1, 5), ROAD)], relations=[forbid("no_left_turn", 0, 1, 1)])
    network = tiny.network(tmp_path)
    assert (len(network.banned), network.rules_left_out) == (0, {"ways that do not end at the junction": 1})


def test_private_arcs_come_first_and_last_but_never_between(tmp_path: Path) -> None:
    network = cross(private=EAST).network(tmp_path)
    graph = make_turn_graph(network)
    private = np.repeat(network.end_only, 2)[graph.arc]
    first = graph.start_vertex[graph.arc] == np.arange(len(graph.arc))
    stage = np.where(private, np.where(first, START, END), CORE)
    source = np.repeat(np.arange(len(graph.arc)), np.diff(graph.pointer))
    assert (stage[source] <= stage[graph.target]).all()
    assert {(int(a), int(b)) for a, b in zip(stage[source], stage[graph.target], strict=True)} >= {(START, CORE), (CORE, CORE), (CORE, END)}
    assert private.sum() == 4  # two copies of two arcs
