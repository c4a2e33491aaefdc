"""What the base map shows, by tags, and from which zoom: calm enough that a day's runs stand out on it.

In: the tags of a node, way or area. Out: a layer, a kind and the first zoom; None for what is left out. Called by `routing.basemap.gather`.
"""

from collections.abc import Mapping
from typing import NamedTuple

LOWEST, HIGHEST = 6, 14  # zooms that are written; browsers stretch the last one further
LAYERS = ("land", "water", "stream", "border", "rail", "road", "spot", "place")


class Kind(NamedTuple):
    """One thing to draw."""

    layer: str
    kind: str
    zoom: int


_ROADS = {
    "motorway": ("motorway", 6), "motorway_link": ("motorway", 11), "trunk": ("motorway", 6), "trunk_link": ("motorway", 11),
    "primary": ("main", 7), "primary_link": ("main", 11), "secondary": ("main", 9), "secondary_link": ("main", 11),
    "tertiary": ("minor", 9), "tertiary_link": ("minor", 12), "unclassified": ("street", 12), "residential": ("street", 12),
    "living_street": ("street", 13), "road": ("street", 12), "pedestrian": ("street", 13),
    "service": ("service", 14), "track": ("track", 14),
}  # fmt: skip
_LAND = {
    ("landuse", "residential"): ("built", 8), ("landuse", "commercial"): ("built", 9), ("landuse", "retail"): ("built", 9),
    ("landuse", "industrial"): ("built", 9), ("landuse", "forest"): ("wood", 7), ("natural", "wood"): ("wood", 7),
    ("leisure", "park"): ("park", 11), ("leisure", "golf_course"): ("park", 11), ("landuse", "cemetery"): ("park", 12),
    ("landuse", "vineyard"): ("park", 11), ("landuse", "orchard"): ("park", 11),
}  # fmt: skip
_WATER = {("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir"), ("landuse", "basin"), ("natural", "bay")}
_STREAMS = {"river": ("river", 7), "canal": ("river", 10), "stream": ("brook", 13)}
_PLACES = {
    "city": 6, "town": 8, "village": 10, "suburb": 12, "borough": 12, "quarter": 13, "neighbourhood": 14, "hamlet": 13,
    "isolated_dwelling": 14,
}  # fmt: skip
_SPOTS = {("amenity", "hospital"): 12, ("railway", "station"): 12, ("railway", "halt"): 13, ("amenity", "clinic"): 14}
LINES = ("highway", "waterway", "railway", "boundary", "natural")
AREAS = sorted({*_LAND, *_WATER, *((key, value) for key, value in _SPOTS if key == "amenity")})
POINTS = ("place", "amenity", "railway")


def line_kind(tags: Mapping[str, str]) -> Kind | None:
    """A road, a stream, rails, a border between communes."""
    highway = _ROADS.get(tags.get("highway", ""))
    if highway is not None and tags.get("area") != "yes":
        return Kind("road", *highway)
    stream = _STREAMS.get(tags.get("waterway", ""))
    if stream is not None:
        hidden = tags.get("tunnel") in {"yes", "culvert"}
        return None if hidden else Kind("stream", *stream)
    if tags.get("railway") == "rail" and "service" not in tags and tags.get("tunnel") != "yes":
        return Kind("rail", "rail", 9)
    level = tags.get("admin_level", "")
    if tags.get("boundary") == "administrative" and level in {"2", "4", "6", "8"} and tags.get("maritime") != "yes":
        return Kind("border", "commune" if level == "8" else "country", 11 if level == "8" else 6)
    return None


def area_kind(tags: Mapping[str, str]) -> Kind | None:
    """Water, or how land is used."""
    if any(tags.get(key) == value for key, value in _WATER):
        return Kind("water", "water", LOWEST)
    for (key, value), (kind, zoom) in _LAND.items():
        if tags.get(key) == value:
            return Kind("land", kind, zoom)
    return None


def point_kind(tags: Mapping[str, str]) -> Kind | None:
    """A named settlement, station or hospital."""
    if not tags.get("name", "").strip():
        return None
    zoom = _PLACES.get(tags.get("place", ""))
    if zoom is not None:
        return Kind("place", tags["place"], zoom)
    for (key, value), first in _SPOTS.items():
        if tags.get(key) == value:
            return Kind("spot", "station" if key == "railway" else "hospital", first)
    return None


def road_name(tags: Mapping[str, str]) -> str:
    """What stands along a road: its name; between villages its number."""
    return one_line(tags.get("name") or tags.get("ref") or "")


def one_line(text: str, longest: int = 80) -> str:
    """A name without line breaks and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:longest]
