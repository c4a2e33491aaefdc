"""Extracts of every kind are read alike; what a car may not use is left out; wrong files are told by name."""

import bz2
import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from routing.errors import BadExtract, NoRoads
from routing.network import build_network
from routing.osm import CLASSES, Signal, TurnRule, load_extract
from tests.routing.tiny import ROAD, Tiny, line, same_network


def kept(folder: Path, *tags: dict[str, str]) -> list[int]:
    """Which of the ways a car may use, by position."""
    return [way - 100 for way in line(ROAD, *tags).raw(folder).way.tolist() if way > 100]


@pytest.mark.parametrize("suffix", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_every_kind_of_file_holds_the_same_roads(tmp_path: Path, suffix: str) -> None:
    tiny = line(ROAD, {**ROAD, "oneway": "yes", "name": "Rue de l'Église"}, ROAD)
    tiny.ways.append(((3, 1), ROAD))
    tiny.node_tags[1] = {"place": "village", "name": "Bourg"}
    expected = build_network(tiny.raw(tmp_path, ".osm"))
    assert same_network(build_network(tiny.raw(tmp_path, suffix)), expected)


@pytest.mark.parametrize(
    ("tags", "open_to_cars"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "service"}, True),
        ({"highway": "track"}, True),
        ({"highway": "footway"}, False),
        ({"highway": "cycleway"}, False),
        ({"highway": "proposed"}, False),
        ({"highway": "construction"}, False),
        ({"highway": "platform"}, False),
        ({"highway": "service", "service": "emergency_access"}, False),
        ({"highway": "residential", "access": "no"}, False),
        ({"highway": "residential", "access": "no", "motor_vehicle": "yes"}, True),
        ({"highway": "residential", "access": "yes", "motorcar": "no"}, False),
        ({"highway": "residential", "motor_vehicle": "agricultural;destination"}, True),
        ({"highway": "track", "motor_vehicle": "agricultural"}, False),
        ({"highway": "residential", "area": "yes"}, False),
        ({"highway": "residential", "oneway": "reversible"}, False),
        ({"route": "ferry"}, False),
        ({"route": "ferry", "motor_vehicle": "yes"}, True),
        ({"waterway": "river"}, False),
        ({"railway": "rail"}, False),
    ],
)
def test_a_way_is_for_cars_or_not(tmp_path: Path, tags: dict[str, str], open_to_cars: bool) -> None:
    assert kept(tmp_path, tags) == ([1] if open_to_cars else [])


@pytest.mark.parametrize(
    ("tags", "along", "against"),
    [
        ({}, True, True),
        ({"oneway": "yes"}, True, False),
        ({"oneway": "1"}, True, False),
        ({"oneway": "-1"}, False, True),
        ({"oneway": "reverse"}, False, True),
        ({"oneway": "no"}, True, True),
        ({"junction": "roundabout"}, True, False),
        ({"junction": "roundabout", "oneway": "-1"}, False, True),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, True, True),
        ({"motor_vehicle:forward": "no"}, False, True),
        ({"vehicle:backward": "no"}, True, False),
    ],
)
def test_ways_go_where_their_tags_say(tmp_path: Path, tags: dict[str, str], along: bool, against: bool) -> None:
    raw = line(ROAD, {**ROAD, **tags}).raw(tmp_path)
    assert (bool(raw.kmh_along[1] > 0), bool(raw.kmh_against[1] > 0)) == (along, against)


def test_motorways_go_one_way_unless_they_say_otherwise(tmp_path: Path) -> None:
    raw = line({"highway": "motorway"}, {"highway": "motorway", "oneway": "no"}).raw(tmp_path)
    assert (raw.kmh_against > 0).tolist() == [False, True]


@pytest.mark.parametrize("value", ["private", "destination", "customers", "delivery", "permit"])
def test_private_and_destination_roads_are_for_the_ends_of_a_journey(tmp_path: Path, value: str) -> None:
    raw = line(ROAD, {**ROAD, "motor_vehicle": value}).raw(tmp_path)
    assert raw.end_only.tolist() == [False, True]


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"barrier": "bollard"}, "closed"),
        ({"barrier": "block"}, "closed"),
        ({"barrier": "bollard", "bollard": "rising"}, "gated"),
        ({"barrier": "gate"}, "open"),
        ({"barrier": "gate", "access": "private"}, "gated"),
        ({"barrier": "gate", "motor_vehicle": "no"}, "closed"),
        ({"barrier": "lift_gate"}, "open"),
        ({"barrier": "cattle_grid"}, "open"),
        ({"barrier": "toll_booth"}, "open"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, "open"),
    ],
)
def test_barriers_close_gate_or_let_pass(tmp_path: Path, tags: dict[str, str], kind: str) -> None:
    tiny = line(ROAD, ROAD)
    tiny.node_tags[2] = tags
    raw = tiny.raw(tmp_path)
    assert ("closed" if 2 in raw.closed_nodes else "gated" if 2 in raw.gated_nodes else "open") == kind


def test_a_ferry_takes_as_long_as_it_says(tmp_path: Path) -> None:
    raw = line(ROAD, {"route": "ferry", "motor_vehicle": "yes", "duration": "00:20"}, ROAD, step_m=2000).raw(tmp_path)
    assert CLASSES[raw.highway[1]] == "ferry"
    assert 2.0 / raw.kmh_along[1] * 60 == pytest.approx(20, rel=0.01)


def test_places_are_kept(tmp_path: Path) -> None:
    tiny = line(ROAD)
    tiny.nodes |= {50: (10.0, 10.0), 51: (20.0, 10.0)}
    tiny.node_tags |= {50: {"amenity": "hospital", "name": "Hôpital"}, 51: {"amenity": "bench"}}
    tiny.ways.append(((50, 51, 1, 50), {"amenity": "townhall", "name": "Mairie", "building": "yes"}))
    raw = tiny.raw(tmp_path)
    assert [(place.kind, place.name) for place in raw.places] == [("hospital", "Hôpital"), ("townhall", "Mairie")]


NODE = [("from", "w", 100), ("via", "n", 2), ("to", "w", 101)]
WAY = [("from", "w", 100), ("via", "w", 102), ("to", "w", 101)]


@pytest.mark.parametrize(
    ("tags", "members", "rules", "left_out"),
    [
        ({"restriction": "no_left_turn"}, NODE, [TurnRule(False, 100, 2, 101)], {}),
        ({"restriction": "only_straight_on"}, NODE, [TurnRule(True, 100, 2, 101)], {}),
        ({"restriction:motorcar": "no_u_turn"}, NODE, [TurnRule(False, 100, 2, 101)], {}),
        ({"restriction": "no_left_turn", "except": "bus; bicycle"}, NODE, [TurnRule(False, 100, 2, 101)], {}),
        ({"restriction": "no_left_turn", "except": "motorcar"}, NODE, [], {"cars excepted": 1}),
        ({"restriction:hgv": "no_left_turn"}, NODE, [], {"for other vehicles": 1}),
        ({"restriction:conditional": "no_left_turn @ (Mo-Fr)"}, NODE, [], {"conditional": 1}),
        ({"restriction": "give_way"}, NODE, [], {"unknown kind": 1}),
        ({"restriction": "no_left_turn"}, WAY, [], {"via a way": 1}),
        ({"restriction": "no_left_turn"}, NODE[:2], [], {"members missing": 1}),
        (
            {"restriction": "no_entry"},
            [("from", "w", 100), ("from", "w", 102), *NODE[1:]],
            [TurnRule(False, 100, 2, 101), TurnRule(False, 102, 2, 101)],
            {},
        ),
    ],
)
def test_turn_restrictions_are_read_or_counted_by_the_reason(
    tmp_path: Path, tags: dict[str, str], members: list[tuple[str, str, int]], rules: list[TurnRule], left_out: dict[str, int]
) -> None:
    tiny = line(ROAD, ROAD, ROAD)
    tiny.relations = [({"type": "restriction", **tags}, members), ({"type": "route", "route": "bus"}, NODE)]
    raw = tiny.raw(tmp_path)
    assert (list(raw.rules), raw.rules_left_out) == (rules, left_out)


@pytest.mark.parametrize(
    ("tags", "side"),
    [
        ({}, Signal.BOTH),
        ({"traffic_signals:direction": "forward"}, Signal.ALONG),
        ({"traffic_signals:direction": "backward"}, Signal.AGAINST),
        ({"traffic_signals:direction": "both"}, Signal.BOTH),
    ],
)
def test_traffic_lights_stop_the_direction_they_say(tmp_path: Path, tags: dict[str, str], side: Signal) -> None:
    tiny = line(ROAD, ROAD)
    tiny.node_tags[2] = {"highway": "traffic_signals", **tags}
    assert tiny.raw(tmp_path).signals == {2: side}
    lit, dark = tiny.network(tmp_path), line(ROAD, ROAD).network(tmp_path)
    waits = [int(a[0]) - int(b[0]) for a, b in ((lit.ms_along, dark.ms_along), (lit.ms_against, dark.ms_against))]
    assert waits == [2000 * (side != Signal.AGAINST), 2000 * (side != Signal.ALONG)]


def test_ways_cut_at_the_extracts_edge_keep_what_is_there(tmp_path: Path) -> None:
    tiny = line(ROAD, ROAD)
    tiny.ways.append(((3, 98, 99), ROAD))  # 98 and 99 lie outside
    tiny.ways.append(((98, 99), ROAD))
    raw = tiny.raw(tmp_path)
    assert raw.way.tolist() == [100, 101]


@pytest.mark.parametrize("suffix", [".osm", ".osm.pbf"])
def test_an_extract_without_roads_says_so(tmp_path: Path, suffix: str) -> None:
    tiny = Tiny({1: (0, 0), 2: (1000, 0)}, [((1, 2), {"waterway": "river"})])
    with pytest.raises(NoRoads, match="tiny"):
        tiny.raw(tmp_path, suffix)


def wrong_files(folder: Path) -> dict[str, Path]:
    good = line(ROAD, ROAD).write(folder / "good.osm.pbf").read_bytes()
    text = line(ROAD, ROAD).write(folder / "good.osm").read_bytes()
    contents = {
        "empty.osm.pbf": b"",
        "cut.osm.pbf": good[: len(good) // 2],
        "garbage.osm.pbf": bytes(range(256)) * 20,
        "lying.osm.pbf": b"\x7f\xff\xff\xff" + good[4:],
        "text.osm.pbf": b"<html>not found</html>",
        "cut.osm": text[: len(text) // 2],
        "html.osm": b"<html><body>Not found</body></html>",
        "cut.osm.gz": gzip.compress(text)[:-20],
        "cut.osm.bz2": bz2.compress(text)[:-20],
        "words.txt": b"roads",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.osm.pbf").mkdir()
    return {name: folder / name for name in [*contents, "folder.osm.pbf", "absent.osm.pbf"]}


@pytest.mark.parametrize(
    "name",
    ["empty.osm.pbf", "cut.osm.pbf", "garbage.osm.pbf", "lying.osm.pbf", "text.osm.pbf", "cut.osm", "html.osm", "cut.osm.gz", "cut.osm.bz2",
     "words.txt", "folder.osm.pbf", "absent.osm.pbf"],
)  # fmt: skip
def test_a_wrong_file_is_told_by_its_name_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = wrong_files(tmp_path)[name]
    with pytest.raises((BadExtract, NoRoads)) as caught:
        load_extract(path)
    assert str(caught.value).startswith(f"{name}: ")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_flipped_bytes_is_read_or_refused_but_never_worse(tmp_path: Path, seed: int) -> None:
    tiny = line(*[ROAD] * 30)
    content = bytearray(tiny.write(tmp_path / "good.osm.pbf").read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(content), 3):
        content[at] ^= 1 << int(rng.integers(8))
    (tmp_path / "bad.osm.pbf").write_bytes(content)
    with suppress(BadExtract, NoRoads):
        build_network(load_extract(tmp_path / "bad.osm.pbf"))
