"""Asking several sources in turn: the extract's own index first, a service on the network only when that knows no good answer.

In: an `Asked` or a point. Out: an `Answer`: what was found, and which sources could not be asked. Made by whoever starts the service;
called by the API. A source that is away is left out for a minute: nobody waits for it again and again, and no request for a ride depends
on it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from routing.errors import PlacesAway
from routing.places.index import GOOD
from routing.places.port import Asked, Box, Found, Geocoder, metres_between, pinned
from routing.places.words import plain

T = TypeVar("T")
REST_S = 60.0
_SAME_M = 30.0  # two sources that say the same name so near mean the same


@dataclass(frozen=True, slots=True)
class Answer:
    """Places, the best first; `degraded` names the sources that should have been asked and could not be."""

    found: tuple[Found, ...]
    degraded: tuple[str, ...] = ()


class PlaceSearch:
    """The sources of one service. Without a local index that is told as degraded: the territory's own places are missing."""

    def __init__(
        self, local: Geocoder | None = None, remote: Sequence[Geocoder] = (), within: Box | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._local, self._remote, self._within, self._clock = local, tuple(remote), within, clock
        self._lock = threading.Lock()
        self._rests_until: dict[str, float] = {}

    def search(self, asked: Asked) -> Answer:
        """Places for words. Services are asked about places within the roads only: elsewhere nobody could be driven."""
        degraded = [] if self._local else ["local"]
        found = self._local.search(asked) if self._local else []
        if asked.within is None:
            asked = replace(asked, within=self._within)
        for source in self._remote:
            if found and max(place.score for place in found) >= GOOD:
                break
            more = self._unless_away(source.source, partial(source.search, asked))
            if more is None:
                degraded.append(source.source)
            elif more:
                found = _merged(found, more)
        return Answer(tuple(found[: asked.limit]), tuple(degraded))

    def name_point(self, lon: float, lat: float) -> Answer:
        """What a point is called, after what is nearest. The point itself is answered as it was given."""
        degraded = [] if self._local else ["local"]
        nearest = self._local.reverse(lon, lat) if self._local else None
        for source in self._remote:
            if nearest is not None:
                break
            rows = self._unless_away(source.source, partial(_nearest, source, lon, lat))
            if rows is None:
                degraded.append(source.source)
            elif rows:
                nearest = rows[0]
        return Answer((pinned(lon, lat, nearest),), tuple(degraded))

    def name_here(self, lon: float, lat: float) -> str:
        """What is nearest to a point, by the local index alone: nobody else learns where somebody is fetched. Empty: nothing near."""
        nearest = self._local.reverse(lon, lat) if self._local else None
        return nearest.label if nearest else ""

    def close(self) -> None:
        """Close every source."""
        for source in (*([self._local] if self._local else []), *self._remote):
            source.close()

    def _unless_away(self, name: str, ask: Callable[[], list[T]]) -> list[T] | None:
        with self._lock:
            if self._clock() < self._rests_until.get(name, 0.0):
                return None
        try:
            return ask()
        except PlacesAway as away:
            if not away.busy:
                with self._lock:
                    self._rests_until[name] = self._clock() + REST_S
            return None


def _nearest(source: Geocoder, lon: float, lat: float) -> list[Found]:
    found = source.reverse(lon, lat)
    return [found] if found else []


def _merged(found: list[Found], more: list[Found]) -> list[Found]:
    """By score; of two that are the same, the one that came first. Sorting is stable: the local index keeps its order."""
    new = [place for place in more if not any(_is_same(place, known) for known in found)]
    return sorted([*found, *new], key=lambda place: -place.score)


def _is_same(a: Found, b: Found) -> bool:
    near = metres_between((a.lon, a.lat), (b.lon, b.lat)) < _SAME_M
    return near and a.kind == b.kind and plain(a.label)[:2] == plain(b.label)[:2]
