"""What is saved comes back, whole or not at all; a file that lies is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.errors import BadNetwork
from routing.network import RoadNetwork
from routing.saved import MAGIC, load_network, open_roads, save_network
from tests.routing.tiny import ROAD, line, same_network

PREFIX = len(MAGIC) + 8 + 32


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    """A handful of edges with names and places."""
    tiny = line(ROAD, {**ROAD, "oneway": "yes", "name": "Rue de l'Œillet"}, ROAD)
    tiny.ways.append(((3, 2), ROAD))
    tiny.node_tags[1] = {"place": "village", "name": "Évaux"}
    return tiny.network(tmp_path_factory.mktemp("network"))


def test_what_was_saved_comes_back(network: RoadNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "n.roads")
    for verify in (False, True):
        found = load_network(tmp_path / "n.roads", verify=verify)
        assert same_network(network, found)
        assert found.version == network.version
        assert found.source == network.source


def test_the_same_network_gives_the_same_bytes(network: RoadNetwork, tmp_path: Path) -> None:
    for name in ("a.roads", "b.roads"):
        save_network(network, tmp_path / name)
    assert (tmp_path / "a.roads").read_bytes() == (tmp_path / "b.roads").read_bytes()


def test_opened_arrays_cannot_be_changed(network: RoadNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "n.roads")
    with pytest.raises(ValueError, match="read-only"):
        load_network(tmp_path / "n.roads").metres[0] = 1


def test_roads_open_from_a_saved_file_and_from_an_extract_alike(tmp_path: Path) -> None:
    extract = line(ROAD, ROAD).write(tmp_path / "n.osm.pbf")
    built = open_roads(extract)
    save_network(built, tmp_path / "n.roads")
    assert same_network(open_roads(tmp_path / "n.roads"), built)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 16, 40, 47, 48, 49, 200, -65, -1])
def test_a_file_cut_short_is_refused(network: RoadNetwork, tmp_path: Path, size: int) -> None:
    path = tmp_path / "n.roads"
    save_network(network, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(BadNetwork, match=r"^n\.roads: ") as caught:
        load_network(path, verify=size in (-65, -1))  # padding alone may be missing without harm
    assert str(tmp_path) not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_a_flipped_bit_is_found_out(network: RoadNetwork, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "n.roads"
    save_network(network, path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(BadNetwork, match=r"n\.roads"):
        load_network(path, verify=True)


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A file whose header says something else, of the right length."""
    content = path.read_bytes()
    size = int.from_bytes(content[8:16], "little")
    header = json.loads(content[PREFIX : PREFIX + size])
    change(header)
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-(PREFIX + len(text)) % 64)
    path.write_bytes(MAGIC + len(text).to_bytes(8, "little") + content[16:PREFIX] + text + content[PREFIX + size :])


LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "offset beyond the end": lambda h: h["arrays"]["metres"].update(offset=10**12),
    "offset before the start": lambda h: h["arrays"]["metres"].update(offset=-64),
    "too many rows": lambda h: h["arrays"]["lon"].update(shape=[10**9]),
    "rows that overflow": lambda h: h["arrays"]["lon"].update(shape=[2**40, 2**40]),
    "fewer than none": lambda h: h["arrays"]["lon"].update(shape=[-1]),
    "objects": lambda h: h["arrays"]["lon"].update(type="|O"),
    "no type": lambda h: h["arrays"]["lon"].update(type="nonsense"),
    "text for an offset": lambda h: h["arrays"]["lon"].update(offset="0"),
    "an array missing": lambda h: h["arrays"].pop("lon"),
    "an array too many": lambda h: h["arrays"].update(extra=h["arrays"]["lon"]),
    "another version": lambda h: h.update(format=99),
    "no version": lambda h: h.pop("version"),
    "no texts": lambda h: h.pop("texts"),
    "places that are none": lambda h: h["texts"].update(places=[{"kind": "x"}]),
    "names that are none": lambda h: h["texts"].update(names=None),
    "arrays that are a list": lambda h: h.update(arrays=[]),
    "arrays of another type": lambda h: h["arrays"]["edge_from"].update(type="<f8", shape=[1]),
    "nodes that are not there": lambda h: h["arrays"]["node_lon"].update(shape=[0]),
    "pointers of another length": lambda h: h["arrays"]["pointer"].update(shape=[1]),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_refused(network: RoadNetwork, tmp_path: Path, lie: str) -> None:
    path = tmp_path / "n.roads"
    save_network(network, path)
    rewritten(path, LIES[lie])
    with pytest.raises(BadNetwork, match=r"^n\.roads: "):
        load_network(path)


def test_a_header_longer_than_the_file_is_refused(network: RoadNetwork, tmp_path: Path) -> None:
    path = tmp_path / "n.roads"
    save_network(network, path)
    content = bytearray(path.read_bytes())
    for size in (2**63, 2**27, len(content) * 2):
        content[8:16] = size.to_bytes(8, "little")
        path.write_bytes(content)
        with pytest.raises(BadNetwork):
            load_network(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\0" * 200, b"ALLONSR0" + b"\0" * 200, b"{}"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "n.roads").write_bytes(content)
    with pytest.raises(BadNetwork, match=r"n\.roads"):
        load_network(tmp_path / "n.roads")


def test_an_absent_file_and_a_folder_are_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(BadNetwork, match="no such file"):
        load_network(tmp_path / "n.roads")
    (tmp_path / "d.roads").mkdir()
    with pytest.raises(BadNetwork, match="cannot be read"):
        load_network(tmp_path / "d.roads")


def test_a_save_that_fails_leaves_the_old_file_and_no_other(network: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "n.roads"
    save_network(network, path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BadNetwork, match="room"):
        save_network(network, path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["n.roads"]
    with pytest.raises(BadNetwork, match="folder"):
        save_network(network, tmp_path / "none" / "n.roads")
