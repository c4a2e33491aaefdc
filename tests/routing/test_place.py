"""A place fetched by name obeys the rules of an extract. Only the fetching itself is replaced: there is no internet in tests."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmnx as ox
import pytest

from routing.errors import NoRoads, PlaceNotFound
from routing.matrix import travel_times
from routing.network import build_network
from routing.place import keep_tags, load_place
from tests.routing.tiny import ROAD, Tiny, line, snapped


def town() -> Tiny:
    """One-ways both ways, a roundabout, private and closed roads, a limit each way, a footway, a barrier, a village."""
    nodes = {k: (400.0 * (k % 4), 400.0 * (k // 4) + 20.0 * (k % 3)) for k in range(1, 16)}
    tiny = Tiny(
        nodes,
        [
            ((1, 2, 3), {**ROAD, "oneway": "-1", "name": "Rue Haute"}),
            ((3, 7, 11), {"highway": "primary", "maxspeed:forward": "80", "maxspeed:backward": "50"}),
            ((1, 5, 6, 2, 1), {**ROAD, "junction": "roundabout"}),
            ((5, 9, 10, 11), ROAD),
            ((10, 14), {**ROAD, "access": "private"}),
            ((9, 13), {"highway": "footway"}),
            ((6, 10), {"highway": "track", "tracktype": "grade3"}),
            ((7, 8, 12, 11), {**ROAD, "oneway": "yes"}),
        ],
    )
    tiny.node_tags = {6: {"barrier": "bollard"}, 9: {"place": "village", "name": "Bourg"}}
    return tiny


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Which file stands for which place."""
    files: dict[str, Path] = {}

    def from_file(name: str, **how: Any) -> Any:
        if name not in files:
            raise ConnectionError("no such place")
        assert (how["simplify"], how["retain_all"]) == (False, True)
        keep_tags()
        return ox.graph_from_xml(files[name], simplify=False, retain_all=True)

    monkeypatch.setattr(ox, "graph_from_place", from_file)
    return files


def test_a_place_has_the_roads_and_times_of_its_extract(tmp_path: Path, fetched: dict[str, Path]) -> None:
    fetched["Bourg"] = town().write(tmp_path / "town.osm")
    by_name = build_network(load_place("Bourg"))
    by_file = town().network(tmp_path)
    assert sum(by_name.km_by_class().values()) == pytest.approx(sum(by_file.km_by_class().values()))
    assert by_name.dropped_share == pytest.approx(by_file.dropped_share)
    nodes = town().nodes
    middles = [tuple(np.add(nodes[a], nodes[b]) / 2) for refs, _ in town().ways for a, b in pairwise(refs)]
    one, other = (snapped(network, *middles, limit_m=1.0) for network in (by_name, by_file))
    assert (one.edge >= 0).sum() > 10
    np.testing.assert_array_equal(one.edge >= 0, other.edge >= 0)
    np.testing.assert_array_equal(travel_times(by_name, one, one).ms, travel_times(by_file, other, other).ms)


def test_a_place_that_cannot_be_fetched_says_what_to_do(fetched: dict[str, Path]) -> None:
    with pytest.raises(PlaceNotFound) as caught:
        load_place("Canaryville")
    assert "Canaryville" not in str(caught.value)
    assert "internet" in caught.value.action


def test_a_place_without_roads_says_so(tmp_path: Path, fetched: dict[str, Path]) -> None:
    fetched["Île"] = line({"highway": "footway"}).write(tmp_path / "island.osm")
    with pytest.raises(NoRoads):
        load_place("Île")
