"""How fast a car drives on a way when nothing is in front of it: the table, each row with its source.

In: the tags of a way and the direction. Out: km/h. Called by `routing.osm`. Free flow: no traffic, no lights, no weather.

Sources named in the rows:
  [OSRM]     car profile of Project OSRM (profiles/car.lua), default speeds per class, 0.8 of a signed limit, surfaces and tracks
  [R413-2]   Code de la route, art. R413-2 (outside built-up areas; 80 km/h since decree 2018-487), [R413-3] (50 in built-up areas)
  [R110-2]   Code de la route, art. R110-2 (zone 30, zone de rencontre 20)
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

Tags = Mapping[str, str]


class Row(NamedTuple):
    """A speed and where it comes from."""

    kmh: float
    source: str


#: Where no limit is signed. Classes that are not here are not for cars.
BY_CLASS: dict[str, Row] = {
    "motorway": Row(90, "[OSRM]"),
    "motorway_link": Row(45, "[OSRM]"),
    "trunk": Row(85, "[OSRM]"),
    "trunk_link": Row(40, "[OSRM]"),
    "primary": Row(65, "[OSRM]"),
    "primary_link": Row(30, "[OSRM]"),
    "secondary": Row(55, "[OSRM]"),
    "secondary_link": Row(25, "[OSRM]"),
    "tertiary": Row(40, "[OSRM]"),
    "tertiary_link": Row(20, "[OSRM]"),
    "unclassified": Row(25, "[OSRM]"),
    "residential": Row(25, "[OSRM]"),
    "living_street": Row(10, "[OSRM]"),
    "road": Row(25, "[OSRM] as unclassified"),
    "service": Row(15, "[OSRM]"),
    "track": Row(12, "[OSRM] grade 3"),
}

#: Limits of the French highway code that are written as words. 80 outside built-up areas; where a département has raised it to 90, a sign
#: says so, and so does `maxspeed`.
BY_ZONE_IN_FRANCE: dict[str, Row] = {
    "fr:urban": Row(50, "[R413-3]"),
    "fr:rural": Row(80, "[R413-2]"),
    "fr:motorway": Row(130, "[R413-2]"),
    "fr:trunk": Row(110, "[R413-2] with a central reservation"),
    "fr:zone30": Row(30, "[R110-2]"),
    "fr:living_street": Row(20, "[R110-2]"),
    "fr:walk": Row(20, "[R110-2] zone de rencontre"),
}
#: The same anywhere else.
BY_ZONE: dict[str, Row] = {
    "urban": Row(50, "[OSRM] default of urban"),
    "rural": Row(90, "[OSRM] default of rural"),
    "zone30": Row(30, "[R110-2]"),
    "zone:30": Row(30, "[R110-2]"),
    "walk": Row(10, "[OSRM] lowest car speed"),
    "none": Row(140, "[OSRM] unlimited"),
}

#: The surface never lets a car go faster.
BY_SURFACE: dict[str, Row] = {
    "compacted": Row(80, "[OSRM]"),
    "fine_gravel": Row(80, "[OSRM]"),
    "paving_stones": Row(60, "[OSRM]"),
    "metal": Row(60, "[OSRM]"),
    "grass": Row(40, "[OSRM]"),
    "wood": Row(40, "[OSRM]"),
    "sett": Row(40, "[OSRM]"),
    "gravel": Row(40, "[OSRM]"),
    "unpaved": Row(40, "[OSRM]"),
    "ground": Row(40, "[OSRM]"),
    "dirt": Row(40, "[OSRM]"),
    "pebblestone": Row(40, "[OSRM]"),
    "cobblestone": Row(30, "[OSRM]"),
    "stone": Row(20, "[OSRM]"),
    "earth": Row(20, "[OSRM]"),
    "sand": Row(20, "[OSRM]"),
    "mud": Row(10, "[OSRM]"),
}
BY_TRACKTYPE: dict[str, Row] = {
    "grade1": Row(60, "[OSRM]"),
    "grade2": Row(40, "[OSRM]"),
    "grade3": Row(30, "[OSRM]"),
    "grade4": Row(25, "[OSRM]"),
    "grade5": Row(20, "[OSRM]"),
}
BY_SERVICE: dict[str, Row] = {
    "alley": Row(5, "[OSRM]"),
    "driveway": Row(5, "[OSRM]"),
    "parking_aisle": Row(5, "[OSRM]"),
    "drive-through": Row(5, "[OSRM]"),
}

SIGNED_SHARE = Row(0.8, "[OSRM] speed_reduction: the mean is below the limit")
FERRY_KMH = Row(5, "[OSRM] route=ferry without a duration")
LOWEST_KMH = 5.0
HIGHEST_KMH = 140.0
MILE_KM = 1.609344

_NUMBER = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?\s*")


def limit_kmh(text: str) -> float | None:
    """A `maxspeed` value in km/h: a number, a number in mph, a zone word; the lowest of a list; None where it says nothing."""
    found = [value for part in re.split(r"[;|]", text) if (value := _one_limit(part)) is not None]
    return min(found, default=None)


def _one_limit(text: str) -> float | None:
    word = text.strip().lower()
    match = _NUMBER.fullmatch(word) or _NUMBER.fullmatch(word.partition(":")[2])  # also FR:80
    if match:
        return float(match[1]) * (MILE_KM if match[2] == "mph" else 1.0) or None
    row = BY_ZONE_IN_FRANCE.get(word) or BY_ZONE.get(word) or BY_ZONE.get(word.partition(":")[2])
    return row.kmh if row else None


def speed_kmh(tags: Tags, *, forward: bool = True) -> float:
    """Free-flow speed of a car on a way.

    Parameters
    ----------
    tags : mapping
        `highway` must be a key of BY_CLASS.
    forward : bool
        In the direction of the way's nodes, or against it.

    Returns
    -------
    float
        km/h, between LOWEST_KMH and HIGHEST_KMH.
    """
    highway = tags["highway"]
    side = "forward" if forward else "backward"
    names = (f"maxspeed:{side}", "maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed")
    limit = next((value for name in names if name in tags and (value := limit_kmh(tags[name])) is not None), None)
    speed = BY_CLASS[highway].kmh
    if limit is not None:
        # a limit says how fast a road can be driven, except on drives and tracks, which are slow whatever is signed
        signed = limit * SIGNED_SHARE.kmh
        speed = min(signed, speed) if highway in ("service", "track", "living_street") else signed
    if highway == "track":
        speed = max(speed, BY_TRACKTYPE[tags["tracktype"]].kmh / 2) if tags.get("tracktype") in ("grade1", "grade2") else speed
    for table, tag in ((BY_SURFACE, "surface"), (BY_TRACKTYPE, "tracktype"), (BY_SERVICE, "service")):
        row = table.get(tags.get(tag, ""))
        if row is not None and (tag != "service" or highway == "service"):
            speed = min(speed, row.kmh)
    return min(HIGHEST_KMH, max(LOWEST_KMH, speed))


def duration_s(text: str) -> float | None:
    """A ferry's `duration` in seconds: `HH:MM`, `HH:MM:SS`, minutes, or ISO 8601 `PT1H10M`; None where it cannot be read."""
    iso = re.fullmatch(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", text.strip().upper())
    if iso and any(iso.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    clock = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip())
    if clock:
        return float(int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0))
    minutes_only = re.fullmatch(r"(\d{1,4})", text.strip())
    return float(minutes_only[1]) * 60 if minutes_only else None
