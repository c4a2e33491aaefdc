"""Reads vector tiles again, written from the specification and not from our writer."""

import math
from collections.abc import Iterator
from typing import Any

from tests.routing.protobuf import read_varint


def read_tile(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Layer by name; a feature has `shape`, `parts` in the tile's grid, and `about`."""
    return dict(_read_layer(value) for number, value in _fields(content) if number == 3)


def lonlat_of(zoom: int, x: int, y: int, point: tuple[int, int], extent: int = 4096) -> tuple[float, float]:
    """Where a point of a tile is."""
    east, south = (x + point[0] / extent) / 2**zoom, (y + point[1] / extent) / 2**zoom
    return east * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * south))))


def tile_of(zoom: int, lon: float, lat: float) -> tuple[int, int]:
    """The tile a point is in."""
    south = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**zoom), int(south * 2**zoom)


def _read_layer(content: bytes) -> tuple[str, list[dict[str, Any]]]:
    found = list(_fields(content))
    keys = [value.decode() for number, value in found if number == 3]
    values = [_value(value) for number, value in found if number == 4]
    assert dict(found)[15] == 2
    name = dict(found)[1].decode()
    return name, [_read_feature(value, keys, values) for number, value in found if number == 2]


def _value(content: bytes) -> str | int:
    ((number, value),) = _fields(content)
    return value.decode() if number == 1 else value


def _read_feature(content: bytes, keys: list[str], values: list[str | int]) -> dict[str, Any]:
    found = dict(_fields(content))
    tags = list(_numbers(found.get(2, b"")))
    about = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    parts: list[list[tuple[int, int]]] = []
    commands, x, y = iter(_numbers(found[4])), 0, 0
    for command in commands:
        if command & 7 == 7:
            parts[-1].append(parts[-1][0])
            continue
        if command & 7 == 1:
            parts.append([])
        for _ in range(command >> 3):
            a, b = next(commands), next(commands)
            x, y = x + ((a >> 1) ^ -(a & 1)), y + ((b >> 1) ^ -(b & 1))
            parts[-1].append((x, y))
    return {"shape": found[3], "parts": parts, "about": about}


def _numbers(content: bytes) -> Iterator[int]:
    at = 0
    while at < len(content):
        value, at = read_varint(content, at)
        yield value


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(content):
        key, at = read_varint(content, at)
        value, at = read_varint(content, at)
        if key & 7 == 2:
            value, at = content[at : at + value], at + value
        yield key >> 3, value
