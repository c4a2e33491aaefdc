"""Files that are damaged or mean harm: 1,000 of them are refused with a sentence or loaded, and the old network answers meanwhile."""

import bz2
import gzip
import hashlib
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from routing.confined import load_extract_confined, write_places_confined
from routing.errors import BadExtract, NoRoads
from routing.matrix import travel_times
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.places import Asked, LocalIndex
from routing.saved import load_network, save_network
from tests.routing.protobuf import read_varint
from tests.routing.tiny import ROAD, Tiny, forbid, line, same_network, snapped

CHUNK, CHUNKS = 20, 48  # and the hand-made ones: 1,000 files


def town() -> Tiny:
    """A line of roads with names, places, a barrier, a light and a restriction."""
    tiny = line(*[{**ROAD, "name": f"Rue {k}"} for k in range(12)], ROAD)
    tiny.ways += [((3, 50), ROAD), ((50, 5), {**ROAD, "oneway": "yes"})]
    tiny.nodes[50] = (3000.0, 400.0)
    tiny.node_tags |= {1: {"place": "village", "name": "Évaux"}, 4: {"barrier": "gate"}, 6: {"highway": "traffic_signals"}}
    tiny.relations = [forbid("no_left_turn", 1, 3, 13)]
    return tiny


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same town in every format."""
    folder = tmp_path_factory.mktemp("good")
    return {suffix: town().write(folder / f"t{suffix}").read_bytes() for suffix in (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2")}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """The network in service: it must stay as it is on disk, and answer as before."""
    path = tmp_path_factory.mktemp("service") / "pays.roads"
    save_network(town().network(path.parent), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    network = load_network(path)

    def asked(roads: RoadNetwork) -> list[int]:
        places = snapped(roads, (10, 0), (2500, 0), (9000, 0))
        return [int(ms) for ms in travel_times(roads, places, places).ms.ravel()]

    expected = asked(network)

    def check() -> None:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert asked(network) == expected
        assert asked(load_network(path, verify=True)) == expected

    yield check
    check()


def refused_or_loaded(path: Path) -> str:
    """Built beside like `allons roads build` does; the reason when it was refused."""
    try:
        network = build_network(load_extract_confined(path))
    except (BadExtract, NoRoads) as refused:
        reason = str(refused)
    else:
        save_network(network, path.with_suffix(".roads"))
        assert load_network(path.with_suffix(".roads"), verify=True).version == network.version
        return ""
    assert reason.startswith(f"{path.name}: ")
    assert str(path.parent) not in reason
    return reason


# a .pbf is a row of blocks: 4 bytes of length, a header (kind, size of the blob), a blob (size when inflated, deflated content)


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message that holds only numbers and bytes."""
    at = 0
    while at < len(content):
        key, at = read_varint(content, at)
        value, at = read_varint(content, at)
        if key & 7 == 2:
            yield key >> 3, content[at : at + value]
            at += value
        else:
            yield key >> 3, value


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def blocks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Kind and inflated content."""
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        header = dict(fields(content[at + 4 : at + 4 + size]))
        blob = dict(fields(content[at + 4 + size : at + 4 + size + int(header[3])]))
        yield bytes(header[1]).decode(), zlib.decompress(blob[3]) if 3 in blob else bytes(blob[1])
        at += 4 + size + int(header[3])


def frame(kind: str, blob: bytes, size: int | None = None, padding: int = 0) -> bytes:
    header = field(1, kind.encode()) + (field(2, b"\0" * padding) if padding else b"") + field(3, len(blob) if size is None else size)
    return struct.pack(">I", len(header)) + header + blob


def block(kind: str, content: bytes, raw_size: int | None = None) -> bytes:
    return frame(kind, field(2, len(content) if raw_size is None else raw_size) + field(3, zlib.compress(content)))


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bits or bytes changed; now and then bytes cut out, doubled, set to extremes, or the end cut off."""
    changed = bytearray(content)
    for _ in range(1 + int(rng.integers(6) == 0)):
        at, length = int(rng.integers(len(changed))), int(rng.integers(1, 40))
        match int(rng.integers(16)):
            case 0:
                del changed[at : at + length]
            case 1:
                changed[at:at] = changed[at : at + length]
            case 2:
                changed[at : at + length] = bytes([int(rng.choice([0, 0x7F, 0x80, 0xFF]))]) * len(changed[at : at + length])
            case 3:
                changed[at : at + length] = rng.bytes(length)
            case 4 if at > 0:
                del changed[at:]
            case kind if kind < 10:
                changed[at] = int(rng.integers(256))
            case _:
                changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def reworded(content: bytes, rng: np.random.Generator) -> bytes:
    """A text whose digits say something else: other ids, places, references."""
    changed = bytearray(content)
    digits = [at for at, byte in enumerate(changed) if 48 <= byte < 58 and at > 60]
    for at in rng.choice(digits, int(rng.integers(1, 9))):
        changed[at] = int(rng.choice(list(b"0123456789" * 4 + b"-.")))
    return bytes(changed)


def variant(good: dict[str, bytes], seed: int) -> tuple[str, bytes]:
    """A damaged file: two of three are damaged under the compression, where no checksum sees it."""
    rng = np.random.default_rng(seed)
    suffix = [".osm.pbf", ".osm.pbf", ".osm", ".osm.gz", ".osm.bz2"][seed % 5]
    content = good[suffix]
    if seed % 3 == 0:
        return suffix, mutated(content, rng)
    if suffix == ".osm.pbf":
        (head, about), *rest = blocks(content)
        return suffix, block(head, about) + b"".join(block(kind, mutated(part, rng)) for kind, part in rest)
    plain = good[".osm"]
    changed = mutated(plain, rng) if seed % 9 == 1 else reworded(plain, rng)
    return suffix, {".osm": bytes, ".osm.gz": lambda text: gzip.compress(text, 1), ".osm.bz2": bz2.compress}[suffix](changed)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_damaged_files_are_refused_or_loaded(good: dict[str, bytes], answers: Callable[[], None], tmp_path: Path, chunk: int) -> None:
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        suffix, content = variant(good, seed)
        path = tmp_path / f"bad{seed}{suffix}"
        path.write_bytes(content)
        refused_or_loaded(path)
    answers()


def test_the_damage_is_neither_always_fatal_nor_always_harmless(good: dict[str, bytes], tmp_path: Path) -> None:
    """Or the thousand would prove nothing."""
    ends = []
    for seed in range(40):
        suffix, content = variant(good, 10_000 + seed)
        path = tmp_path / f"bad{seed}{suffix}"
        path.write_bytes(content)
        ends.append(bool(refused_or_loaded(path)))
    assert 10 <= sum(ends) <= 32


def node_xml(lat: str, lon: str) -> bytes:
    nodes = f'<node id="1" version="1" lat="{lat}" lon="{lon}"/><node id="2" version="1" lat="46.31" lon="2.3"/>'
    way = '<way id="9" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="tertiary"/></way>'
    return f'<osm version="0.6">{nodes}{way}</osm>'.encode()


def xml_bomb(first: str) -> bytes:
    entities = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY e0 "{first}">{entities}]><osm version="0.6"><note>&e9;</note></osm>'.encode()


@pytest.fixture(scope="module")
def hostile(good: dict[str, bytes]) -> dict[str, bytes]:
    """Files that mean harm, by what they do."""
    pbf, xml = good[".osm.pbf"], good[".osm"]
    parts = list(blocks(pbf))
    head = block(*parts[0])
    data = parts[1][1]
    strings = b"".join(field(1, b"x" * 100) for _ in range(1000))
    long_way = b'<way id="9" version="1">' + b'<nd ref="1"/><nd ref="2"/>' * 200_000 + b'<tag k="highway" v="tertiary"/></way>'
    deep = b'<osm version="0.6">' + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</osm>"
    return {
        "header-of-70-kib.osm.pbf": frame("OSMHeader", b"", padding=70_000) + pbf,
        "header-of-2-gib.osm.pbf": struct.pack(">I", 2**31 - 1) + pbf[4:],
        "header-of-4-gib.osm.pbf": struct.pack(">I", 2**32 - 1) + pbf[4:],
        "header-of-nothing.osm.pbf": struct.pack(">I", 0) + pbf,
        "blob-of-40-mib.osm.pbf": head + frame("OSMData", b"\0" * (40 * 2**20)),
        "blob-claims-2-gib.osm.pbf": head + frame("OSMData", b"\0" * 1000, size=2**31 - 1),
        "blob-claims-less-than-nothing.osm.pbf": head + frame("OSMData", b"\0" * 1000, size=-1),
        "inflates-to-less-than-it-says.osm.pbf": head + block("OSMData", data, raw_size=len(data) + 1000),
        "inflates-to-more-than-it-says.osm.pbf": head + block("OSMData", data, raw_size=10),
        "says-it-inflates-to-1-gib.osm.pbf": head + block("OSMData", data, raw_size=2**30),
        "says-it-inflates-to-less-than-nothing.osm.pbf": head + block("OSMData", data, raw_size=-5),
        "inflates-to-64-mib.osm.pbf": head + block("OSMData", b"\0" * (64 * 2**20)),
        "inflates-to-31-mib-of-nothing.osm.pbf": head + block("OSMData", b"\0" * (31 * 2**20)),
        "thirty-times-31-mib.osm.pbf": head + block("OSMData", field(1, strings) + b"\x8a\x01\x00" * (10 * 2**20)) * 30,
        "unknown-compression.osm.pbf": head + frame("OSMData", field(2, len(data)) + field(6, data)),
        "empty-blob.osm.pbf": head + frame("OSMData", b""),
        "no-header.osm.pbf": block(*parts[1]),
        "header-only.osm.pbf": head,
        "two-headers.osm.pbf": head + pbf,
        "asks-for-a-feature.osm.pbf": block("OSMHeader", field(4, b"TimeTravel")) + pbf,
        "kind-unknown.osm.pbf": head + block("OSMNothing", data) + pbf[len(head) :],
        "granularity-0.osm.pbf": head + block("OSMData", data + field(17, 0)),
        "granularity-huge.osm.pbf": head + block("OSMData", data + field(17, 2**31 - 1) + field(19, 2**62) + field(20, -(2**62))),
        "no-string-table.osm.pbf": head + block("OSMData", b"".join(field(n, v) for n, v in fields(data) if n != 1)),
        "entity-bomb.osm": xml_bomb("lol" * 100),
        "external-entity.osm": b'<!DOCTYPE osm [<!ENTITY x SYSTEM "file:///etc/passwd">]><osm version="0.6"><note>&x;</note></osm>',
        "deep.osm": deep,
        "attribute-of-10-mb.osm": xml.replace(b"Rue 1", b"A" * 10_000_000),
        "way-of-400000-nodes.osm": xml.replace(b"</osm>", long_way + b"</osm>"),
        "bomb.osm.gz": gzip.compress(b'<osm version="0.6">' + b" " * 300_000_000 + b"</osm>", 9),
        "bomb.osm.bz2": bz2.compress(b'<osm version="0.6">' + b" " * 100_000_000 + b"</osm>", 9),
        "latitude-out-of-range.osm": node_xml("946.3", "2.3"),
        "latitude-not-a-number.osm": node_xml("nan", "2.3"),
        "latitude-infinite.osm": node_xml("1e999", "2.3"),
        "at-the-poles.osm": node_xml("90", "180"),
        "ids-at-the-end.osm": node_xml("46.3", "2.3").replace(b'"1"', b'"9223372036854775807"'),
        "ids-below.osm": node_xml("46.3", "2.3").replace(b'"1" version', b'"-9223372036854775808" version'),
        "not-utf-8.osm": xml.replace(b"Rue 2", b"Rue \xff\xfe"),
        "utf-16.osm": xml.decode().encode("utf-16"),
        "nul.osm": xml.replace(b"Rue 3", b"Rue \0"),
    }  # fmt: skip


NAMES = [
    "header-of-70-kib.osm.pbf", "header-of-2-gib.osm.pbf", "header-of-4-gib.osm.pbf", "header-of-nothing.osm.pbf", "blob-of-40-mib.osm.pbf",
    "blob-claims-2-gib.osm.pbf", "blob-claims-less-than-nothing.osm.pbf", "inflates-to-less-than-it-says.osm.pbf",
    "inflates-to-more-than-it-says.osm.pbf", "says-it-inflates-to-1-gib.osm.pbf", "says-it-inflates-to-less-than-nothing.osm.pbf",
    "inflates-to-64-mib.osm.pbf", "inflates-to-31-mib-of-nothing.osm.pbf", "thirty-times-31-mib.osm.pbf", "unknown-compression.osm.pbf",
    "empty-blob.osm.pbf", "no-header.osm.pbf", "header-only.osm.pbf", "two-headers.osm.pbf", "asks-for-a-feature.osm.pbf",
    "kind-unknown.osm.pbf", "granularity-0.osm.pbf", "granularity-huge.osm.pbf", "no-string-table.osm.pbf", "entity-bomb.osm",
    "external-entity.osm", "deep.osm", "attribute-of-10-mb.osm", "way-of-400000-nodes.osm", "bomb.osm.gz", "bomb.osm.bz2",
    "latitude-out-of-range.osm", "latitude-not-a-number.osm", "latitude-infinite.osm", "at-the-poles.osm", "ids-at-the-end.osm",
    "ids-below.osm", "not-utf-8.osm", "utf-16.osm", "nul.osm",
]  # fmt: skip


def test_they_are_a_thousand(hostile: dict[str, bytes]) -> None:
    assert list(hostile) == NAMES
    assert CHUNK * CHUNKS + len(NAMES) == 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_files_that_mean_harm_are_refused(hostile: dict[str, bytes], answers: Callable[[], None], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(hostile[name])
    refused_or_loaded(tmp_path / name)
    answers()


@pytest.mark.parametrize("suffix", [".osm.pbf", ".osm"])
def test_a_good_file_is_read_as_without_the_child(tmp_path: Path, suffix: str) -> None:
    path = town().write(tmp_path / f"t{suffix}")
    told: list[tuple[float, str]] = []
    found = load_extract_confined(path, lambda done, what: told.append((done, what)))
    assert same_network(build_network(found), build_network(load_extract(path)))


BOUNDED = """
import sys
from pathlib import Path
import routing.confined as confined

def greedy(path, progress=None):
    {what}

confined.load_extract = greedy
confined._MEMORY_AT_LEAST = 2**27
confined._SECONDS_AT_LEAST = 1
confined._child("roads", Path(sys.argv[1]))
"""


@pytest.mark.parametrize("what", ["bytearray(2**31)", "[None for _ in iter(int, 1)]", "while True: pass"])
def test_a_child_that_takes_too_much_ends_and_says_nothing(tmp_path: Path, what: str) -> None:
    path = town().write(tmp_path / "t.osm")
    ended = subprocess.run([sys.executable, "-c", BOUNDED.format(what=what), str(path)], capture_output=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert ended.stdout == b""


def test_a_child_that_says_nothing_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = town().write(tmp_path / "t.osm")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BadExtract, match=r"^t\.osm: .* more memory or time"):
        load_extract_confined(path)


def test_an_index_of_places_is_written_by_the_child(tmp_path: Path) -> None:
    path, target = line({**ROAD, "name": "Rue Haute"}).write(tmp_path / "n.osm"), tmp_path / "n.places"
    write_places_confined(path, target)
    index = LocalIndex(target)
    assert [place.label for place in index.search(Asked(text="rue haute"))] == ["Rue Haute"]
    before = target.read_bytes()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadExtract, match=r"n\.osm: the file is damaged"):
        write_places_confined(path, target)
    assert target.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["n.osm", "n.places"]


def test_a_child_that_writes_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on what it may write is set before it reads: a file that claims much cannot fill the disk."""
    path = line({**ROAD, "name": "Rue Haute"}).write(tmp_path / "n.osm")
    program = (
        "import sys; from pathlib import Path; import routing.confined as confined; confined._WRITTEN_AT_LEAST = 4096; "
        "confined._WRITTEN_PER_BYTE = 0; confined._child('places', Path(sys.argv[1]), sys.argv[2])"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path), str(tmp_path / "out")], capture_output=True, check=False)
    assert ended.returncode != 0 or b"BadPlaces" in ended.stdout
    assert (tmp_path / "out").stat().st_size <= 4096


@pytest.mark.parametrize("chunk", range(4))
def test_places_of_damaged_files_are_refused_or_indexed(tmp_path: Path, chunk: int) -> None:
    whole = town().write(tmp_path / "t.osm").read_bytes()
    rng = np.random.default_rng(chunk)
    path = tmp_path / "bad.osm"
    for _ in range(4):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(0, 256)
        path.write_bytes(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]) if rng.random() < 0.3 else bytes(data))
        try:
            write_places_confined(path, tmp_path / "bad.places")
        except BadExtract:
            assert not (tmp_path / "bad.places").exists()
        else:
            LocalIndex(tmp_path / "bad.places").search(Asked(text="rue 3"))
            (tmp_path / "bad.places").unlink()
