"""Nominatim, OpenStreetMap's search: one's own server, or the public one within its policy (one call a second, none while somebody types).

In: an address of the service. Out: a `Geocoder`. Answers are read in its format `jsonv2` with address details.
"""

import threading
import time
from typing import Any

from routing.errors import PlacesAway
from routing.places.asking import ask, degrees_of, text_of
from routing.places.port import Asked, Found, Source, inside
from routing.places.words import likeness

_TOWNS = ("village", "town", "city", "municipality", "hamlet", "suburb")
_MOST = 20
_HALF_DEGREES = 0.5  # of the box around a point that says which of two is nearer


class Nominatim:
    """A `Geocoder` over HTTP."""

    source: Source = "nominatim"

    def __init__(self, url: str, *, every_s: float = 1.0, patience_s: float = 2.0) -> None:
        self._url, self._every_s, self._patience_s = url, every_s, patience_s
        self._lock, self._next = threading.Lock(), 0.0

    def search(self, asked: Asked) -> list[Found]:
        """`/search`; scored by how much of the question each label answers. Nothing while somebody types: the policy forbids it."""
        if asked.typing or not asked.text.strip():
            return []
        parameters = {"q": asked.text.strip(), "format": "jsonv2", "addressdetails": "1", "limit": str(min(_MOST, asked.limit))}
        box = asked.within
        if box is None and asked.near is not None:
            lon, lat = round(asked.near[0], 1), round(asked.near[1], 1)
            box = (lon - _HALF_DEGREES, lat - _HALF_DEGREES, lon + _HALF_DEGREES, lat + _HALF_DEGREES)
        if box is not None:
            parameters["viewbox"] = ",".join(str(round(degrees, 4)) for degrees in box)
        if asked.within is not None:
            parameters["bounded"] = "1"
        answer = self._in_turn("search", parameters)
        read = [self._place(row, asked.text) for row in answer[:_MOST]] if isinstance(answer, list) else []
        found = [place for place in read if place is not None and inside(asked.within, place.lon, place.lat)]
        return sorted(found, key=lambda place: -place.score)[: asked.limit]

    def reverse(self, lon: float, lat: float) -> Found | None:
        """`/reverse`; what the service holds to be there."""
        parameters = {"lon": str(lon), "lat": str(lat), "format": "jsonv2", "addressdetails": "1"}
        return self._place(self._in_turn("reverse", parameters), None)

    def close(self) -> None:
        """Nothing is kept open."""

    def _in_turn(self, path: str, parameters: dict[str, str]) -> Any:
        """Calls of this process stand in a line, a second apart; PlacesAway when it is too long."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            if at - now > self._patience_s:
                away = PlacesAway("The service that finds places is asked once a second, and others are before.")
                away.busy = True
                raise away
            self._next = at + self._every_s
        time.sleep(max(0.0, at - now))
        return ask(self._url, path, parameters)

    def _place(self, row: Any, text: str | None) -> Found | None:
        """One of the answer; None when it is not in the form that is documented."""
        if not isinstance(row, dict):
            return None
        point, label = degrees_of(row.get("lon"), row.get("lat")), text_of(row.get("display_name"))
        if point is None or not label:
            return None
        details = row.get("address")
        address: dict[str, Any] = details if isinstance(details, dict) else {}
        locality = next((text_of(address[name]) for name in _TOWNS if name in address), "")
        house, kind = "house_number" in address, text_of(row.get("type"))
        kind = "house" if house else "street" if text_of(row.get("category")) == "highway" else kind or "place"
        score = 1.0 if text is None else likeness(text, label)
        return Found(
            label=label, kind=kind, lon=point[0], lat=point[1], score=round(score, 3), source=self.source, locality=locality,
            postcode=text_of(address.get("postcode")),
        )  # fmt: skip
