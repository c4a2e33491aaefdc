"""One vector tile's bytes, as the Mapbox Vector Tile specification 2.1 has them: layers of features, whole numbers on a grid of 4096.

In: layers with features of points on that grid. Out: bytes. Called by `routing.basemap.cut`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

EXTENT = 4096
POINT, LINE, POLYGON = 1, 2, 3
_MOVE, _DRAW, _CLOSE = 1, 2, 7
Ints = npt.NDArray[np.int64]
Value = str | int


@dataclass(slots=True)
class Layer:
    """Features of one kind; their words are kept once."""

    name: str
    features: list[bytes] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    values: dict[Value, int] = field(default_factory=dict)

    def add(self, shape: int, parts: Iterable[Ints], about: Mapping[str, Value]) -> None:
        """Take a feature: parts [k, 2] are rings (without their last point again), lines, or one point."""
        commands = _commands(shape, parts)
        if not len(commands):
            return
        tags = [n for key, value in about.items() for n in (self._key(key), self._value(value))]
        told = _bytes(2, varints(np.array(tags, np.uint64))) if tags else b""
        self.features.append(told + _number(3, shape) + _bytes(4, varints(commands)))

    def encode(self) -> bytes:
        """The layer."""
        whole = [_bytes(1, self.name.encode())]
        whole += [_bytes(2, feature) for feature in self.features]
        whole += [_bytes(3, key.encode()) for key in self.keys]
        whole += [_bytes(4, _bytes(1, v.encode()) if isinstance(v, str) else _number(5, v)) for v in self.values]
        return b"".join([*whole, _number(5, EXTENT), _number(15, 2)])

    def _key(self, key: str) -> int:
        return self.keys.setdefault(key, len(self.keys))

    def _value(self, value: Value) -> int:
        return self.values.setdefault(value, len(self.values))


def encode_tile(layers: Iterable[Layer]) -> bytes:
    """The tile; layers without features are left out."""
    return b"".join(_bytes(3, layer.encode()) for layer in layers if layer.features)


def varints(values: npt.NDArray[np.uint64]) -> bytes:
    """Each number in groups of seven bits, the lowest first; the eighth bit says that more follow. O(numbers)."""
    sizes = np.ones(len(values), np.int64)
    for bits in range(7, 64, 7):
        sizes += values >= np.uint64(1 << bits)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if len(values) else np.zeros(0, np.int64)
    whole = np.zeros(int(sizes.sum()), np.uint8)
    for k in range(int(sizes.max(initial=0))):
        there = sizes > k
        group = (values[there] >> np.uint64(7 * k)) & np.uint64(127)
        whole[starts[there] + k] = group | np.where(sizes[there] > k + 1, np.uint64(128), np.uint64(0))
    return whole.tobytes()


def _commands(shape: int, parts: Iterable[Ints]) -> npt.NDArray[np.uint64]:
    """Moves and lines from point to point, as differences. A part that shrank to nothing is left out."""
    least = {POINT: 1, LINE: 2, POLYGON: 3}[shape]
    found: list[Any] = []
    here = np.zeros((1, 2), np.int64)
    for part in parts:
        kept = part[np.concatenate([[True], np.any(part[1:] != part[:-1], axis=1)])]
        if shape == POLYGON and len(kept) > 1 and np.array_equal(kept[0], kept[-1]):
            kept = kept[:-1]
        if len(kept) < least:
            continue
        steps = np.diff(np.concatenate([here, kept]), axis=0).ravel()
        zigzag = ((steps << 1) ^ (steps >> 63)).astype(np.uint64)
        found += [[_MOVE | 1 << 3], zigzag[:2]]
        if shape != POINT:
            found += [[_DRAW | (len(kept) - 1) << 3], zigzag[2:]]
        if shape == POLYGON:
            found.append([_CLOSE | 1 << 3])
        here = kept[-1:]
    return np.concatenate([np.asarray(piece, np.uint64) for piece in found]) if found else np.zeros(0, np.uint64)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    whole = bytearray()
    while value > 127:
        whole.append(value & 127 | 128)
        value >>= 7
    whole.append(value)
    return bytes(whole)
