"""Saved networks: one file, opened without parsing, written whole or not at all.

In and out: a `RoadNetwork` with its hierarchy, and a `*.roads` file. Called by the command line and the API.

Layout: 8 bytes magic, 8 bytes header length (little endian), 32 bytes blake2b of everything after them, a JSON header
(array names, types, shapes, offsets; texts), then the arrays, each at a multiple of 64 bytes so that it can be memory-mapped.
"""

import hashlib
import json
import mmap
import os
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from routing.confined import load_extract_confined
from routing.errors import BadNetwork
from routing.hierarchy import LAYOUT as HIERARCHY_LAYOUT
from routing.hierarchy import Hierarchy, hierarchy_of, keep_hierarchy
from routing.network import FORMAT, RoadNetwork, build_network
from routing.network import LAYOUT as NETWORK_LAYOUT
from routing.osm import Place, Progress

MAGIC = b"ALLONSR1"
SUFFIX = ".roads"
_PREFIX = len(MAGIC) + 8 + 32
_ALIGN = 64
_MAX_HEADER = 2**28
_HIERARCHY = "hierarchy."  # prefix of its arrays


def save_network(network: RoadNetwork, path: Path) -> None:
    """Write a network beside its place, then rename: readers see the old file or the new one. BadNetwork when it cannot be written."""
    values = {item.name: getattr(network, item.name) for item in fields(network)}
    texts = {name: value for name, value in values.items() if not isinstance(value, np.ndarray)}
    hierarchy = hierarchy_of(network)
    known = {name: value for name, value in values.items() if name not in texts}
    known |= {f"{_HIERARCHY}{item.name}": getattr(hierarchy, item.name) for item in fields(hierarchy)}
    arrays: dict[str, dict[str, Any]] = {}
    blobs: list[bytes] = []
    offset = 0
    for name, value in known.items():
        blob = np.ascontiguousarray(value).tobytes()
        arrays[name] = {"type": value.dtype.str, "shape": value.shape, "offset": offset}
        blobs.append(blob + b"\0" * (-len(blob) % _ALIGN))
        offset += len(blobs[-1])
    texts["places"] = [asdict(place) for place in network.places]
    header = json.dumps({"format": FORMAT, "version": network.version, "arrays": arrays, "texts": texts}, ensure_ascii=False).encode()
    header += b" " * (-(_PREFIX + len(header)) % _ALIGN)
    digest = hashlib.blake2b(header, digest_size=32)
    for blob in blobs:
        digest.update(blob)
    handle, temporary = -1, ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.writelines([MAGIC, len(header).to_bytes(8, "little"), digest.digest(), header, *blobs])
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise BadNetwork(f"{path.name}: cannot be written here; does the folder exist, and is there room?") from error


def load_network(path: Path, *, verify: bool = False) -> RoadNetwork:
    """Open a saved network; arrays are read-only views of the mapped file.

    Parameters
    ----------
    path : Path
    verify : bool
        Also read the whole file and compare its checksum; without it only the layout is checked, and opening stays O(header).

    Raises
    ------
    BadNetwork
        Absent, cut short, of another program or of another version.
    """
    try:
        with path.open("rb") as file:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise BadNetwork(f"{path.name}: there is no such file.") from None
    except (OSError, ValueError):
        raise BadNetwork(f"{path.name}: cannot be read, or is empty.") from None
    if whole[: len(MAGIC)] != MAGIC:
        raise BadNetwork(f"{path.name}: this is not a road network saved by Allons, or one of another version.")
    size = int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 8], "little")
    if verify and hashlib.blake2b(memoryview(whole)[_PREFIX:], digest_size=32).digest() != whole[_PREFIX - 32 : _PREFIX]:
        raise BadNetwork(f"{path.name}: the file is damaged.")
    try:
        if size > _MAX_HEADER:
            raise ValueError("header too long")
        header = json.loads(whole[_PREFIX : _PREFIX + size])
        if not isinstance(header, dict) or not isinstance(header["version"], str):
            raise TypeError("not a header")
        if header["format"] != FORMAT:
            raise BadNetwork(f"{path.name}: it was saved by another version of Allons.")
        arrays: dict[str, Any] = {name: _view(whole, _PREFIX + size, **row) for name, row in header["arrays"].items()}
        texts = header["texts"]
        texts["places"] = tuple(Place(**place) for place in texts["places"])
        texts["names"] = tuple(texts["names"])
        upper = {name.removeprefix(_HIERARCHY): arrays.pop(name) for name in list(arrays) if name.startswith(_HIERARCHY)}
        network, hierarchy = RoadNetwork(**arrays, **texts), Hierarchy(**upper)
        _check_network(network)
        _check_hierarchy(hierarchy, len(network.metres))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise BadNetwork(f"{path.name}: the file is damaged or cut short.") from None
    keep_hierarchy(network, hierarchy)
    network.__dict__["version"] = header["version"]  # what cached_property would compute from the whole file
    return network


def _view(whole: mmap.mmap, base: int, *, type: str, shape: list[int], offset: int) -> np.ndarray[Any, Any]:  # noqa: A002
    dtype = np.dtype(type)
    count = int(np.prod(shape))
    if dtype.hasobject or offset < 0 or count < 0 or base + offset + count * dtype.itemsize > len(whole):
        raise ValueError("array outside the file")
    return np.frombuffer(whole, dtype, count, base + offset).reshape(shape)


def _check_network(network: RoadNetwork) -> None:
    """ValueError unless every array has its type and the lengths agree: what is read later cannot lie outside. O(1)."""
    lengths = _lengths(network, NETWORK_LAYOUT)
    if network.pointer[0] != 0 or network.pointer[-1] != lengths["G"] or not isinstance(network.names, tuple):
        raise ValueError("edges and points do not agree")


def _check_hierarchy(hierarchy: Hierarchy, edges: int) -> None:
    lengths = _lengths(hierarchy, HIERARCHY_LAYOUT)
    ends = {"turn": "T", "up": "F", "down": "B"}
    if lengths["A"] != 2 * edges or any(getattr(hierarchy, f"{name}_pointer")[-1] != lengths[axis] for name, axis in ends.items()):
        raise ValueError("the hierarchy is of another network")


def _lengths(owner: RoadNetwork | Hierarchy, layout: dict[str, tuple[str, str]]) -> dict[str, int]:
    """Length of each axis; ValueError when two arrays disagree, or one has another type or shape."""
    lengths: dict[str, int] = {}
    for name, (dtype, axis) in layout.items():
        array = getattr(owner, name)
        if array.dtype != np.dtype(dtype) or array.shape[1:] != ((2,) if axis == "K2" else ()):
            raise ValueError(f"{name} is not what it should be")
        letter, _, more = axis.partition("+")
        if lengths.setdefault(letter, len(array) - int(more or 0)) != len(array) - int(more or 0):
            raise ValueError(f"{name} has another length")
    return lengths


def open_roads(path: Path, progress: Progress | None = None) -> RoadNetwork:
    """A network from a saved file, or parsed from an extract."""
    if path.name.endswith(SUFFIX):
        return load_network(path)
    return build_network(load_extract_confined(path, progress), progress)
