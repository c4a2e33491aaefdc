"""What a place is called and where it is: the port of everything that finds places by words, and words for places.

In: an `Asked`. Out: `Found`s, the best first. Implemented by the local index, BAN and Nominatim; called by `routing.places.search`.
"""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from routing.units import EARTH_RADIUS_M

Source = Literal["local", "ban", "nominatim", "pin"]
Box = tuple[float, float, float, float]  # west, south, east, north
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Words that somebody typed."""

    text: str
    near: tuple[float, float] | None = None  # of two that are as good, the nearer first
    within: Box | None = None  # nothing outside
    limit: int = 8
    typing: bool = False  # the last word may be a beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A place. `score` says how well it answers: 1 is what was asked for, word by word; below 0.5 it is a guess."""

    label: str
    kind: str  # house, street, or what the data calls it: village, hospital, pharmacy...
    lon: float
    lat: float
    score: float
    source: Source
    locality: str = ""
    postcode: str = ""


class Geocoder(Protocol):
    """Finds places. Safe to call from several threads."""

    @property
    def source(self) -> Source:
        """What its answers are marked with."""

    def search(self, asked: Asked) -> list[Found]:
        """The best answers first, at most `asked.limit`. PlacesAway when it cannot answer now."""

    def reverse(self, lon: float, lat: float) -> Found | None:
        """What is nearest to a point, at its own place; None where nothing is near. PlacesAway when it cannot answer now."""

    def close(self) -> None:
        """Let go of files and connections."""


def pinned(lon: float, lat: float, nearest: Found | None) -> Found:
    """A point that a person gave, called after what is nearest. The point stays as it was given: nothing moves it."""
    if nearest is None:
        return Found(label="", kind="point", lon=lon, lat=lat, score=1.0, source="pin")
    return replace(nearest, lon=lon, lat=lat, score=1.0, source="pin")


def one_line(text: str) -> str:
    """A text from outside, as it may be shown: on one line, without what cannot be seen, and not endless."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_TEXT]).split())[:LONGEST_TEXT]


def inside(box: Box | None, lon: float, lat: float) -> bool:
    """Whether a point is in a box, or there is no box."""
    return box is None or (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres on a sphere, good within a territory."""
    lon, lat = np.radians(a[0] - b[0]), np.radians(a[1] - b[1])
    return float(EARTH_RADIUS_M * np.hypot(lon * np.cos(np.radians((a[1] + b[1]) / 2)), lat))
